//! Why samples and runs failed.

use application::failures;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::Serialize;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum FailureScope {
    /// Samples; each repetition counts.
    Samples,
    /// Whole runs.
    Runs,
}

/// Failures with the same kind of error at the same stage.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct FailureGroup {
    /// The stable word for the kind of error.
    pub kind: String,
    /// The stage that failed, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// What is counted.
    pub of: FailureScope,
    /// The number of failures.
    pub count: u64,
    /// The most frequent message.
    pub example: String,
}

/// Why samples and runs failed, the most frequent reason first.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Failures {
    /// A group for each kind of error and stage.
    pub items: Vec<FailureGroup>,
}

impl From<failures::FailureGroup> for FailureGroup {
    fn from(group: failures::FailureGroup) -> Self {
        let of = if group.of_runs { FailureScope::Runs } else { FailureScope::Samples };
        Self {
            kind: group.kind.as_str().to_owned(),
            stage: group.stage,
            of,
            count: group.count,
            example: group.example,
        }
    }
}
