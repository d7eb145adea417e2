//! Why samples and runs failed.

use application::failures;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::Serialize;

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum FailureScope {
    /// Samples; each repetition counts.
    Samples,
    /// Whole runs.
    Runs,
}

/// What failed with one kind of error, at one stage.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct FailureGroup {
    /// The stable word for the kind of error.
    pub kind: String,
    /// The stage, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// What is counted.
    pub of: FailureScope,
    /// How many failed.
    pub count: u64,
    /// What happened, as it was said most often.
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
