//! Refusals of requests, as HTTP answers.

use application::refusal::Refusal;
use domain::problem::{Problem as Found, segment};
use poem::error::{MethodNotAllowedError, NotFoundError, ResponseError};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Error, IntoResponse as _, Response};
use poem_openapi::ApiResponse;
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type as _;
use wire::api::{Problem, ProblemField};

const MEDIA_TYPE: &str = "application/problem+json";

/// A request that was refused.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<ProblemField>,
    retry_after: Option<u64>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// A refusal because of single fields.
    pub(crate) fn invalid(problems: Vec<Found>) -> Self {
        let detail = match problems.as_slice() {
            [only] => only.to_string(),
            several => format!("{} things are wrong: see `errors`", several.len()),
        };
        let errors = problems.into_iter().map(ProblemField::from).collect();
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
    }

    /// A refusal because of one problem, which gives it its code.
    pub(crate) fn of_problem(problem: Found) -> Self {
        Self { code: problem.code, ..Self::invalid(vec![problem]) }
    }

    /// A refusal because of a field of the body.
    pub(crate) fn field(name: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Found::new(format!("/{}", segment(name)), code, detail)])
    }

    /// A refusal because of a parameter of the query.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Found::new(format!("/query/{name}"), "invalid_parameter", detail)])
    }

    /// A refusal because the caller is not authenticated.
    pub(crate) fn unauthorized() -> Self {
        let advice = "log in, or send an API key as `Authorization: Bearer <key>`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", advice)
    }

    /// Converts an error of the framework.
    pub(crate) fn of(error: Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(failure) => return failure,
            Err(error) => error,
        };
        if let Some(wrong) = error.downcast_ref::<ParseParamError>() {
            return Self::parameter(wrong.name, wanted(&wrong.reason));
        }
        if error.is::<ParsePathError>() {
            return Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing with this id");
        }
        if error.is::<NotFoundError>() {
            return Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address");
        }
        if error.is::<MethodNotAllowedError>() {
            let detail = "this address takes other methods";
            return Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        }
        if error.is::<ContentTypeError>() {
            return Self::unsupported();
        }
        let status = error.status();
        if status.is_server_error() {
            tracing::error!(%error, "a request failed");
            return Self::internal();
        }
        Self { status, ..Self::new(status, "refused", error.to_string()) }
    }

    pub(crate) fn unsupported() -> Self {
        let detail = "send JSON, with `Content-Type: application/json`";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    pub(crate) fn internal() -> Self {
        let detail = "something went wrong inside: the log has it under this request's id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The answer.
    pub(crate) fn respond(self, request_id: &str) -> Response {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Refused").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            errors: self.errors,
            request_id: request_id.to_owned(),
        };
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let mut response = Response::builder().status(self.status).content_type(MEDIA_TYPE).body(body);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::REQUEST_TIMEOUT {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What a parameter takes, without the framework's own words about types.
pub(crate) fn wanted(reason: &str) -> String {
    const KINDS: [(&str, &str); 2] = [
        ("\"integer(", "takes a whole number, not below 0"),
        ("\"string_uuid\"", "takes an id, as other answers give it"),
    ];
    let known = KINDS.iter().find(|(sign, _)| reason.contains(sign));
    let number = reason.contains("\"number_").then_some("takes a number");
    // Messages of our own types follow the name of the type.
    let own = reason.split_once("\": ").map_or(reason, |(_, told)| told);
    known.map(|(_, told)| *told).or(number).unwrap_or(own).to_owned()
}

impl ResponseError for Failure {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        self.status.into_response()
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            Refusal::Conflict { code, .. } => Self::new(StatusCode::CONFLICT, code, detail),
            Refusal::Invalid(problems) => Self::invalid(problems),
            Refusal::Unprocessable { code, .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail),
            Refusal::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, "forbidden", detail),
            Refusal::Unauthorized { code, .. } => Self::new(StatusCode::UNAUTHORIZED, code, detail),
            Refusal::TooMany(wait) => {
                let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail);
                Self { retry_after: Some(wait.as_secs().max(1)), ..failure }
            }
            Refusal::Unavailable(_) | Refusal::Store(_) => {
                tracing::error!(detail, "a request failed");
                let told = "the database does not answer as it should: try again, and see the log";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", told)
            }
        }
    }
}

/// Converts an error of a use case.
pub(crate) fn refused(error: impl Into<Refusal>) -> Failure {
    Failure::from(error.into())
}

/// The same for errors whose pointers refer to the query.
pub(crate) fn wrong_query(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Invalid(found) => {
            Failure::invalid(found.into_iter().map(|problem| problem.under("/query")).collect())
        }
        other => Failure::from(other),
    }
}

/// The statuses of refusals that every operation can answer with.
const STATUSES: [(u16, &str); 11] = [
    (400, "The body cannot be read."),
    (401, "Nobody is logged in."),
    (403, "Who is logged in may not do this."),
    (404, "What it names is not there."),
    (409, "The state of things does not allow it."),
    (413, "The body is too large."),
    (415, "The body is of another type than this operation takes."),
    (422, "Something in the request makes no sense; `errors` says what, and where."),
    (429, "There were too many failed attempts."),
    (500, "Something went wrong inside."),
    (503, "The database does not answer."),
];

impl ApiResponse for Failure {
    fn meta() -> MetaResponses {
        let response = |(status, description)| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: MEDIA_TYPE, schema: Problem::schema_ref() }],
            headers: vec![],
        };
        MetaResponses { responses: STATUSES.into_iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}
