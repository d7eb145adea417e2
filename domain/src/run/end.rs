//! What a run came to.

use super::{RunError, RunStatus};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// Completed, cached, pruned or failed.
    pub status: RunStatus,
    /// Mean score over its samples, if any has one.
    pub score: Option<f64>,
    /// The 95 % confidence interval of the score, where it can be said.
    pub interval: Option<(f64, f64)>,
    /// Samples with a score.
    pub n: u32,
    /// Each scorer's own totals.
    pub scores: Vec<ScorerTotal>,
    /// What went wrong, where it failed.
    pub error: Option<RunError>,
    /// Under nine tenths of its samples have a score, so that it cannot lead.
    pub partial: bool,
}

impl RunEnd {
    /// The end of a run that could not be executed.
    #[must_use]
    pub const fn failed(error: RunError) -> Self {
        Self {
            status: RunStatus::Failed,
            score: None,
            interval: None,
            n: 0,
            scores: Vec::new(),
            error: Some(error),
            partial: true,
        }
    }
}

/// One scorer over a run.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorerTotal {
    /// The entry's name.
    pub name: String,
    /// Mean over the samples that have a value.
    pub value: Option<f64>,
    /// Its 95 % confidence interval.
    pub interval: Option<(f64, f64)>,
    /// Samples with a value.
    pub n: u32,
    /// Samples on which the scorer failed.
    pub failed: u32,
}
