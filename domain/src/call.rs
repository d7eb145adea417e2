//! One request to a model, and its answer.

mod chat;
mod digest;
mod embed;
mod failure;
mod reply;

pub use chat::{ChatCall, Message, ResponseFormat, Role};
pub use digest::Digest;
pub use embed::EmbedCall;
pub use failure::{CallFailure, FailureKind};
pub use reply::{Completion, Embedding, FlagCounts, Flags, Reply, ReplyBody, flag_advice, thinking_apart};
pub(crate) use reply::{cosine, dot, norm};

use crate::endpoint::EndpointIdentity;
use crate::value::{Map, Value};

/// A request to a model: everything that determines the answer, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// To a chat model.
    Chat(ChatCall),
    /// To an embedding model.
    Embed(EmbedCall),
}

impl Call {
    /// The canonical text of this call: equal for equal calls, different for different ones. Its SHA-256 is the call
    /// hash, which caches use as their key. Fields that are not set are absent, so new fields do not change old
    /// hashes.
    #[must_use]
    pub fn canonical(&self) -> String {
        match self {
            Self::Chat(call) => call.canonical(),
            Self::Embed(call) => call.canonical(),
        }
    }

    /// The endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &EndpointIdentity {
        match self {
            Self::Chat(call) => &call.endpoint,
            Self::Embed(call) => &call.endpoint,
        }
    }

    /// The model asked for.
    #[must_use]
    pub fn model(&self) -> &str {
        match self {
            Self::Chat(call) => &call.model,
            Self::Embed(call) => &call.model,
        }
    }

    /// The most output tokens that its answer can have, where that is known: the call's own limit, or 0 for calls
    /// without output.
    #[must_use]
    pub fn max_tokens(&self) -> Option<u64> {
        match self {
            Self::Chat(call) => call.max_tokens(),
            Self::Embed(_) => Some(0),
        }
    }

    /// The most tokens that this call can use, if its answer has at most `max_output`.
    #[must_use]
    pub fn token_bound(&self, max_output: u64) -> u64 {
        match self {
            Self::Chat(call) => call.token_bound(max_output),
            Self::Embed(call) => call.token_bound(),
        }
    }

    /// An estimate of the tokens that it sends.
    #[must_use]
    pub fn estimated_input(&self) -> u64 {
        match self {
            Self::Chat(call) => call.estimated_input(),
            Self::Embed(call) => call.estimated_input(),
        }
    }

    /// The embedding call, if it is one.
    #[must_use]
    pub const fn as_embed(&self) -> Option<&EmbedCall> {
        match self {
            Self::Embed(call) => Some(call),
            Self::Chat(_) => None,
        }
    }

    /// The request as canonical JSON: the conversation, or the text.
    #[must_use]
    pub fn request_text(&self) -> String {
        match self {
            Self::Chat(call) => call.messages_text(),
            Self::Embed(call) => Value::from(call.text.as_str()).canonical(),
        }
    }

    /// Inference parameters that were set, by their names in requests.
    #[must_use]
    pub fn parameters(&self) -> Map {
        match self {
            Self::Chat(call) => call.parameters.clone(),
            Self::Embed(_) => Map::new(),
        }
    }
}

impl From<ChatCall> for Call {
    fn from(call: ChatCall) -> Self {
        Self::Chat(call)
    }
}

impl From<EmbedCall> for Call {
    fn from(call: EmbedCall) -> Self {
        Self::Embed(call)
    }
}

#[cfg(test)]
mod tests;
