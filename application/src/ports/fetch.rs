use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::call::CallFailure;
use domain::secret::Secret;

/// A POST request to a service of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The URL.
    pub url: String,
    /// Headers by their names; they take the place of those that such a request usually has.
    pub headers: BTreeMap<String, Secret>,
    /// The body; JSON, unless a header says otherwise.
    pub body: String,
    /// How long the exchange may take in all.
    pub timeout: Duration,
}

/// The answer of a service, whose status says that it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchResponse {
    /// The body, decompressed.
    pub body: String,
    /// Whether the service says that it is JSON.
    pub is_json: bool,
    /// Whether bytes that are no text were replaced.
    pub is_lossy: bool,
    /// How long the exchange took.
    pub latency: Duration,
}

/// Calls services that whoever writes an experiment names: public ones, and private ones that the administrator allows.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Makes one exchange, without retries: the answer, or why there is none. No failure holds the value of a header.
    async fn post_json(&self, request: &FetchRequest) -> Result<FetchResponse, CallFailure>;
}
