use std::sync::Arc;

use application::ports::{Clock, ListedModel, ModelServer};
use async_trait::async_trait;
use domain::call::{CallFailure, ChatCall, EmbedCall, Reply};
use domain::endpoint::{Endpoint, EndpointKind};

use outbound::Client;

use crate::{AnthropicServer, OpenAiServer, SimulatedServer};

/// Routes each exchange to the implementation of the endpoint's protocol.
pub struct Servers {
    openai: OpenAiServer,
    anthropic: AnthropicServer,
    simulated: SimulatedServer,
}

impl Servers {
    /// Creates the router over this client, with the simulation. The clock is needed for dates in `Retry-After`.
    #[must_use]
    pub fn new(client: &Client, clock: &Arc<dyn Clock>, simulated: SimulatedServer) -> Self {
        Self {
            openai: OpenAiServer::new(client.clone(), Arc::clone(clock)),
            anthropic: AnthropicServer::new(client.clone(), Arc::clone(clock)),
            simulated,
        }
    }

    fn of(&self, kind: EndpointKind) -> &dyn ModelServer {
        match kind {
            EndpointKind::OpenAi => &self.openai,
            EndpointKind::Anthropic => &self.anthropic,
            EndpointKind::Simulated => &self.simulated,
        }
    }
}

#[async_trait]
impl ModelServer for Servers {
    async fn complete(&self, endpoint: &Endpoint, call: &ChatCall) -> Result<Reply, CallFailure> {
        self.of(endpoint.identity.kind).complete(endpoint, call).await
    }

    async fn embed(&self, endpoint: &Endpoint, calls: &[EmbedCall]) -> Result<Vec<Reply>, CallFailure> {
        self.of(endpoint.identity.kind).embed(endpoint, calls).await
    }

    async fn models(&self, endpoint: &Endpoint) -> Result<Vec<ListedModel>, CallFailure> {
        self.of(endpoint.identity.kind).models(endpoint).await
    }
}
