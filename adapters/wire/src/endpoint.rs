//! An endpoint as somebody writes it down.

mod limits;
mod prices;
mod protocol;

pub use limits::LimitsDocument;
pub use prices::{PriceDocument, PriceTierDocument};
pub use protocol::{ApiDocument, AuthDocument};

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use domain::endpoint::{Auth, Endpoint, EndpointIdentity, EndpointKind, MaxTokensField};
use domain::header::{self, MAX_HEADERS};
use domain::id::EndpointId;
use domain::problem::{Problem, segment};
use domain::secret::Secret;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "EndpointKind", rename_all = "snake_case")]
#[schemars(rename = "EndpointKind")]
pub enum KindDocument {
    /// A server that speaks chat completions.
    Openai,
    /// A server that speaks Anthropic's messages.
    Anthropic,
    /// The built-in simulation.
    Simulated,
}

/// An endpoint that a file needs.
#[derive(Debug, Clone, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "EndpointDraft", deny_unknown_fields)]
#[schemars(rename = "EndpointDraft")]
#[expect(missing_docs, reason = "fields are those of the domain's endpoint")]
pub struct EndpointDocument {
    pub label: String,
    pub kind: KindDocument,
    pub api: Option<ApiDocument>,
    pub auth: Option<AuthDocument>,
    pub url: Option<String>,
    pub api_key: Option<String>,
    pub headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    #[oai(default)]
    pub prices: BTreeMap<String, PriceDocument>,
    #[serde(default)]
    #[oai(default)]
    pub limits: LimitsDocument,
    pub max_tokens_field: Option<MaxTokensFieldDocument>,
    pub max_output_tokens: Option<u32>,
    pub timeout_s: Option<f64>,
}

/// Which field of a request carries the limit of output tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "MaxTokensField", rename_all = "snake_case")]
#[schemars(rename = "MaxTokensField")]
#[expect(missing_docs, reason = "the words are the fields")]
pub enum MaxTokensFieldDocument {
    MaxTokens,
    MaxCompletionTokens,
}

impl EndpointDocument {
    /// The endpoint, under this id where it is new. `fill` puts values in the place of `${NAME}`.
    ///
    /// # Errors
    /// What is wrong with a field, each with its place in the endpoint.
    pub fn into_endpoint(
        self,
        id: EndpointId,
        fill: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Endpoint, Vec<Problem>> {
        let mut problems = Vec::new();
        let Texts { label, key, url, headers } = self.texts(fill, &mut problems);
        let headers = headers.map(|headers| self::headers(headers, &mut problems));
        let identity = identity(self.kind, url.as_deref(), &mut problems);
        let api = protocol::api(self.api, identity.kind, &mut problems);
        if label.trim().is_empty() || label.contains(char::is_control) {
            problems.push(Problem::new("/label", "invalid_name", "give the endpoint a label on one line"));
        }
        let prices = prices::read(self.prices, &mut problems);
        let timeout = timeout(self.timeout_s, &mut problems);
        let limits = self.limits.into_limits(&mut problems);
        let max_output = positive("max_output_tokens", self.max_output_tokens, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Endpoint {
            id,
            label,
            api,
            auth: self.auth.map_or_else(|| Auth::usual(identity.kind), Auth::from),
            identity,
            api_key: key.filter(|key| !key.is_empty()).map(Secret::new),
            headers,
            prices,
            limits,
            max_tokens_field: match self.max_tokens_field {
                Some(MaxTokensFieldDocument::MaxCompletionTokens) => MaxTokensField::MaxCompletionTokens,
                _ => MaxTokensField::MaxTokens,
            },
            max_output_tokens: max_output.map(NonZeroU32::get),
            timeout,
        })
    }
}

/// The texts of an endpoint, with values in the place of `${NAME}`.
struct Texts {
    label: String,
    key: Option<String>,
    url: Option<String>,
    headers: Option<BTreeMap<String, String>>,
}

impl EndpointDocument {
    fn texts(&self, fill: impl Fn(&str) -> Result<String, String>, problems: &mut Vec<Problem>) -> Texts {
        let mut filled = |field: &str, text: &str| {
            fill(text)
                .map_err(|e| problems.push(Problem::new(format!("/{field}"), "unset", e)))
                .unwrap_or_default()
        };
        Texts {
            label: filled("label", &self.label),
            key: self.api_key.as_deref().map(|key| filled("api_key", key)),
            url: self.url.as_deref().map(|url| filled("url", url)),
            headers: self.headers.as_ref().map(|headers| {
                let filled = headers.iter().map(|(name, value)| {
                    (name.clone(), filled(&format!("headers/{}", segment(name)), value))
                });
                filled.collect()
            }),
        }
    }
}

/// The address of the built-in simulation, which is none.
pub const SIMULATED_URL: &str = "simulated://built-in";

fn identity(kind: KindDocument, url: Option<&str>, problems: &mut Vec<Problem>) -> EndpointIdentity {
    let kind = match kind {
        KindDocument::Simulated => return EndpointIdentity::new(EndpointKind::Simulated, SIMULATED_URL),
        KindDocument::Openai => EndpointKind::OpenAi,
        KindDocument::Anthropic => EndpointKind::Anthropic,
    };
    let url = url.unwrap_or_default().trim();
    if let Some(detail) = more_than_a_base(url) {
        problems.push(Problem::new("/url", "invalid_url", detail));
        return EndpointIdentity::new(kind, url);
    }
    let is_http = url.split_once("://").is_some_and(|(scheme, rest)| {
        ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) && !rest.is_empty()
    });
    if !is_http || url.contains(char::is_whitespace) {
        let detail = format!(
            "an endpoint needs the base URL of its API, such as http://127.0.0.1:8000/v1, not `{url}`"
        );
        problems.push(Problem::new("/url", "invalid_url", detail));
    }
    EndpointIdentity::new(kind, url)
}

