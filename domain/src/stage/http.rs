//! Stages that call a service of the user's own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{no_field, text};
use crate::header;
use crate::problem::segment;
use crate::service::{InvalidServiceUrl, ServiceOrigin};
use crate::space::Field;
use crate::template::TemplateTree;
use crate::value::Value;

const FIELDS: &str = "url";

/// Sends a POST request to a service; its output is the answer. URL and values of headers are templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpStage {
    /// The URL.
    pub url: String,
    /// The values of headers by their names.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: HttpBody,
    /// The JSON pointer to the output in the answer; the whole answer where absent.
    pub output: Option<String>,
    /// How long an exchange may take, in whole seconds.
    pub timeout_s: u32,
    /// Whether equal calls share their answer.
    pub cache: bool,
}

/// The body of a stage's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpBody {
    /// `{input, output, context}`: the sample's input, the previous stage's output, and `{params, stages, meta}`. It never
    /// holds the reference.
    Standard,
    /// A text: a template.
    Text(String),
    /// JSON whose texts are templates.
    Json(Value),
}

impl HttpBody {
    /// The body as documents write it: a text, or JSON that is none; the standard one where absent.
    #[must_use]
    pub fn of_value(value: Option<Value>) -> Self {
        match value {
            None => Self::Standard,
            Some(Value::Text(source)) => Self::Text(source),
            Some(value) => Self::Json(value),
        }
    }

    /// As [`of_value`](Self::of_value) reads it.
    #[must_use]
    pub fn to_value(&self) -> Option<Value> {
        match self {
            Self::Standard => None,
            Self::Text(source) => Some(Value::from(source.as_str())),
            Self::Json(value) => Some(value.clone()),
        }
    }
}

impl HttpStage {
    /// The shortest and the longest time that an exchange may be given, in seconds.
    pub const TIMEOUTS_S: std::ops::RangeInclusive<u32> = 1..=600;
    /// The time that it is given where nothing else is said, in seconds.
    pub const DEFAULT_TIMEOUT_S: u32 = 30;

    /// How long an exchange may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.into())
    }

    pub(super) fn set(&mut self, field: &Field, value: &Value) -> Result<(), String> {
        match field {
            Field::Url => {
                let url = text(value)?;
                check_url(&url).map_err(|error| error.to_string())?;
                self.url = url;
            }
            field => return Err(no_field("an http", field, FIELDS)),
        }
        Ok(())
    }

    /// Its templates with their places.
    pub(super) fn templates(&self) -> Vec<(String, &str)> {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (format!("/headers/{}", segment(name)), value.as_str()));
        let mut templates = vec![("/url".to_owned(), self.url.as_str())];
        templates.extend(headers);
        match &self.body {
            HttpBody::Standard => {}
            HttpBody::Text(source) => templates.push(("/body".to_owned(), source)),
            HttpBody::Json(value) => TemplateTree::find(value, "/body".to_owned(), &mut templates),
        }
        templates
    }

    /// Its fields as documents write them, without absent and empty ones.
    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        let fields = [
            ("url", Some(Value::from(self.url.as_str()))),
            ("headers", (!self.headers.is_empty()).then(|| Value::Map(headers.collect()))),
            ("body", self.body.to_value()),
            ("output", self.output.as_deref().map(Value::from)),
            ("timeout_s", (self.timeout_s != Self::DEFAULT_TIMEOUT_S).then(|| Value::from(self.timeout_s))),
            ("cache", (!self.cache).then_some(Value::Bool(false))),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Checks a URL as far as its templates allow: what comes before the first one is known.
///
/// # Errors
/// Why it is no URL of a service, whatever its templates give.
pub fn check_url(source: &str) -> Result<(), InvalidServiceUrl> {
    if !TemplateTree::is_template(source) {
        return ServiceOrigin::parse(source.trim()).map(drop);
    }
    let known = &source[..source.find(['{']).unwrap_or(source.len())];
    let Some((_, rest)) = known.split_once("://") else { return Ok(()) };
    match ServiceOrigin::parse(known.trim_start()) {
        Err(InvalidServiceUrl::Host | InvalidServiceUrl::Port) if !rest.contains(['/', '?', '#']) => Ok(()),
        parsed => parsed.map(drop),
    }
}

/// Checks the value of a header, where no template decides it.
///
/// # Errors
/// What it can be.
pub fn check_header_value(source: &str) -> Result<(), String> {
    if TemplateTree::is_template(source) { Ok(()) } else { header::check_value(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_checked_as_far_as_it_is_known() {
        for (url, expected) in [
            ("http://h:9000/a", Ok(())),
            ("ftp://h", Err(InvalidServiceUrl::Scheme)),
            ("http://u:p@h", Err(InvalidServiceUrl::UserInfo)),
            ("{{ params.base }}/rank", Ok(())),
            ("http://{{ params.host }}/rank", Ok(())),
            ("http://h:{{ params.port }}/", Ok(())),
            ("http://h/{{ params.path }}", Ok(())),
            ("ftp://h/{{ params.path }}", Err(InvalidServiceUrl::Scheme)),
            ("http://u:p@h/{{ params.path }}", Err(InvalidServiceUrl::UserInfo)),
            ("http:///{{ params.path }}", Err(InvalidServiceUrl::Host)),
        ] {
            assert_eq!(check_url(url), expected, "{url}");
        }
    }
}
