//! How servers of one kind differ.

use super::EndpointKind;

/// Which of `OpenAI`'s protocols carries chat calls. It is no part of an endpoint's identity: the answers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Api {
    /// Chat completions, which nearly every server knows.
    #[default]
    Chat,
    /// Responses.
    Responses,
}

impl Api {
    /// The word for it in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
        }
    }

    /// The protocol with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Chat, Self::Responses].into_iter().find(|api| api.as_str() == word)
    }
}

/// Which header of a request carries the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization`, as a bearer token.
    Bearer,
    /// `api-key`.
    ApiKey,
    /// `x-api-key`.
    XApiKey,
    /// `x-goog-api-key`.
    XGoogApiKey,
}

impl Auth {
    /// Every way there is.
    pub const ALL: [Self; 4] = [Self::Bearer, Self::ApiKey, Self::XApiKey, Self::XGoogApiKey];

    /// The way that servers of a kind usually want.
    #[must_use]
    pub const fn usual(kind: EndpointKind) -> Self {
        match kind {
            EndpointKind::Anthropic => Self::XApiKey,
            EndpointKind::OpenAi | EndpointKind::Simulated => Self::Bearer,
        }
    }

    /// The word for it in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::ApiKey => "api-key",
            Self::XApiKey => "x-api-key",
            Self::XGoogApiKey => "x-goog-api-key",
        }
    }

    /// The header that holds nothing but the key; `None` for a bearer token.
    #[must_use]
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::Bearer => None,
            named => Some(named.as_str()),
        }
    }

    /// The way with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|auth| auth.as_str() == word)
    }
}
