use application::ports::ModelServer;
use async_trait::async_trait;
use domain::call::{CallFailure, ChatCall, EmbedCall, Reply};
use domain::endpoint::{Endpoint, EndpointKind};

use crate::{OpenAiServer, SimulatedServer};

/// Hands each exchange to the server that speaks the endpoint's protocol.
pub struct Servers {
    openai: OpenAiServer,
    simulated: SimulatedServer,
}

impl Servers {
    /// A router over these servers.
    #[must_use]
    pub const fn new(openai: OpenAiServer, simulated: SimulatedServer) -> Self {
        Self { openai, simulated }
    }

    fn of(&self, kind: EndpointKind) -> &dyn ModelServer {
        match kind {
            EndpointKind::OpenAi => &self.openai,
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

    async fn models(&self, endpoint: &Endpoint) -> Result<Vec<String>, CallFailure> {
        self.of(endpoint.identity.kind).models(endpoint).await
    }
}
