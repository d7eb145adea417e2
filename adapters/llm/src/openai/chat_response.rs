//! A chat completion as servers send it: only what is read of it, and nothing is demanded but choices.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct ChatResponse {
    pub(super) model: Option<String>,
    pub(super) choices: Option<Vec<Choice>>,
    /// As it came, since servers put all sorts of things there.
    #[serde(default)]
    pub(super) usage: serde_json::Value,
    pub(super) error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    pub(super) message: Message,
    pub(super) finish_reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) content: Option<Content>,
    pub(super) refusal: Option<String>,
    pub(super) tool_calls: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
pub(super) struct Part {
    text: Option<String>,
}

impl Content {
    /// The text, that of parts joined in order.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
        }
    }
}
