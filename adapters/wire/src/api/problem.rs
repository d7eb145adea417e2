//! Errors according to RFC 9457.

use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Object, JsonSchema)]
pub struct Problem {
    /// A URI for the kind of problem.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: String,
    /// The kind of problem, for people.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// What is wrong, and how to fix it.
    pub detail: String,
    /// The kind of problem, for programs; stable.
    pub code: String,
    /// Problems of single fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[oai(default)]
    pub errors: Vec<ProblemField>,
    /// The id of the request in the log.
    pub request_id: String,
}

/// A problem of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Object, JsonSchema)]
pub struct ProblemField {
    /// JSON pointer to the field in the request's body. Query parameters have pointers below `/query`.
    pub pointer: String,
    /// The kind of problem, for programs; stable.
    pub code: String,
    /// What is wrong, and how to fix it.
    pub detail: String,
}

impl From<domain::problem::Problem> for ProblemField {
    fn from(problem: domain::problem::Problem) -> Self {
        Self { pointer: problem.pointer, code: problem.code.to_owned(), detail: problem.detail }
    }
}
