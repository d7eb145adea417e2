use async_trait::async_trait;
use domain::call::Digest;

use super::StoreError;

/// A request with an idempotency key, identified by the key and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatableRequest {
    /// The principal that the key belongs to.
    pub principal: String,
    /// The key.
    pub key: String,
    /// The operation with its path.
    pub route: String,
    /// The SHA-256 of its body.
    pub body: Digest,
}

/// The stored answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status code of the caller's protocol, for example HTTP's.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// The result of reserving a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// It is ours: do the work, marked with the number of this reservation, then keep the answer.
    Fresh(u128),
    /// Another request with the key is in progress.
    Pending,
    /// The work is done, this was made, and its answer is not kept yet.
    Done(u128),
    /// It was used for the same request, with this answer.
    Answered(KeptAnswer),
    /// It was used for another request.
    Other,
}

/// What was made for a request with a key. It lands with what was made, or refuses it where the reservation is no longer that of
/// whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationMark {
    /// The principal that the key belongs to.
    pub principal: String,
    /// The key.
    pub key: String,
    /// The number of the reservation.
    pub reservation: u128,
    /// The id of what is made.
    pub made: u128,
}

/// Stores the answers to requests with idempotency keys, for a day.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Reserves a principal's key for a request, under this number.
    async fn reserve(&self, request: &RepeatableRequest, reservation: u128) -> Result<Reserved, StoreError>;

    /// Keeps the answer of a request whose work is done; the answer that is kept, which may be an earlier one.
    async fn keep(&self, request: &RepeatableRequest, answer: KeptAnswer) -> Result<KeptAnswer, StoreError>;

    /// Frees the key of a request that was refused.
    async fn free(&self, request: &RepeatableRequest, reservation: u128) -> Result<(), StoreError>;
}
