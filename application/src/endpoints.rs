//! Registers model servers, and tries them.

use std::sync::Arc;

use domain::access::Admin;
use domain::endpoint::Endpoint;
use domain::id::EndpointId;
use domain::time::Timestamp;

use crate::model_defaults::ModelDefaults;
use crate::ports::{Clock, EndpointStore, Ids, ModelServer, SettingStore};
use crate::refusal::{Refusal, Resource};

/// The result of testing an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointTest {
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
    /// The models it offers, or what went wrong.
    pub models: Result<Vec<String>, String>,
}

/// The use cases of endpoints.
pub struct Endpoints {
    store: Arc<dyn EndpointStore>,
    servers: Arc<dyn ModelServer>,
    settings: Arc<dyn SettingStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Endpoints {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(
        endpoints: Arc<dyn EndpointStore>,
        servers: Arc<dyn ModelServer>,
        settings: Arc<dyn SettingStore>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        Self { store: endpoints, servers, settings, clock, ids }
    }

    /// Every endpoint, by label.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn all(&self) -> Result<Vec<Endpoint>, Refusal> {
        Ok(self.store.all().await?)
    }

    /// An endpoint.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn endpoint(&self, id: EndpointId) -> Result<Endpoint, Refusal> {
        self.store.endpoint(id).await?.ok_or(Refusal::NotFound(Resource::Endpoint))
    }

    /// An id for an endpoint that is to be made.
    #[must_use]
    pub fn next_id(&self) -> EndpointId {
        EndpointId::new(self.ids.next())
    }

    /// Registers an endpoint.
    ///
    /// # Errors
    /// Where its label is taken.
    pub async fn create(&self, _by: &Admin, endpoint: Endpoint) -> Result<Endpoint, Refusal> {
        if self.store.insert(endpoint.clone()).await? { Ok(endpoint) } else { Err(label_taken(&endpoint)) }
    }

    /// Replaces an endpoint; without a key it keeps the one it has, unless scheme, host or port change. What kept calls
    /// away from it is lifted.
    ///
    /// # Errors
    /// Where there is none, its new label is taken, or experiments or the settings name it by the label it has.
    pub async fn replace(&self, _by: &Admin, endpoint: Endpoint) -> Result<Endpoint, Refusal> {
        let known = self.endpoint(endpoint.id).await?;
        if known.label != endpoint.label {
            self.check_label(&endpoint).await?;
            self.check_unused(&known).await?;
        }
        self.store.replace(endpoint).await?.ok_or(Refusal::NotFound(Resource::Endpoint))
    }

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// Where there is none, or experiments or the settings name it.
    pub async fn delete(&self, _by: &Admin, id: EndpointId) -> Result<(), Refusal> {
        self.check_unused(&self.endpoint(id).await?).await?;
        if self.store.remove(id).await? { Ok(()) } else { Err(Refusal::NotFound(Resource::Endpoint)) }
    }

    /// Asks an endpoint which models it offers.
    ///
    /// # Errors
    /// Where there is none; what the server does wrong is told in the result.
    pub async fn test(&self, _by: &Admin, id: EndpointId) -> Result<EndpointTest, Refusal> {
        let endpoint = self.endpoint(id).await?;
        let began: Timestamp = self.clock.now();
        let listed = self.servers.models(&endpoint).await.map_err(|failure| failure.message);
        let latency_ms = u64::try_from(self.clock.now().since(began).as_millis()).unwrap_or(u64::MAX);
        if let Ok(models) = &listed {
            self.store.close_breaker(id).await?;
            let known =
                models.iter().filter_map(|model| Some((model.name.clone(), model.parameters.clone()?)));
            self.store.keep_model_list(id, &known.collect()).await?;
        }
        let models = listed.map(|models| models.into_iter().map(|model| model.name).collect());
        Ok(EndpointTest { latency_ms, models })
    }

    async fn check_unused(&self, endpoint: &Endpoint) -> Result<(), Refusal> {
        if ModelDefaults::load(&*self.settings).await?.endpoint.as_ref() == Some(&endpoint.label) {
            let detail = "it is the default endpoint of the settings: set another one there first";
            return Err(Refusal::conflict("endpoint_in_use", detail));
        }
        let users = self.store.users_of(&endpoint.label).await?;
        if users.is_empty() {
            return Ok(());
        }
        let detail = format!("these experiments name it: {}; change or delete them first", users.join(", "));
        Err(Refusal::conflict("endpoint_in_use", detail))
    }

    async fn check_label(&self, endpoint: &Endpoint) -> Result<(), Refusal> {
        let all = self.store.all().await?;
        if all.iter().any(|other| other.label == endpoint.label && other.id != endpoint.id) {
            return Err(label_taken(endpoint));
        }
        Ok(())
    }
}

fn label_taken(endpoint: &Endpoint) -> Refusal {
    let detail = format!("there is an endpoint `{}` already: choose another label", endpoint.label);
    Refusal::conflict("label_taken", detail)
}
