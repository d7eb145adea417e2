//! The results of a run at its end.

use super::{RunError, RunStatus};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// How it ended.
    pub kind: EndKind,
    /// Mean score over its samples, if any has one.
    pub score: Option<f64>,
    /// The 95 % confidence interval of the score, where there are enough samples for one.
    pub interval: Option<(f64, f64)>,
    /// Samples with a score.
    pub n: u32,
    /// The totals of each scorer.
    pub scores: Vec<ScorerTotal>,
    /// Fewer than nine tenths of its samples have a score, so it cannot lead.
    pub partial: bool,
}

/// The ways in which a run ends.
#[derive(Debug, Clone, PartialEq)]
pub enum EndKind {
    /// Every sample was tried and some succeeded.
    Completed,
    /// Completed, and every call was answered from the cache.
    Cached,
    /// It was behind.
    Pruned,
    /// No sample succeeded, or it could not be executed; why, where that is known.
    Failed(Option<RunError>),
}

impl RunEnd {
    /// The run's status from now on.
    #[must_use]
    pub const fn status(&self) -> RunStatus {
        match self.kind {
            EndKind::Completed => RunStatus::Completed,
            EndKind::Cached => RunStatus::Cached,
            EndKind::Pruned => RunStatus::Pruned,
            EndKind::Failed(_) => RunStatus::Failed,
        }
    }

    /// Why it failed, if it failed.
    #[must_use]
    pub const fn error(&self) -> Option<&RunError> {
        match &self.kind {
            EndKind::Failed(error) => error.as_ref(),
            EndKind::Completed | EndKind::Cached | EndKind::Pruned => None,
        }
    }

    /// The end of a run that could not be executed.
    #[must_use]
    pub const fn failed(error: RunError) -> Self {
        Self {
            kind: EndKind::Failed(Some(error)),
            score: None,
            interval: None,
            n: 0,
            scores: Vec::new(),
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
