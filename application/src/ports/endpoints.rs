use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use domain::call::FailureKind;
use domain::endpoint::Endpoint;
use domain::id::{EndpointId, WorkerId};
use domain::rate::{RateDecision, RateLimits};
use domain::time::Timestamp;

use super::StoreError;

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// What kind of refusal it was.
    pub kind: FailureKind,
    /// What the endpoint said.
    pub reason: String,
}

/// What servers' lists of models say: for each endpoint the inference parameters that its models take, by model.
pub type ModelLists = BTreeMap<EndpointId, BTreeMap<String, BTreeSet<String>>>;

/// How an endpoint is doing, as all processes see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointCondition {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its label.
    pub label: String,
    /// Exchanges that it takes at once, from all workers.
    pub concurrency: u32,
    /// What keeps calls away from it.
    pub breaker: Option<Breaker>,
    /// When the breaker closes by itself; `None` where somebody has to change something first.
    pub breaker_until: Option<Timestamp>,
    /// The end of the pause that it asked for, where that has not passed.
    pub backing_off_until: Option<Timestamp>,
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

    /// How these endpoints are doing; those that are not there are left out. A breaker whose time is over is none.
    async fn conditions(&self, ids: &[EndpointId]) -> Result<Vec<EndpointCondition>, StoreError>;

    /// How every endpoint is doing, by label.
    async fn all_conditions(&self) -> Result<Vec<EndpointCondition>, StoreError>;

    /// Remembers the inference parameters that its models take, by model; they are forgotten once its URL changes.
    async fn keep_model_list(
        &self,
        id: EndpointId,
        models: &BTreeMap<String, BTreeSet<String>>,
    ) -> Result<(), StoreError>;

    /// The inference parameters that models take, for each endpoint where they are remembered.
    async fn model_lists(&self) -> Result<ModelLists, StoreError>;

    /// Remembers that it asked for a pause of this length; one that ends earlier than the known one changes nothing.
    async fn back_off(&self, id: EndpointId, wait: Duration) -> Result<(), StoreError>;

    /// Keeps calls away from it: for this long, or until the breaker is closed.
    async fn open_breaker(
        &self,
        id: EndpointId,
        breaker: Breaker,
        closes_in: Option<Duration>,
    ) -> Result<(), StoreError>;

    /// Lets calls through again; also ends the pause that it asked for.
    async fn close_breaker(&self, id: EndpointId) -> Result<(), StoreError>;
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

/// What a worker asks of an endpoint's limits of requests and tokens a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateRequest {
    /// The limits.
    pub limits: RateLimits,
    /// The most tokens of each call that waits, in the order in which they are to be sent.
    pub calls: Vec<u64>,
    /// What is known of earlier calls since.
    pub corrections: Vec<RateCorrection>,
}

/// What a call that was granted used after all: the difference to what was counted for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateCorrection {
    /// The second that it was counted in.
    pub second: i64,
    /// Requests: 0, or -1 if it was not sent.
    pub requests: i64,
    /// Tokens.
    pub tokens: i64,
}

/// What an endpoint's limits of requests and tokens a minute allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateGrant {
    /// The calls that may be sent, and how long the others have to wait.
    pub decision: RateDecision,
    /// The second that they are counted in.
    pub second: i64,
}

/// Shares the requests and tokens a minute of endpoints among workers.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait RateStore: Send + Sync {
    /// Grants as many of the calls as fit [`domain::rate::decide`] at the store's time, after the corrections, and counts
    /// them.
    async fn take(&self, endpoint: EndpointId, request: RateRequest) -> Result<RateGrant, StoreError>;
}
