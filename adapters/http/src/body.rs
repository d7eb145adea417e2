//! Bodies of requests: JSON, read by serde, with a pointer for each error.

use std::io;

use application::digest::sha256;
use application::json::strict::{self, JsonError};
use domain::call::Digest;
use domain::problem::{Problem, nul};
use hyper::body::Bytes;
use poem::error::ReadBodyError;
use poem::http::StatusCode;
use poem::{Request, RequestBody, Result};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde::de::DeserializeOwned;
use wire::json::{self, Refusal};

use crate::failure::Failure;
use crate::offload::work_on;

pub(crate) const MIB: usize = 1 << 20;

/// A body of at most `LIMIT` MiB. An empty one is read as `{}`.
pub(crate) struct Body<T, const LIMIT: usize = 1> {
    pub(crate) value: T,
    /// The SHA-256 of its text.
    pub(crate) digest: Digest,
    /// The length of its text in bytes.
    pub(crate) size: usize,
}

impl<'a, T: Type + DeserializeOwned + Send + 'static, const LIMIT: usize> ApiExtractor<'a>
    for Body<T, LIMIT>
{
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content_type = "application/json";
        let content = vec![MetaMediaType { content_type, schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let bytes = bytes(body, LIMIT * MIB, LIMIT).await?;
        let size = bytes.len();
        if size == 0 {
            return Ok(parse("{}")?);
        }
        if !request.content_type().is_some_and(Json::<Nothing>::check_content_type) {
            return Err(Failure::unsupported().into());
        }
        let read = move || {
            let text = std::str::from_utf8(&bytes).map_err(|_| broken("the body is not UTF-8"))?;
            parse(text)
        };
        Ok(work_on(size, read).await?)
    }
}

/// Reads a body of at most `limit` bytes. `told` is the limit in MiB that the error names.
pub(crate) async fn bytes(body: &mut RequestBody, limit: usize, told: usize) -> Result<Bytes> {
    let bytes = body.take()?.into_bytes_limit(limit).await.map_err(|error| match error {
        ReadBodyError::PayloadTooLarge => too_large(told),
        ReadBodyError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            let detail = "the rest of the body did not come in time";
            Failure::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", detail)
        }
        error => Failure::new(StatusCode::BAD_REQUEST, "broken_body", error.to_string()),
    })?;
    Ok(bytes)
}

/// The body, or a file in it, exceeds a limit in MiB.
pub(crate) fn too_large(limit: usize) -> Failure {
    let detail = format!("the body is larger than {limit} MiB");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

/// A body type for operations of which only the media type matters.
type Nothing = bool;

fn broken(detail: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "broken_json", detail)
}

/// The escape of U+0000, the only way in which JSON can hold it.
const NUL: &str = "\\u0000";

/// Refuses texts that PostgreSQL cannot store.
fn check_texts(text: &str) -> Result<(), Failure> {
    if !text.contains(NUL) {
        return Ok(());
    }
    let value = strict::parse(text).map_err(refused)?;
    let mut found = Vec::new();
    nul(&value, "", &mut found);
    if found.is_empty() { Ok(()) } else { Err(Failure::invalid(found)) }
}

fn refused(error: JsonError) -> Failure {
    if error.is_syntax {
        return broken(format!("the body is not JSON: {error}"));
    }
    Failure::invalid(vec![Problem::new(error.pointer, "ambiguous", error.detail)])
}

fn parse<T: DeserializeOwned, const LIMIT: usize>(text: &str) -> Result<Body<T, LIMIT>, Failure> {
    check_texts(text)?;
    let value = json::read(text).map_err(|refusal| match refusal {
        Refusal::Syntax(error) => broken(format!("the body is not JSON: {error}")),
        Refusal::Value { pointer, code, detail, .. } => {
            Failure::invalid(vec![Problem::new(pointer, code, detail)])
        }
    })?;
    Ok(Body { value, digest: sha256(text), size: text.len() })
}

#[cfg(test)]
mod tests {
    use wire::api::{Credentials, ExperimentDraft};

    use super::*;

    fn refused<T: DeserializeOwned>(text: &str) -> (u16, String) {
        let Err(failure) = parse::<T, 1>(text) else { panic!("{text} was read") };
        let answer = failure.respond("r");
        let told = futures::executor::block_on(answer.into_body().into_string()).unwrap();
        let problem: wire::api::Problem = serde_json::from_str(&told).unwrap();
        (problem.status, problem.errors.first().map(|error| error.pointer.clone()).unwrap_or_default())
    }

    #[test]
    fn problems_have_their_places() {
        for (text, status, pointer) in [
            ("{", 400, ""),
            ("{} {}", 400, ""),
            (r#"{"username": "a", "password": 1}"#, 422, "/password"),
            (r#"{"username": "a"}"#, 422, "/password"),
            (r#"{"username": "a", "password": "b", "pin": 1}"#, 422, "/pin"),
            (r#"{"username": "a", "password": "b", "password": "c"}"#, 422, "/password"),
            (r#"{"username": "a", "password": 123456789012345678901}"#, 422, "/password"),
            (r#"{"username": "a", "password": "b"} x"#, 400, ""),
            (r#"{"username": "a", "password": "b\u0000"}"#, 422, "/password"),
            (r#"{"username": "a", "password": "b\\u0000", "pin": 1}"#, 422, "/pin"),
        ] {
            assert_eq!(refused::<Credentials>(text), (status, pointer.to_owned()), "{text}");
        }
        let draft = |space: &str| {
            format!(
                r#"{{"project_id": "018f4e3a-7b1c-7e65-9d8a-0123456789ab", "name": "x", "pipeline_stages": [],
                    "scoring_config": [], "parameter_space": {{"a/b": {space}}}}}"#
            )
        };
        assert_eq!(
            refused::<ExperimentDraft>(&draft(r#"{"type": "int", "low": "x"}"#)),
            (422, "/parameter_space/a~1b/low".to_owned())
        );
        assert_eq!(
            refused::<ExperimentDraft>(&draft(r#"{"low": 1}"#)),
            (422, "/parameter_space/a~1b/type".to_owned())
        );
    }
}
