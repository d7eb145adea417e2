//! Why a call has no answer.

use std::fmt;
use std::time::Duration;

/// Why an exchange gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailure {
    /// Which kind of failure.
    pub kind: FailureKind,
    /// What happened, for people; never a secret.
    pub message: String,
    /// The server may have done the work, and billed it, all the same.
    pub outcome_unknown: bool,
    /// Whether the server says that it is worth trying again, where it says so.
    pub should_retry: Option<bool>,
    /// The wait that the server asked for, where it named a sensible one.
    pub retry_after: Option<Duration>,
}

impl CallFailure {
    /// A failure after which nothing can have been billed.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message, outcome_unknown: false, should_retry: None, retry_after: None }
    }
}

/// The kinds of failed exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// The calls come too fast: 429.
    RateLimited,
    /// The server is loading the model: a 503 that says so.
    Loading,
    /// The account has nothing left: 402, or 429 `insufficient_quota`.
    QuotaExhausted,
    /// The key is missing, wrong or not allowed: 401, or a 403 that speaks of the key or the account.
    Unauthorized,
    /// The server or something in front of it refuses, perhaps only this prompt: any other 403.
    Forbidden,
    /// The server is busy with the same thing, or waited too long for the request: 408, 409.
    UpstreamBusy,
    /// The server does not know the model, or does not take one of its parameters: every call like it will fail.
    Misconfigured,
    /// The request is wrong: any other 4xx.
    Rejected,
    /// The server's fault: 5xx.
    Upstream5xx,
    /// No connection, or one that broke before the first byte of an answer.
    Connect,
    /// The answer broke off.
    Truncated,
    /// The server went silent or took too long.
    Timeout,
    /// The answer was larger than is read.
    ResponseTooLarge,
    /// The answer was not of the protocol.
    Malformed,
    /// The answer had no choices.
    NoChoices,
    /// The server pointed elsewhere, which is not followed.
    Redirect,
    /// What came back was no HTTP.
    BadHttp,
    /// The address may not be called.
    AddressRefused,
    /// The answer came, and the database cannot hold it.
    Unstorable,
}

impl FailureKind {
    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Loading => "model_loading",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "refused_by_gateway",
            Self::UpstreamBusy => "upstream_busy",
            Self::Misconfigured => "misconfigured",
            Self::Rejected => "rejected",
            Self::Upstream5xx => "upstream_5xx",
            Self::Connect => "connect",
            Self::Truncated => "truncated",
            Self::Timeout => "timeout",
            Self::ResponseTooLarge => "response_too_large",
            Self::Malformed => "malformed",
            Self::NoChoices => "no_choices",
            Self::Redirect => "redirect",
            Self::BadHttp => "bad_http",
            Self::AddressRefused => "address_refused",
            Self::Unstorable => "unstorable",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        const ALL: [FailureKind; 19] = [
            FailureKind::RateLimited,
            FailureKind::Loading,
            FailureKind::QuotaExhausted,
            FailureKind::Unauthorized,
            FailureKind::Forbidden,
            FailureKind::UpstreamBusy,
            FailureKind::Misconfigured,
            FailureKind::Rejected,
            FailureKind::Upstream5xx,
            FailureKind::Connect,
            FailureKind::Truncated,
            FailureKind::Timeout,
            FailureKind::ResponseTooLarge,
            FailureKind::Malformed,
            FailureKind::NoChoices,
            FailureKind::Redirect,
            FailureKind::BadHttp,
            FailureKind::AddressRefused,
            FailureKind::Unstorable,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether the endpoint will refuse every call until a person mends something.
    #[must_use]
    pub const fn breaks_endpoint(self) -> bool {
        matches!(self, Self::QuotaExhausted | Self::Unauthorized)
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}

impl std::error::Error for CallFailure {}
