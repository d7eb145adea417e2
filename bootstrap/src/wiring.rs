//! Picks the adapters and puts them together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use application::accounts::{self, Accounts};
use application::endpoints::Endpoints;
use application::engine::{self, Engine};
use application::estimate::Estimates;
use application::experiments::Experiments;
use application::exports::{self, Exports};
use application::feed::{self, Feed};
use application::installation::Installation;
use application::leaderboard::Leaderboards;
use application::live::{self, Live};
use application::once::Once;
use application::ports::{Clock, EndpointStore as _, Ids, SettingStore as _, Vault};
use application::preview::Previews;
use application::projects::Projects;
use application::runs::{self, Runs};
use application::scores::{self, Scores};
use application::services::Services;
use application::sweeps::{self, Sweeps};

use domain::id::{SweepId, WorkerId};
use domain::secret::Secret;
use llm::{HttpServices, Servers, SimulatedServer};
use outbound::{AddressPolicy, Client, OwnPlaces};
use persistence::{Database, OpenError, Stores};
use queue::LocalBell;
use scripting::FormatProcesses;
use security::{BcryptPasswords, JwtTokens, SecretVault, kept_token_secret, token_secret_fingerprint};
use system::{BlockingThreads, SystemChance, SystemClock, SystemIds, TokioTasks, TokioTimer};

use crate::built_in;
use crate::failure::Failure;
use crate::settings::Settings;

/// Everything, put together.
pub(crate) struct Wired {
    pub(crate) stores: Arc<Stores>,
    pub(crate) experiments: Experiments,
    pub(crate) sweeps: Arc<Sweeps>,
    leaderboards: Arc<Leaderboards>,
    pub(crate) ports: engine::Ports,
    vault: Arc<dyn Vault>,
    settings: engine::Settings,
}

impl Wired {
    /// Opens the database and puts everything together.
    pub(crate) async fn new(settings: &Settings) -> Result<Self, Failure> {
        Self::listening(settings, None).await
    }

    /// The same for a process that listens at an address, or whose server does: no request goes there.
    pub(crate) async fn listening(settings: &Settings, at: Option<SocketAddr>) -> Result<Self, Failure> {
        let vault = vault(settings)?;
        let stores = database(settings).await?.stores(Arc::clone(&vault)).await.map_err(Failure::error)?;
        let stores = Arc::new(stores);
        let ports = ports(&stores, settings, own_places(settings, at))?;
        let leaderboards = Leaderboards::new(stores.clone(), stores.clone());
        let wired = Self {
            leaderboards: Arc::new(leaderboards),
            experiments: experiments(&stores, &ports),
            sweeps: Arc::new(sweeps(settings, &ports)),
            stores,
            ports,
            vault,
            settings: engine_settings(settings),
        };
        wired.put_built_in_endpoints(settings).await?;
        Ok(wired)
    }

    /// The use cases of exports.
    pub(crate) fn exports(&self) -> Exports {
        let ports = exports::Ports {
            clock: Arc::new(SystemClock),
            experiments: self.stores.clone(),
            facts: self.stores.clone(),
            failures: self.stores.clone(),
            ids: Arc::new(SystemIds),
            projects: self.stores.clone(),
            runs: self.stores.clone(),
        };
        Exports::new(ports, Arc::clone(&self.leaderboards))
    }

    /// Everything that a server offers.
    pub(crate) async fn services(
        &self,
        settings: &Settings,
        engine: &Arc<Engine>,
    ) -> Result<Services, Failure> {
        let (stores, ports) = (&self.stores, &self.ports);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        Ok(Services {
            accounts: Arc::new(self.accounts(settings).await?),
            projects: Projects::new(stores.clone(), Arc::clone(&ids)),
            experiments: experiments(stores, ports),
            previews: Previews::new(ports, Arc::clone(engine)),
            estimates: Estimates::new(
                stores.clone(),
                stores.clone(),
                stores.clone(),
                stores.clone(),
                application::scoring::Ports::of_engine(ports),
            ),
            runs: Runs::new(runs::Ports::of_engine(ports)),
            scores: Scores::new(scores::Ports::of_engine(ports), Arc::clone(engine)),
            exports: self.exports(),
            leaderboards: Arc::clone(&self.leaderboards),
            endpoints: self.endpoints(&clock, &ids),
            installation: Installation::new(stores.clone(), stores.clone()),
            live: self.live(Arc::clone(&clock)),
            sweeps: Arc::clone(&self.sweeps),
            feed: self.feed(),
            events: stores.clone(),
            once: Once::new(Arc::clone(&ids), stores.clone(), Arc::clone(&ports.tasks)),
            clock,
        })
    }

    fn endpoints(&self, clock: &Arc<dyn Clock>, ids: &Arc<dyn Ids>) -> Endpoints {
        let (stores, servers) = (&self.stores, Arc::clone(&self.ports.servers));
        Endpoints::new(stores.clone(), servers, stores.clone(), Arc::clone(clock), Arc::clone(ids))
    }

    fn live(&self, clock: Arc<dyn Clock>) -> Live {
        let stores = &self.stores;
        let ports = live::Ports {
            clock,
            endpoints: stores.clone(),
            events: stores.clone(),
            facts: stores.clone(),
            monitor: stores.clone(),
        };
        Live::new(ports, Arc::clone(&self.leaderboards), Arc::clone(&self.sweeps))
    }

    fn feed(&self) -> Arc<Feed> {
        let ports = feed::Ports {
            bell: Arc::clone(&self.ports.bell),
            events: self.stores.clone(),
            timer: Arc::clone(&self.ports.timer),
        };
        Arc::new(Feed::new(ports, Arc::new(LocalBell::new())))
    }

