//! Servers that speak Anthropic's protocol of messages.

mod message;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use application::ports::{Clock, ListedModel, ModelServer};
use async_trait::async_trait;
use domain::call::{CallFailure, ChatCall, EmbedCall, FailureKind, Reply};
use domain::endpoint::Endpoint;
use domain::secret::Secret;
use outbound::{Client, Request, Response};

use crate::exchange::{Exchanges, answer, failure};

/// Exchanges with Anthropic's servers, over a shared client.
pub struct AnthropicServer(Exchanges);

/// The version of the protocol, which servers require.
const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

/// The most models in one list. The default of servers is 20.
const MODELS: &str = "limit=1000";

impl AnthropicServer {
    /// Creates it over this client. The clock is needed for dates in `Retry-After`.
    #[must_use]
    pub const fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self(Exchanges::new(client, clock))
    }

    async fn exchange(&self, endpoint: &Endpoint, request: Request<'_>) -> Result<Response, CallFailure> {
        let (name, version) = VERSION;
        let headers = BTreeMap::from([(name.to_owned(), Secret::new(version))]);
        self.0.send(endpoint, request, headers).await
    }

    async fn completed(&self, endpoint: &Endpoint, call: &ChatCall) -> Result<Reply, CallFailure> {
        let url = endpoint.identity.address("messages");
        let request = Request::post_json(&url, request::body(call)?);
        let begun = Instant::now();
        let answer = self.exchange(endpoint, request).await?;
        let latency = begun.elapsed();
        if failure::tells_of_refusal(&answer) {
            return Ok(answer::refusal(call, latency));
        }
        message::read(self.0.succeeded(answer, &url)?.body(), call, latency)
    }
}

#[async_trait]
impl ModelServer for AnthropicServer {
    async fn complete(&self, endpoint: &Endpoint, call: &ChatCall) -> Result<Reply, CallFailure> {
        let completed = self.completed(endpoint, call).await;
        completed.map_err(|failure| failure::without_secrets(failure, endpoint))
    }

    async fn embed(&self, endpoint: &Endpoint, _calls: &[EmbedCall]) -> Result<Vec<Reply>, CallFailure> {
        let message = format!(
            "Anthropic's protocol has no embeddings: name an endpoint of kind `openai` in place of `{}`",
            endpoint.label
        );
        Err(CallFailure::new(FailureKind::Rejected, message))
    }

    async fn models(&self, endpoint: &Endpoint) -> Result<Vec<ListedModel>, CallFailure> {
        let url = endpoint.identity.address("models");
        let paged = format!("{url}{}{MODELS}", if url.contains('?') { '&' } else { '?' });
        let exchange = self.exchange(endpoint, Request::get(&paged)).await;
        exchange
            .and_then(|answer| self.0.models(answer, &url))
            .map_err(|failure| failure::without_secrets(failure, endpoint))
    }
}

#[cfg(test)]
mod tests;
