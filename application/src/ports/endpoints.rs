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

/// What a worker asks of an endpoint's slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRequest {
    /// Exchanges that the endpoint takes at once, from all workers.
    pub concurrency: u32,
    /// Slots that the worker could use.
    pub want: u32,
    /// The most exchanges that the worker can have under way now.
    pub in_flight: u32,
}

/// Shares the concurrency of endpoints among workers.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait SlotStore: Send + Sync {
    /// Grants a worker slots of an endpoint and returns how many it may use. Every live worker that wants slots gets an
    /// even share of the concurrency, as far as the other workers have released theirs.
    ///
    /// The store counts the larger of `in_flight` and the slots granted as held, so that nobody else gets a slot whose
    /// exchange is still under way. For example, with a concurrency of 8 a worker alone is granted 8. Once a second
    /// worker wants slots, the first asks again with 8 in flight and is granted 4, but still holds 8; the second gets
    /// its first slot when the first worker asks with 7 or fewer in flight. A worker with `want` and `in_flight` 0 no
    /// longer takes part.
    async fn hold(
        &self,
        worker: WorkerId,
        endpoint: EndpointId,
        request: SlotRequest,
    ) -> Result<u32, StoreError>;
}