    async fn accounts(&self, settings: &Settings) -> Result<Accounts, Failure> {
        let secret = match &settings.jwt_secret {
            Some(secret) => secret.clone(),
            None => kept_token_secret(&*self.stores, &*self.vault).await.map_err(Failure::error)?,
        };
        if settings.database_url.is_some() {
            self.check_token_secret(&secret).await?;
        }
        let ports = accounts::Ports {
            accounts: self.stores.clone(),
            settings: self.stores.clone(),
            passwords: Arc::new(BcryptPasswords::new(settings.password_cost)),
            tokens: Arc::new(JwtTokens::new(&secret)),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        Ok(Accounts::new(ports, settings.api_key.clone()))
    }

    /// Processes that share a database let in each other's sessions, or none of them would last.
    async fn check_token_secret(&self, secret: &Secret) -> Result<(), Failure> {
        const NAME: &str = "token_secret_fingerprint";
        let own = token_secret_fingerprint(secret);
        let known = self.stores.setting_or(NAME, &own).await.map_err(Failure::error)?;
        if known == own {
            return Ok(());
        }
        Err(Failure::error(format!(
            "this database was used with another JWT_SECRET: give all its processes the same one, or none; to change it, \
             stop them all and delete `{NAME}` from its table `setting`"
        )))
    }

    /// An engine for this process that executes runs; with `only`, it leaves other sweeps alone.
    pub(crate) fn engine(&self, only: Option<SweepId>) -> Arc<Engine> {
        self.engine_with(engine::Settings { only, ..self.settings })
    }

    /// An engine that leaves runs to other processes.
    pub(crate) fn idle_engine(&self) -> Arc<Engine> {
        self.engine_with(engine::Settings { executes: false, ..self.settings })
    }

    fn engine_with(&self, settings: engine::Settings) -> Arc<Engine> {
        Arc::new(Engine::new(self.ports.clone(), settings, WorkerId::new(SystemIds.next())))
    }

    async fn put_built_in_endpoints(&self, settings: &Settings) -> Result<(), Failure> {
        for endpoint in built_in::endpoints(settings) {
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

fn vault(settings: &Settings) -> Result<Arc<dyn Vault>, Failure> {
    let vault = match &settings.secret_key {
        Some(key) => SecretVault::from_text(key),
        None => {
            let folder = settings.data_dir.clone();
            let made = std::fs::create_dir_all(&folder);
            made.map_err(|source| Failure::error(OpenError::Folder { folder, source }))?;
            SecretVault::from_folder(&settings.data_dir)
        }
    };
    Ok(Arc::new(vault.map_err(Failure::error)?))
}

/// Where this program and its database are.
fn own_places(settings: &Settings, listener: Option<SocketAddr>) -> OwnPlaces {
    let own = OwnPlaces::default();
    let own = listener.map_or(own.clone(), |address| own.with_listener(address));
    settings.database_url.as_ref().map_or(own.clone(), |url| own.with_database(url.expose()))
}

fn ports(stores: &Arc<Stores>, settings: &Settings, own: OwnPlaces) -> Result<engine::Ports, Failure> {
    // Endpoints are the choice of whoever runs this: they may well be private. Services are named by experiments.
    let endpoints = AddressPolicy::endpoints().keeping_out_of(own.clone());
    let services = AddressPolicy::services(settings.outbound_allow.clone()).keeping_out_of(own);
    let [client, services] = [endpoints, services].map(|policy| Client::new(policy).map_err(Failure::error));
    let (client, services) = (client?, services?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let servers = Servers::new(&client, &clock, SimulatedServer::new(settings.simulated_pace));
    Ok(engine::Ports {
        bell: Arc::new(LocalBell::new()),
        boards: stores.clone(),
        calls: stores.clone(),
        chance: Arc::new(SystemChance),
        clock: Arc::clone(&clock),
        endpoints: stores.clone(),
        experiments: stores.clone(),
        facts: stores.clone(),
        fetch: Arc::new(HttpServices::new(services, Arc::clone(&clock))),
        formats: Arc::new(FormatProcesses::of_this_program(&["check-formats"]).map_err(Failure::error)?),
        guides: domain::strategy::guide,
        ids: Arc::new(SystemIds),
        journal: stores.clone(),
        log: stores.clone(),
        offload: Arc::new(BlockingThreads::default()),
        runs: stores.clone(),
        servers: Arc::new(servers),
        settings: stores.clone(),
        rates: stores.clone(),
        rescorings: stores.clone(),
        slots: stores.clone(),
        standings: stores.clone(),
        sweeps: stores.clone(),
        tasks: Arc::new(TokioTasks),
        thinking: Arc::new(BlockingThreads::default()),
        timer: Arc::new(TokioTimer),
        workers: stores.clone(),
    })
}

fn experiments(stores: &Arc<Stores>, ports: &engine::Ports) -> Experiments {
    let offload = Arc::clone(&ports.offload);
    Experiments::new(stores.clone(), stores.clone(), stores.clone(), Arc::clone(&ports.ids), offload)
}

fn sweeps(settings: &Settings, ports: &engine::Ports) -> Sweeps {
    Sweeps::new(sweeps::Ports::of_engine(ports)).with_most_tokens(settings.max_tokens_per_sweep)
}

fn engine_settings(settings: &Settings) -> engine::Settings {
    engine::Settings {
        concurrent_runs: settings.concurrent_runs,
        lease: settings.lease,
        poll: Duration::from_secs(1).min(settings.lease / 3),
        ..engine::Settings::default()
    }
}