/// Operations that are put behind the URL of an endpoint.
const OPERATIONS: [&str; 6] =
    ["/chat/completions", "/completions", "/embeddings", "/messages", "/models", "/responses"];

/// What is wrong with a URL that says more than where the API begins.
fn more_than_a_base(url: &str) -> Option<String> {
    if let Some((before, fragment)) = url.split_once('#') {
        return Some(format!("a server never sees `#{fragment}`: leave it out, as in {before}"));
    }
    let (path, query) = url.split_once('?').map_or((url, ""), |(path, query)| (path, query));
    let path = path.trim_end_matches('/');
    let operation = OPERATIONS.iter().find(|operation| path.ends_with(**operation))?;
    let base = path.trim_end_matches(operation);
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    Some(format!("`{operation}` is put behind the URL by itself: give the base URL, {base}{query}"))
}

fn headers(headers: BTreeMap<String, String>, problems: &mut Vec<Problem>) -> BTreeMap<String, Secret> {
    let mut known = BTreeMap::new();
    if headers.len() > MAX_HEADERS {
        let detail = format!("an endpoint takes at most {MAX_HEADERS} headers");
        problems.push(Problem::new("/headers", "out_of_range", detail));
    }
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        let is_own = if lower == CONTENT_TYPE {
            Err(format!("`{name}` is set by the exchange itself"))
        } else if known.contains_key(&lower) {
            Err(format!("`{name}` is given twice"))
        } else {
            Ok(())
        };
        match header::check_name(&name).and(is_own).and_then(|()| header::check_value(&value)) {
            Err(detail) => {
                let pointer = format!("/headers/{}", segment(&name));
                problems.push(Problem::new(pointer, "invalid_header", detail));
            }
            Ok(()) => drop(known.insert(lower, Secret::new(value))),
        }
    }
    known
}

/// Every request to a model server has a body of the type that its protocol wants.
const CONTENT_TYPE: &str = "content-type";

fn positive(field: &str, number: Option<u32>, problems: &mut Vec<Problem>) -> Option<NonZeroU32> {
    let fits = number.map(NonZeroU32::new);
    if fits == Some(None) {
        let detail = format!("{} takes a whole number from 1 up", field.replace('/', "."));
        problems.push(Problem::new(format!("/{field}"), "out_of_range", detail));
    }
    fits.flatten()
}

/// The longest that an exchange may be allowed to take, in seconds.
const LONGEST_TIMEOUT: f64 = 86_400.0;

fn timeout(seconds: Option<f64>, problems: &mut Vec<Problem>) -> Duration {
    let Some(seconds) = seconds else { return Endpoint::DEFAULT_TIMEOUT };
    if seconds > 0.0 && seconds <= LONGEST_TIMEOUT {
        return Duration::from_secs_f64(seconds);
    }
    let detail = format!("timeout_s takes seconds above 0 and up to {LONGEST_TIMEOUT}, not {seconds}");
    problems.push(Problem::new("/timeout_s", "out_of_range", detail));
    Endpoint::DEFAULT_TIMEOUT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_where_servers_of_a_kind_want_it() {
        for (kind, auth) in [
            ("openai", Auth::Bearer),
            ("openai, auth: api-key", Auth::ApiKey),
            ("openai, auth: x-goog-api-key", Auth::XGoogApiKey),
            ("anthropic", Auth::XApiKey),
            ("anthropic, auth: bearer", Auth::Bearer),
        ] {
            let text = format!("{{label: a, url: 'http://h/v1', kind: {kind}}}");
            let document: EndpointDocument = serde_saphyr::from_str(&text).unwrap();
            let endpoint = document.into_endpoint(EndpointId::new(1), |text| Ok(text.to_owned())).unwrap();
            assert_eq!(endpoint.auth, auth, "{kind}");
        }
    }

    #[test]
    fn what_makes_no_sense_has_its_place() {
        for (endpoint, pointer) in [
            ("{label: a, kind: openai}", "/url"),
            ("{label: a, kind: openai, url: localhost}", "/url"),
            ("{label: a, kind: openai, url: 'http://h/v1#x'}", "/url"),
            ("{label: a, kind: openai, url: 'http://h/v1/chat/completions?a=b'}", "/url"),
            ("{label: a, kind: openai, url: 'http://h/v 1'}", "/url"),
            ("{label: ' ', kind: simulated}", "/label"),
            ("{label: a, kind: anthropic, url: 'http://h/v1', api: responses}", "/api"),
            ("{label: a, kind: anthropic, url: 'http://h/v1/messages'}", "/url"),
            ("{label: a, kind: simulated, headers: {'X Org': a}}", "/headers/X Org"),
            ("{label: a, kind: simulated, headers: {X-Org: a, x-org: b}}", "/headers/x-org"),
            ("{label: a, kind: simulated, headers: {Host: a}}", "/headers/Host"),
            ("{label: a, kind: simulated, headers: {X-Org: \"a\\nb\"}}", "/headers/X-Org"),
            ("{label: a, kind: simulated, headers: {X-Org: ''}}", "/headers/X-Org"),
            ("{label: a, kind: simulated, timeout_s: -1}", "/timeout_s"),
            (
                "{label: a, kind: simulated, prices: {m: {input_per_million: -1, output_per_million: 0}}}",
                "/prices/m",
            ),
        ] {
            let document: EndpointDocument = serde_saphyr::from_str(endpoint).unwrap();
            let problems =
                document.into_endpoint(EndpointId::new(1), |text| Ok(text.to_owned())).unwrap_err();
            assert_eq!(problems[0].pointer, pointer, "{endpoint}");
        }
    }
}
