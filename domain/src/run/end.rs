//! The results of a run at its end.

use super::{RunError, RunStatus};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// Completed, cached, pruned or failed.
    pub status: RunStatus,
    /// Mean score over its samples, if any has one.
    pub score: Option<f64>,
    /// The 95 % confidence interval of the score, where there are enough samples for one.
    pub interval: Option<(f64, f64)>,
    /// Samples with a score.
    pub n: u32,
    /// The totals of each scorer.
    pub scores: Vec<ScorerTotal>,
    /// Why it failed, if it failed.
    pub error: Option<RunError>,
    /// Fewer than nine tenths of its samples have a score, so it cannot lead.
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

/// The totals of one scorer.
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
