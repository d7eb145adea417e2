//! Calls of services of the user's own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::Digest;
use crate::secret::Secret;
use crate::service::ServiceOrigin;
use crate::value::{Map, Value};

/// A request to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// Scheme, host and port of the URL.
    pub origin: ServiceOrigin,
    /// The URL.
    pub url: String,
    /// The headers, by their names in lower case.
    pub headers: BTreeMap<String, Secret>,
    /// The body.
    pub body: RequestBody,
    /// How long the exchange may take in all; it does not determine the answer.
    pub timeout: Duration,
    /// The number of this repetition of the same request, from 1.
    pub repeat: u32,
    /// Whether equal calls share their answer. One that is not shared is the call of its owner alone.
    pub shared: bool,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestBody {
    /// A text, sent as it is.
    Text(String),
    /// A value, sent as its canonical JSON.
    Json(Value),
}

impl RequestBody {
    /// The text that is sent.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(value) => Cow::Owned(value.canonical()),
        }
    }
}

impl HttpCall {
    /// The method of every such request.
    pub const METHOD: &str = "POST";

    /// See [`Call::canonical`](super::Call::canonical). Of the headers it holds the digest. A call that is not shared is
    /// spelled with its `owner`: who owns it finds its answer again after an interruption, and nobody else does.
    #[must_use]
    pub fn canonical(&self, sha256: impl Fn(&str) -> Digest, owner: impl FnOnce() -> String) -> String {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.expose())));
        let headers = (!self.headers.is_empty()).then(|| sha256(&Value::Map(headers.collect()).canonical()));
        let fields = [
            ("body", Some(Value::text(self.body.to_text()))),
            ("headers", headers.map(|digest| Value::from(digest.to_string()))),
            ("http", Some(Value::from(Self::METHOD))),
            ("owner", (!self.shared).then(|| Value::from(owner()))),
            ("repeat", (self.repeat > 1).then(|| Value::from(self.repeat))),
            ("url", Some(Value::from(self.url.as_str()))),
            ("v", Some(Value::from(1_u32))),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Map(fields.collect::<Map>()).canonical()
    }

    /// The request as it is shown: method, URL, the names of its headers, and its body.
    #[must_use]
    pub fn request_value(&self) -> Value {
        let names = self.headers.keys().map(|name| Value::from(name.as_str()));
        let body = match &self.body {
            RequestBody::Text(text) => Value::from(text.as_str()),
            RequestBody::Json(value) => value.clone(),
        };
        Value::from([
            ("method", Value::from(Self::METHOD)),
            ("url", Value::from(self.url.as_str())),
            ("headers", Value::List(names.collect())),
            ("body", body),
        ])
    }
}
