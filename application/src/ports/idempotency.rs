use async_trait::async_trait;
use domain::call::Digest;

use super::StoreError;

/// A request that may be sent again, as its key and its content tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatableRequest {
    /// Whose key it is.
    pub principal: String,
    /// The key.
    pub key: String,
    /// The operation, with what its address names.
    pub route: String,
    /// The SHA-256 of its body.
    pub body: Digest,
}

/// The answer that a request was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP's status code, or whatever the caller's protocol has.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What came of reserving a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// It is ours: do the work, marked with the number of this reservation, then keep the answer.
    Fresh(u128),
    /// Somebody is working on it.
    Pending,
    /// The work is done, this was made, and its answer is not kept yet.
    Done(u128),
    /// It was used for the same request: this is the answer.
    Answered(KeptAnswer),
    /// It was used for another request.
    Other,
}

/// What was made for a request with a key. It lands with what was made, or refuses it where the reservation is no longer that of
/// whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeedMark {
    /// Whose key it is.
    pub principal: String,
    /// The key.
    pub key: String,
    /// The number of the reservation.
    pub reservation: u128,
    /// The id of what is made.
    pub made: u128,
}

/// Remembers the answers to requests that must not be carried out twice, for a day.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Reserves a principal's key for a request, under this number.
    async fn reserve(&self, request: &RepeatableRequest, reservation: u128) -> Result<Reserved, StoreError>;

    /// Keeps the answer of a request whose work is done; the answer that is kept, which may be an earlier one.
    async fn keep(&self, request: &RepeatableRequest, answer: KeptAnswer) -> Result<KeptAnswer, StoreError>;

    /// Frees the key of a request that was refused.
    async fn free(&self, request: &RepeatableRequest, reservation: u128) -> Result<(), StoreError>;
}
