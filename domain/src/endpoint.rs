//! Model servers: who they are, what they cost, how much they bear.

mod protocol;

pub use protocol::{Api, Auth};

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::id::EndpointId;
use crate::pricing::Price;
use crate::rate::RateLimits;
use crate::secret::Secret;

/// Which protocol a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointKind {
    /// OpenAI's chat completions, as most servers do.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// The built-in simulation: no server, no key, no cost.
    Simulated,
}

impl EndpointKind {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Simulated];

    /// The word for it in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Simulated => "simulated",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The limit of output tokens of a call that sets none, where the protocol demands one.
    #[must_use]
    pub const fn default_max_tokens(self) -> Option<u32> {
        match self {
            Self::Anthropic => Some(4_096),
            Self::OpenAi | Self::Simulated => None,
        }
    }

    /// Whether its protocol has embeddings.
    #[must_use]
    pub const fn has_embeddings(self) -> bool {
        match self {
            Self::OpenAi | Self::Simulated => true,
            Self::Anthropic => false,
        }
    }
}

impl fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What makes two endpoints the same one to caches and configurations: protocol and URL, not label or key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointIdentity {
    /// The protocol.
    pub kind: EndpointKind,
    /// The base URL, without a slash at its end.
    pub url: String,
}

impl EndpointIdentity {
    /// The identity of an endpoint at this URL; slashes at its end do not count.
    #[must_use]
    pub fn new(kind: EndpointKind, url: &str) -> Self {
        let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
        let base = base.trim_end_matches('/');
        Self { kind, url: query.map_or_else(|| base.to_owned(), |query| format!("{base}?{query}")) }
    }

    /// The address of an operation below the URL, whose query stays behind it.
    ///
    /// ```
    /// use promptlooper_domain::endpoint::{EndpointIdentity, EndpointKind};
    /// let identity = EndpointIdentity::new(EndpointKind::OpenAi, "https://h/openai/?api-version=1");
    /// assert_eq!(identity.address("models"), "https://h/openai/models?api-version=1");
    /// ```
    #[must_use]
    pub fn address(&self, operation: &str) -> String {
        match self.url.split_once('?') {
            Some((base, query)) => format!("{base}/{operation}?{query}"),
            None => format!("{}/{operation}", self.url),
        }
    }
}

/// Which field of a request carries the limit of output tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaxTokensField {
    /// `max_tokens`, which nearly every server knows.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, which newer servers of `OpenAI` demand.
    MaxCompletionTokens,
}

/// How much an endpoint bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls in flight at once, over all processes.
    pub concurrency: NonZeroU32,
    /// Requests and tokens a minute, over all processes.
    pub rate: RateLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrency: NonZeroU32::MIN.saturating_add(7), rate: RateLimits::default() }
    }
}

/// A target model server.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The name that experiments call it by; unique.
    pub label: String,
    /// Protocol and URL.
    pub identity: EndpointIdentity,
    /// The protocol of its chat calls, where its kind has several.
    pub api: Api,
    /// Which header carries its key.
    pub auth: Auth,
    /// Its key, if it wants one.
    pub api_key: Option<Secret>,
    /// Further headers of every request, by name; in a change of an endpoint, `None` leaves those it has.
    pub headers: Option<BTreeMap<String, Secret>>,
    /// Prices by model name.
    pub prices: BTreeMap<String, Price>,
    /// How much it bears.
    pub limits: Limits,
    /// Which field carries the limit of output tokens.
    pub max_tokens_field: MaxTokensField,
    /// The most tokens it answers with, where a budget needs a bound and a stage sets none.
    pub max_output_tokens: Option<u32>,
    /// How long one exchange may take in all.
    pub timeout: Duration,
}

impl Endpoint {
    /// How long one exchange may take where nothing else is said.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

    /// An endpoint of which nothing else is known: without a key or prices, with the usual limits.
    #[must_use]
    pub fn new(id: EndpointId, label: impl Into<String>, identity: EndpointIdentity) -> Self {
        Self {
            id,
            label: label.into(),
            api: Api::default(),
            auth: Auth::usual(identity.kind),
            identity,
            api_key: None,
            headers: None,
            prices: BTreeMap::new(),
            limits: Limits::default(),
            max_tokens_field: MaxTokensField::default(),
            max_output_tokens: None,
            timeout: Self::DEFAULT_TIMEOUT,
        }
    }

    /// The endpoint in the place of a known one, whose id it takes. What it leaves out of key and headers, or gives as
    /// [`Secret::MASK`], stays as it is known, as long as it goes to the same server.
    #[must_use]
    pub fn in_place_of(self, known: Self) -> Self {
        let same = same_server(&known.identity.url, &self.identity.url);
        let (kept_key, kept_headers) = if same { (known.api_key, known.headers) } else { (None, None) };
        let headers = match self.headers {
            None => kept_headers,
            Some(given) => Some(unmasked(given, &kept_headers.unwrap_or_default())),
        };
        Self { id: known.id, api_key: self.api_key.or(kept_key), headers, ..self }
    }
}

/// Headers with what is known of those whose value came back as its mask.
fn unmasked(given: BTreeMap<String, Secret>, known: &BTreeMap<String, Secret>) -> BTreeMap<String, Secret> {
    let value = |(name, value): (String, Secret)| match value.expose() {
        Secret::MASK => known.get(&name).cloned().map(|kept| (name, kept)),
        _ => Some((name, value)),
    };
    given.into_iter().filter_map(value).collect()
}

/// A key belongs to the scheme, host and port that it was entered for.
fn same_server(one: &str, other: &str) -> bool {
    let origin = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        Some((scheme.to_ascii_lowercase(), host.to_ascii_lowercase()))
    };
    origin(one).is_some() && origin(one) == origin(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_with_its_server() {
        assert!(same_server("https://Api.example/v1", "https://api.example/v2"));
        for other in ["http://api.example/v1", "https://api.example:8443/v1", "https://api.example.org/v1"] {
            assert!(!same_server("https://api.example/v1", other), "{other}");
        }
        assert!(!same_server("nonsense", "nonsense"));
    }
}
