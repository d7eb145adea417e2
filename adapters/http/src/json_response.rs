//! JSON responses, written by serde.

use std::marker::PhantomData;

use application::ports::KeptAnswer;
use application::refusal::Refusal;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use crate::failure::Failure;

pub(crate) const JSON: &str = "application/json";

/// JSON with a status.
pub(crate) struct JsonResponse<T, const STATUS: u16 = 200> {
    body: String,
    of: PhantomData<fn() -> T>,
}

/// JSON of something that was created.
pub(crate) type Created<T> = JsonResponse<T, 201>;
/// JSON of something that was accepted and goes on.
pub(crate) type Accepted<T> = JsonResponse<T, 202>;

/// The answer of an operation, or a refusal.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl<T: Serialize, const STATUS: u16> JsonResponse<T, STATUS> {
    pub(crate) fn new(value: impl Into<T>) -> Result<Self> {
        let body = serde_json::to_string(&value.into()).map_err(|error| {
            tracing::error!(%error, "an answer cannot be written");
            Failure::internal()
        })?;
        Ok(Self { body, of: PhantomData })
    }

    /// The answer in the form in which it is stored for repeated requests.
    pub(crate) fn kept(value: impl Into<T>) -> std::result::Result<KeptAnswer, Refusal> {
        let written = serde_json::to_string(&value.into());
        let body =
            written.map_err(|error| Refusal::Unavailable(format!("an answer cannot be written: {error}")))?;
        Ok(KeptAnswer { status: STATUS, body })
    }
}

impl<T, const STATUS: u16> JsonResponse<T, STATUS> {
    /// An answer that was stored before.
    pub(crate) const fn again(body: String) -> Self {
        Self { body, of: PhantomData }
    }
}

impl<T, const STATUS: u16> IntoResponse for JsonResponse<T, STATUS> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
        let mut response = Response::builder().status(status).content_type(JSON).body(self.body);
        // Answers depend on the caller, so caches must not keep them.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

pub(crate) fn described(status: u16, content: Vec<MetaMediaType>) -> MetaResponses {
    let description = match status {
        201 => "It is made.",
        202 => "It has begun.",
        204 => "It is gone.",
        _ => "It is done.",
    };
    let response =
        MetaResponse { description, status: Some(status), status_range: None, content, headers: vec![] };
    MetaResponses { responses: vec![response] }
}

impl<T: Type, const STATUS: u16> ApiResponse for JsonResponse<T, STATUS> {
    fn meta() -> MetaResponses {
        described(STATUS, vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }])
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// One of two answers.
pub(crate) enum Either<A, B> {
    One(A),
    Other(B),
}

impl<A: IntoResponse, B: IntoResponse> IntoResponse for Either<A, B> {
    fn into_response(self) -> Response {
        match self {
            Self::One(one) => one.into_response(),
            Self::Other(other) => other.into_response(),
        }
    }
}

impl<A: ApiResponse, B: ApiResponse> ApiResponse for Either<A, B> {
    fn meta() -> MetaResponses {
        let mut meta = A::meta();
        meta.responses.extend(B::meta().responses);
        meta
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
        B::register(registry);
    }
}

/// An empty answer: the named thing was deleted.
pub(crate) struct Gone;

impl IntoResponse for Gone {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl ApiResponse for Gone {
    fn meta() -> MetaResponses {
        described(204, vec![])
    }

    fn register(_: &mut Registry) {}
}
