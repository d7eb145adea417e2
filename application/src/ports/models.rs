use async_trait::async_trait;
use domain::call::{Call, CallFailure, Completion};
use domain::endpoint::Endpoint;

/// A server that answers for models.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ModelServer: Send + Sync {
    /// Makes one exchange, without retries: the answer, or why there is none.
    async fn complete(&self, endpoint: &Endpoint, call: &Call) -> Result<Completion, CallFailure>;

    /// The names of the models it offers, at most 1,000 of them.
    async fn models(&self, endpoint: &Endpoint) -> Result<Vec<String>, CallFailure>;
}
