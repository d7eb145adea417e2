//! Why a use case did not do what it was asked, in the terms of whoever asked.

use std::time::Duration;

use domain::access::Forbidden;
use domain::problem::Problem;
use thiserror::Error;

use crate::experiments::ExperimentError;
use crate::exports::ExportError;
use crate::leaderboard::LeaderboardError;
use crate::ports::StoreError;
use crate::sweeps::SweepError;

/// Why nothing was done. A request that is refused has changed nothing.
#[derive(Debug, Error)]
pub enum Refusal {
    /// What it names is not there.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The state of things does not allow it now.
    #[error("{detail}")]
    Conflict {
        /// The stable word for what is in the way.
        code: &'static str,
        /// What is in the way, and what to do about it.
        detail: String,
    },
    /// Something in it does not make sense.
    #[error("the request has {} problem(s)", .0.len())]
    Invalid(Vec<Problem>),
    /// Whoever asks may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Nobody knows who asks.
    #[error("{detail}")]
    Unauthorized {
        /// The stable word for the reason.
        code: &'static str,
        /// What to do about it.
        detail: &'static str,
    },
    /// There were too many failed attempts.
    #[error("too many failed attempts: try again in {} seconds", .0.as_secs().max(1))]
    TooMany(Duration),
    /// Something inside failed; the same may work later.
    #[error("{0}")]
    Unavailable(String),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// The state of things does not allow it now.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }

    /// One thing does not make sense.
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(pointer, code, detail)])
    }
}

impl From<SweepError> for Refusal {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::NoExperiment => Self::NotFound("experiment"),
            SweepError::NoSweep => Self::NotFound("sweep"),
            SweepError::Start(refused) => Self::invalid("/max_runs", "space_too_large", refused.to_string()),
            SweepError::Problems(problems) => Self::Invalid(problems),
            active @ SweepError::Active => Self::conflict("sweep_active", active.to_string()),
            busy @ SweepError::Busy => Self::conflict("conflict", busy.to_string()),
            SweepError::Budget(exhausted) => Self::conflict("budget_exhausted", exhausted.to_string()),
            SweepError::Transition(refused) => Self::conflict("invalid_transition", refused.to_string()),
            SweepError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ExperimentError> for Refusal {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::Problems(problems) => Self::Invalid(problems),
            ExperimentError::Store(error) => Self::Store(error),
        }
    }
}

impl From<LeaderboardError> for Refusal {
    fn from(error: LeaderboardError) -> Self {
        match error {
            LeaderboardError::NoExperiment => Self::NotFound("experiment"),
            LeaderboardError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ExportError> for Refusal {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NoExperiment => Self::NotFound("experiment"),
            ExportError::NoRun(_) => Self::NotFound("run"),
            winner @ ExportError::NoWinner => Self::conflict("no_winner", winner.to_string()),
            ExportError::Configuration(problem) => Self::Invalid(vec![problem]),
            ExportError::Store(error) => Self::Store(error),
        }
    }
}
