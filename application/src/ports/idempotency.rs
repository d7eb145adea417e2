use async_trait::async_trait;
use domain::call::Digest;

use super::StoreError;

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
    /// It is ours: do the work, then keep the answer.
    Fresh,
    /// Somebody is working on it.
    Pending,
    /// It was used for the same request: this is the answer.
    Answered(KeptAnswer),
    /// It was used for another request.
    Other,
}

/// Remembers the answers to requests that must not be carried out twice, for a day.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Reserves a principal's key for a request.
    async fn reserve(
        &self,
        principal: &str,
        key: &str,
        route: &str,
        body: Digest,
    ) -> Result<Reserved, StoreError>;

    /// Keeps the answer of a request; without one the key is free again.
    async fn settle(&self, principal: &str, key: &str, answer: Option<KeptAnswer>) -> Result<(), StoreError>;
}
