use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::call::{CallFailure, ChatCall, EmbedCall, Reply};
use domain::endpoint::Endpoint;

/// The most texts whose embeddings one exchange asks for.
pub const MAX_EMBEDDINGS: usize = 64;

/// A model that a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedModel {
    /// Its name.
    pub name: String,
    /// The inference parameters that it takes, where the server says so.
    pub parameters: Option<BTreeSet<String>>,
}

/// A server that answers for models.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ModelServer: Send + Sync {
    /// Makes one exchange for a chat call, without retries: the completion, or why there is none.
    async fn complete(&self, endpoint: &Endpoint, call: &ChatCall) -> Result<Reply, CallFailure>;

    /// Makes one exchange for the embeddings of at most [`MAX_EMBEDDINGS`] texts by one model, without retries: an embedding
    /// for each, in order, or why there are none.
    async fn embed(&self, endpoint: &Endpoint, calls: &[EmbedCall]) -> Result<Vec<Reply>, CallFailure>;

    /// The models it offers, at most 1,000 of them.
    async fn models(&self, endpoint: &Endpoint) -> Result<Vec<ListedModel>, CallFailure>;
}
