//! A service of the user's own that judges outputs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::options::Options;
use super::{Judgement, Score, ScorerError};
use crate::call::{HttpCall, RequestBody};
use crate::header;
use crate::secret::Secret;
use crate::service::ServiceOrigin;
use crate::value::{Map, Value};

/// Seconds that a service may take where nothing else is said, and at most.
const DEFAULT_TIMEOUT: u64 = 10;
const MAX_TIMEOUT: u64 = 600;

/// A service that is sent `{input, output, context}` and answers `{score, …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceScorer {
    /// Its address.
    pub url: String,
    /// Headers of the request.
    pub headers: BTreeMap<String, String>,
    /// How long it may take, in seconds, from 1.
    pub timeout_s: u64,
}

impl ServiceScorer {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        let url = options.required_text("url");
        if let Some(url) = url.as_ref().filter(|_| !options.may_come(&["url"]))
            && let Err(error) = ServiceOrigin::parse(url)
        {
            options.wrong("url", "wrong_value", error.to_string());
        }
        let headers = Self::headers(options);
        let timeout_s = options.positive_count("timeout_s").unwrap_or(DEFAULT_TIMEOUT);
        if timeout_s > MAX_TIMEOUT {
            options.wrong("timeout_s", "out_of_range", format!("is at most {MAX_TIMEOUT} seconds"));
        }
        Some(Self { url: url?, headers, timeout_s })
    }

    fn headers(options: &mut Options<'_>) -> BTreeMap<String, String> {
        let Some(value) = options.value("headers") else { return BTreeMap::new() };
        let texts = value.as_map().map(|headers| {
            headers.iter().map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_text()?.to_owned())))
        });
        let headers: Option<BTreeMap<_, _>> = texts.and_then(Iterator::collect);
        let Some(headers) = headers else {
            options.wrong(
                "headers",
                "wrong_value",
                format!("takes headers with texts as values, not {value}"),
            );
            return BTreeMap::new();
        };
        for (name, value) in &headers {
            // A template may give any value.
            let value = options.rendered_text(value).unwrap_or("x");
            let given = if value == Secret::MASK { Err(header::NOT_KEPT.to_owned()) } else { Ok(()) };
            if let Err(wrong) = header::check_name(name).and(header::check_value(value)).and(given) {
                options.wrong("headers", "wrong_value", format!("`{name}`: {wrong}"));
            }
        }
        headers
    }

    /// The request for a judgement of an output. It is made anew each time that a run is scored.
    ///
    /// # Errors
    /// Its URL or a header makes no sense.
    pub fn call(&self, output: &Value, context: Map) -> Result<HttpCall, ScorerError> {
        let origin = ServiceOrigin::parse(&self.url);
        let origin = origin.map_err(|error| ScorerError::new(format!("option `url`: {error}")))?;
        let mut headers = BTreeMap::new();
        for (name, value) in &self.headers {
            let checked = header::check_name(name).and_then(|()| header::check_value(value));
            checked.map_err(|wrong| ScorerError::new(format!("header `{name}`: {wrong}")))?;
            headers.insert(name.clone(), Secret::new(value.clone()));
        }
        let input = context.get("vars").cloned().unwrap_or_default();
        let body =
            Value::from([("input", input), ("output", output.clone()), ("context", Value::Map(context))]);
        Ok(HttpCall {
            origin,
            url: self.url.clone(),
            headers,
            body: RequestBody::Json(body),
            timeout: Duration::from_secs(self.timeout_s),
            repeat: 1,
            shared: false,
        })
    }

    /// The judgement that an answer gives: its `score`, with the rest as details.
    ///
    /// # Errors
    /// There is no `score`, or it is not a number from 0 to 1.
    pub fn judgement(&self, answer: Option<Value>) -> Result<Judgement, ScorerError> {
        let Some(Value::Map(mut fields)) = answer else {
            return Err(ScorerError::new("the service answered no JSON object with a `score`"));
        };
        let score = fields.remove("score");
        let Some(number) = score.as_ref().and_then(Value::as_number) else {
            return Err(ScorerError::new("the service's answer has no number as `score`"));
        };
        let value = Score::try_new(number.as_f64());
        let value = value.map_err(|error| ScorerError::new(format!("the service's answer: {error}")))?;
        Ok(Judgement { value, metadata: fields })
    }
}
