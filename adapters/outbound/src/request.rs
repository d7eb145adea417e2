//! What is sent and what comes back.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::secret::Secret;
use reqwest::header::HeaderMap;

/// One request to be made.
#[derive(Debug)]
pub struct Request<'a> {
    pub(crate) url: &'a str,
    pub(crate) json: Option<String>,
    pub(crate) bearer: Option<&'a Secret>,
    pub(crate) headers: Option<&'a BTreeMap<String, Secret>>,
    pub(crate) timeout: Duration,
}

impl<'a> Request<'a> {
    /// How long a request may take in all where nothing else is said.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

    /// Asks for what is at `url`.
    #[must_use]
    pub const fn get(url: &'a str) -> Self {
        Self { url, json: None, bearer: None, headers: None, timeout: Self::DEFAULT_TIMEOUT }
    }

    /// Sends a JSON text to `url`.
    #[must_use]
    pub const fn post_json(url: &'a str, json: String) -> Self {
        Self { url, json: Some(json), bearer: None, headers: None, timeout: Self::DEFAULT_TIMEOUT }
    }

    /// With this key as bearer token, if there is one.
    #[must_use]
    pub fn bearer(self, key: Option<&'a Secret>) -> Self {
        Self { bearer: key, ..self }
    }

    /// With these headers too, which take the place of those that it would have had.
    #[must_use]
    pub fn headers(self, headers: Option<&'a BTreeMap<String, Secret>>) -> Self {
        Self { headers, ..self }
    }

    /// Taking at most this long, from the first lookup to the last byte.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// What a server answered, whatever its status.
#[derive(Debug)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The status code, 100 to 999.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name, where it is printable ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, decompressed.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}
