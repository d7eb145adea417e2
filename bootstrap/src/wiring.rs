//! Picks the adapters and puts them together.

use std::sync::Arc;
use std::time::Duration;

use application::engine::{self, Engine};
use application::experiments::Experiments;
use application::ports::{EndpointStore as _, Ids as _, Vault};
use application::sweeps::{self, Sweeps};
use domain::endpoint::{Endpoint, EndpointIdentity, EndpointKind, Limits, MaxTokensField};
use domain::id::{EndpointId, SweepId, WorkerId};
use llm::{OpenAiServer, Servers, SimulatedServer};
use outbound::{AddressPolicy, Client};
use persistence::{Database, Stores};
use queue::LocalBell;
use security::SecretVault;
use system::{BlockingThreads, SystemChance, SystemClock, SystemIds, TokioTimer};
use wire::file::SIMULATED_URL;

use crate::failure::Failure;
use crate::settings::Settings;

/// The label of the built-in simulation.
pub(crate) const SIMULATED: &str = "simulated";

/// Everything, put together.
pub(crate) struct Wired {
    pub(crate) stores: Arc<Stores>,
    pub(crate) experiments: Experiments,
    pub(crate) sweeps: Arc<Sweeps>,
    pub(crate) ports: engine::Ports,
    settings: engine::Settings,
}

impl Wired {
    /// Opens the database and puts everything together.
    pub(crate) async fn new(settings: &Settings) -> Result<Self, Failure> {
        let stores = Arc::new(stores(settings).await?);
        let ports = ports(&stores)?;
        let wired = Self {
            experiments: Experiments::new(stores.clone(), Arc::new(SystemIds)),
            sweeps: Arc::new(Sweeps::new(sweeps::Ports::of_engine(&ports))),
            stores,
            ports,
            settings: engine_settings(settings),
        };
        wired.put_built_in_endpoints(settings).await?;
        Ok(wired)
    }

    /// An engine for this process; with `only`, it leaves other sweeps alone.
    pub(crate) fn engine(&self, only: Option<SweepId>) -> Arc<Engine> {
        let settings = engine::Settings { only, ..self.settings };
        Arc::new(Engine::new(self.ports.clone(), settings, WorkerId::new(SystemIds.next())))
    }

    async fn put_built_in_endpoints(&self, settings: &Settings) -> Result<(), Failure> {
        for endpoint in built_in_endpoints(settings) {
            self.stores.put(endpoint).await.map_err(Failure::error)?;
        }
        Ok(())
    }
}

/// The database of the settings, open and up to date.
pub(crate) async fn database(settings: &Settings) -> Result<Database, Failure> {
    match &settings.database_url {
        None => Database::sqlite(&settings.data_dir).await,
        Some(url) => Database::postgres(url.expose()).await,
    }
    .map_err(Failure::error)
}

async fn stores(settings: &Settings) -> Result<Stores, Failure> {
    let database = database(settings).await?;
    database.stores(vault(settings)?).await.map_err(Failure::error)
}

fn vault(settings: &Settings) -> Result<Arc<dyn Vault>, Failure> {
    let vault = match &settings.secret_key {
        Some(key) => SecretVault::from_text(key),
        None => {
            std::fs::create_dir_all(&settings.data_dir).map_err(Failure::error)?;
            SecretVault::from_folder(&settings.data_dir)
        }
    };
    Ok(Arc::new(vault.map_err(Failure::error)?))
}

fn ports(stores: &Arc<Stores>) -> Result<engine::Ports, Failure> {
    // Endpoints are the choice of whoever runs this: they may well be private.
    let client = Client::new(AddressPolicy::Endpoints).map_err(Failure::error)?;
    let openai = OpenAiServer::new(client, Arc::new(SystemClock));
    Ok(engine::Ports {
        bell: Arc::new(LocalBell::new()),
        calls: stores.clone(),
        chance: Arc::new(SystemChance),
        clock: Arc::new(SystemClock),
        endpoints: stores.clone(),
        experiments: stores.clone(),
        ids: Arc::new(SystemIds),
        journal: stores.clone(),
        offload: Arc::new(BlockingThreads),
        runs: stores.clone(),
        servers: Arc::new(Servers::new(openai, SimulatedServer::new())),
        slots: stores.clone(),
        sweeps: stores.clone(),
        timer: Arc::new(TokioTimer),
        workers: stores.clone(),
    })
}

fn engine_settings(settings: &Settings) -> engine::Settings {
    engine::Settings {
        concurrent_runs: settings.concurrent_runs,
        lease: settings.lease,
        poll: Duration::from_secs(1).min(settings.lease / 3),
        ..engine::Settings::default()
    }
}

fn built_in_endpoints(settings: &Settings) -> Vec<Endpoint> {
    let endpoint = |label: &str, identity| Endpoint {
        id: EndpointId::new(SystemIds.next()),
        label: label.to_owned(),
        identity,
        api_key: None,
        prices: std::collections::BTreeMap::new(),
        limits: Limits::default(),
        max_tokens_field: MaxTokensField::default(),
        max_output_tokens: None,
        timeout: Endpoint::DEFAULT_TIMEOUT,
    };
    let simulated = endpoint(SIMULATED, EndpointIdentity::new(EndpointKind::Simulated, SIMULATED_URL));
    let default = settings.default_endpoint.as_ref().map(|default| Endpoint {
        api_key: default.key.clone(),
        ..endpoint(
            application::catalog::DEFAULT_ENDPOINT,
            EndpointIdentity::new(EndpointKind::OpenAi, &default.url),
        )
    });
    std::iter::once(simulated).chain(default).collect()
}
