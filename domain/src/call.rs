//! One request to a model or a service, and its answer.

mod chat;
mod digest;
mod embed;
mod embedding;
mod failure;
mod http;
mod reply;

pub use chat::{ChatCall, Message, ResponseFormat, Role};
pub use digest::Digest;
pub use embed::EmbedCall;
pub use embedding::Embedding;
pub(crate) use embedding::{cosine, dot, norm};
pub use failure::{CallFailure, FailureKind};
pub use http::{HttpCall, RequestBody};
pub use reply::{
    Completion, FlagCounts, Flags, Reply, ReplyBody, ServiceAnswer, flag_advice, thinking_apart,
};

use crate::endpoint::EndpointIdentity;
use crate::service::ServiceOrigin;
use crate::value::{Map, Value};

/// A request to a model or a service: everything that determines the answer, and little else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// To a chat model.
    Chat(ChatCall),
    /// To an embedding model.
    Embed(EmbedCall),
    /// To a service of the user's own.
    Http(HttpCall),
}

impl Call {
    /// The canonical text of this call: equal for equal calls, different for different ones. Its SHA-256 is the call
    /// hash, which caches use as their key. Fields that are not set are absent, so new fields do not change old
    /// hashes. `owner` names whom the call is made for, where it is not shared.
    #[must_use]
    pub fn canonical(&self, sha256: impl Fn(&str) -> Digest, owner: impl FnOnce() -> String) -> String {
        match self {
            Self::Chat(call) => call.canonical(),
            Self::Embed(call) => call.canonical(),
            Self::Http(call) => call.canonical(sha256, owner),
        }
    }

    /// The endpoint, where it goes to a model.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&EndpointIdentity> {
        match self {
            Self::Chat(call) => Some(&call.endpoint),
            Self::Embed(call) => Some(&call.endpoint),
            Self::Http(_) => None,
        }
    }

    /// The service, where it goes to one.
    #[must_use]
    pub const fn service(&self) -> Option<&ServiceOrigin> {
        match self {
            Self::Http(call) => Some(&call.origin),
            Self::Chat(_) | Self::Embed(_) => None,
        }
    }

    /// The model asked for, where it goes to a model.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Chat(call) => Some(&call.model),
            Self::Embed(call) => Some(&call.model),
            Self::Http(_) => None,
        }
    }

    /// The most output tokens that its answer can have, where that is known: the call's own limit, or 0 for calls
    /// without output.
    #[must_use]
    pub fn max_tokens(&self) -> Option<u64> {
        match self {
            Self::Chat(call) => call.max_tokens(),
            Self::Embed(_) | Self::Http(_) => Some(0),
        }
    }

    /// The most tokens that this call can use, if its answer has at most `max_output`.
    #[must_use]
    pub fn token_bound(&self, max_output: u64) -> u64 {
        match self {
            Self::Chat(call) => call.token_bound(max_output),
            Self::Embed(call) => call.token_bound(),
            Self::Http(_) => 0,
        }
    }

    /// An estimate of the tokens that it sends.
    #[must_use]
    pub fn estimated_input(&self) -> u64 {
        match self {
            Self::Chat(call) => call.estimated_input(),
            Self::Embed(call) => call.estimated_input(),
            Self::Http(_) => 0,
        }
    }

    /// The embedding call, if it is one.
    #[must_use]
    pub const fn as_embed(&self) -> Option<&EmbedCall> {
        match self {
            Self::Embed(call) => Some(call),
            Self::Chat(_) | Self::Http(_) => None,
        }
    }

    /// The request as canonical JSON: the conversation, the text, or what is sent to the service without the values of its
    /// headers.
    #[must_use]
    pub fn request_text(&self) -> String {
        match self {
            Self::Chat(call) => call.messages_text(),
            Self::Embed(call) => Value::from(call.text.as_str()).canonical(),
            Self::Http(call) => call.request_value().canonical(),
        }
    }

    /// Inference parameters that were set, by their names in requests.
    #[must_use]
    pub fn parameters(&self) -> Map {
        match self {
            Self::Chat(call) => call.parameters.clone(),
            Self::Embed(_) | Self::Http(_) => Map::new(),
        }
    }
}

impl From<ChatCall> for Call {
    fn from(call: ChatCall) -> Self {
        Self::Chat(call)
    }
}

impl From<HttpCall> for Call {
    fn from(call: HttpCall) -> Self {
        Self::Http(call)
    }
}

impl From<EmbedCall> for Call {
    fn from(call: EmbedCall) -> Self {
        Self::Embed(call)
    }
}

#[cfg(test)]
mod tests;
