use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::call::{CallFailure, Digest, Reply};
use domain::id::{EndpointId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::run::Payer;

use super::StoreError;
use super::journal::AnswerId;

/// A request to claim a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallClaim {
    /// The call hash.
    pub hash: Digest,
    /// The sweep that it is made for.
    pub sweep: Option<SweepId>,
    /// What to reserve of that sweep's budget; `None` without a budget.
    pub reserve: Option<Reservation>,
}

/// The most that a call can use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reservation {
    /// Tokens, prompt and answer.
    pub tokens: u64,
    /// Money; zero where the sweep has no cost budget.
    pub cost: NanoDollars,
}

/// The result of a request to claim a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// It has been answered before.
    Answered(Arc<StoredAnswer>),
    /// The caller has the claim: no other worker makes the call until it is stored, failed or released, or the caller's
    /// worker is lost.
    Yours,
    /// Another live worker is making it.
    Busy,
    /// It failed for good earlier in this sweep.
    Failed(CallFailure),
    /// It does not fit into the sweep's budget. `open` says whether other reservations may still be released.
    NoBudget {
        /// Other calls of the sweep are reserved and not yet answered.
        open: bool,
    },
}

/// An answer as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// Its id.
    pub id: AnswerId,
    /// What came back.
    pub reply: Arc<Reply>,
    /// What it cost when it was made; `None` where no price was known.
    pub cost: Option<NanoDollars>,
    /// Who paid for it; `None` where it was tried outside any run.
    pub paid_by: Option<Payer>,
}

/// What calls took, on average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasuredCalls {
    /// How long an exchange took.
    pub latency: Duration,
    /// The tokens of an answer.
    pub output_tokens: u64,
}

/// Stores answers of models, and the claims on calls.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait CallStore: Send + Sync {
    /// For each call, in order: its answer, the right to make it, or why neither. If a hash occurs more than once, its
    /// first occurrence gets the right.
    async fn claim(&self, calls: Vec<CallClaim>, by: WorkerId) -> Result<Vec<Claim>, StoreError>;

    /// The stored answers of these calls, in order, without claiming any.
    async fn peek(&self, calls: Vec<Digest>) -> Result<Vec<Option<Arc<StoredAnswer>>>, StoreError>;

    /// What the newest calls of a model at an endpoint took on average; `None` where there are none among the newest answers.
    async fn measured(&self, endpoint: EndpointId, model: &str) -> Result<Option<MeasuredCalls>, StoreError>;

    /// The outcome of a claimed call is unknown: what was reserved for it is charged to its sweep, and the claim stays
    /// without a reservation.
    async fn charge(&self, call: Digest, by: WorkerId) -> Result<(), StoreError>;

    /// Releases claims that were not used, with their reservations.
    async fn release(&self, calls: &[Digest], by: WorkerId) -> Result<(), StoreError>;
}
