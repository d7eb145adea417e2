use async_trait::async_trait;
use domain::call::FailureKind;
use domain::endpoint::Endpoint;
use domain::id::{EndpointId, WorkerId};

use super::StoreError;

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// What kind of refusal it was.
    pub kind: FailureKind,
    /// What the endpoint said.
    pub reason: String,
}

/// Keeps endpoints; their keys are encrypted at rest.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait EndpointStore: Send + Sync {
    /// Stores an endpoint under its label: a new one with the given id, or the one with this label changed, which
    /// keeps its id. An absent key keeps the stored one unless scheme, host or port change. The endpoint as stored.
    async fn put(&self, endpoint: Endpoint) -> Result<Endpoint, StoreError>;

    /// Stores a new endpoint; `false` where its label is taken.
    async fn insert(&self, endpoint: Endpoint) -> Result<bool, StoreError>;

    /// Changes an endpoint, its label perhaps with it, as [`put`](Self::put) does; `None` where there is none.
    ///
    /// The label must not be another endpoint's.
    async fn replace(&self, endpoint: Endpoint) -> Result<Option<Endpoint>, StoreError>;

    /// Deletes an endpoint; `false` where there is none.
    async fn remove(&self, id: EndpointId) -> Result<bool, StoreError>;

    /// The names of experiments that name an endpoint by its label; a few of them.
    async fn users_of(&self, label: &str) -> Result<Vec<String>, StoreError>;

    /// Every endpoint, by label.
    async fn all(&self) -> Result<Vec<Endpoint>, StoreError>;

    /// An endpoint.
    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError>;

    /// What keeps calls away from it.
    async fn breaker(&self, id: EndpointId) -> Result<Option<Breaker>, StoreError>;

    /// Sets or lifts what keeps calls away from it.
    async fn set_breaker(&self, id: EndpointId, breaker: Option<Breaker>) -> Result<(), StoreError>;
}

/// Shares the concurrency of endpoints among workers.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait SlotStore: Send + Sync {
    /// Brings the slots of an endpoint that a worker may use up or down to `want`, as far as other live workers that
    /// want some leave any of its `concurrency`; how many it may use then.
    ///
    /// Until `in_flight` exchanges, those the worker can have under way by now, are over, as many slots stay counted as
    /// its own: nobody gets them before the worker asks again with a smaller number. A worker that wants none and has
    /// none in flight takes no part in the sharing.
    async fn hold(
        &self,
        worker: WorkerId,
        endpoint: EndpointId,
        concurrency: u32,
        want: u32,
        in_flight: u32,
    ) -> Result<u32, StoreError>;
}
