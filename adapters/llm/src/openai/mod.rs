//! Servers that speak OpenAI's protocols of chat completions, responses and embeddings.

mod chat_response;
mod completion;
mod embedding;
mod request;
mod responses;
mod strict_schema;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use application::ports::{Clock, ListedModel, ModelServer};
use async_trait::async_trait;
use domain::call::{CallFailure, ChatCall, EmbedCall, Reply};
use domain::endpoint::{Api, Endpoint};
use domain::money::NanoDollars;
use outbound::{Client, Request, Response};

use crate::exchange::{Exchanges, answer, failure, usage};

/// Exchanges with OpenAI-compatible servers, over a shared client.
pub struct OpenAiServer(Exchanges);

impl OpenAiServer {
    /// Creates it over this client. The clock is needed for dates in `Retry-After`.
    #[must_use]
    pub const fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self(Exchanges::new(client, clock))
    }

    async fn exchange(&self, endpoint: &Endpoint, request: Request<'_>) -> Result<Response, CallFailure> {
        self.0.send(endpoint, request, BTreeMap::new()).await
    }

    async fn completed(&self, endpoint: &Endpoint, call: &ChatCall) -> Result<Reply, CallFailure> {
        let (operation, body) = match endpoint.api {
            Api::Chat => ("chat/completions", request::body(call, endpoint.max_tokens_field)),
            Api::Responses => ("responses", responses::request::body(call)),
        };
        let url = endpoint.identity.address(operation);
        let request = Request::post_json(&url, body);
        let begun = Instant::now();
        let answer = self.exchange(endpoint, request).await?;
        let latency = begun.elapsed();
        if failure::tells_of_refusal(&answer) {
            return Ok(answer::refusal(call, latency));
        }
        let answer = self.0.succeeded(answer, &url)?;
        let reply = match endpoint.api {
            Api::Chat => completion::read(answer.body(), call, latency),
            Api::Responses => responses::response::read(answer.body(), call, latency),
        }?;
        Ok(Reply { stated_cost: reply.stated_cost.or(stated_cost(&answer)), ..reply })
    }
}

/// The header in which `LiteLLM`'s proxy states the cost of a call, in US dollars.
const COST_HEADER: &str = "x-litellm-response-cost";

fn stated_cost(answer: &Response) -> Option<NanoDollars> {
    answer.header(COST_HEADER).and_then(usage::dollars_in)
}

#[async_trait]
impl ModelServer for OpenAiServer {
    async fn complete(&self, endpoint: &Endpoint, call: &ChatCall) -> Result<Reply, CallFailure> {
        let completed = self.completed(endpoint, call).await;
        completed.map_err(|failure| failure::without_secrets(failure, endpoint))
    }

    async fn embed(&self, endpoint: &Endpoint, calls: &[EmbedCall]) -> Result<Vec<Reply>, CallFailure> {
        let url = endpoint.identity.address("embeddings");
        let request = Request::post_json(&url, embedding::request(calls));
        let begun = Instant::now();
        let exchange = self.exchange(endpoint, request).await;
        let latency = begun.elapsed();
        exchange
            .and_then(|answer| self.0.succeeded(answer, &url))
            .and_then(|answer| embedding::read(answer.body(), calls, latency, stated_cost(&answer)))
            .map_err(|failure| failure::without_secrets(failure, endpoint))
    }

    async fn models(&self, endpoint: &Endpoint) -> Result<Vec<ListedModel>, CallFailure> {
        let url = endpoint.identity.address("models");
        let exchange = self.exchange(endpoint, Request::get(&url)).await;
        exchange
            .and_then(|answer| self.0.models(answer, &url))
            .map_err(|failure| failure::without_secrets(failure, endpoint))
    }
}

#[cfg(test)]
mod tests;
