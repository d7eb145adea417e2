//! Why sweeps are not started or steered.

use domain::problem::Problem;
use domain::strategy::StartRefused;
use domain::sweep::{BudgetExhausted, InvalidTransition};
use thiserror::Error;

use crate::ports::StoreError;
use crate::refusal::{Refusal, Resource};

/// Why a sweep was not started or steered.
#[derive(Debug, Error)]
pub enum SweepError {
    /// There is no such experiment.
    #[error("there is no such experiment")]
    NoExperiment,
    /// There is no such sweep.
    #[error("there is no such sweep")]
    NoSweep,
    /// The space is too large for this sweep, or has no end.
    #[error(transparent)]
    Start(#[from] StartRefused),
    /// The experiment names what is not there.
    #[error("the experiment cannot run: {}", list(.0))]
    Problems(Vec<Problem>),
    /// The experiment has an active sweep already.
    #[error("the experiment has an active sweep already: stop it first")]
    Active,
    /// Others change the same, each time it is tried.
    #[error("others keep changing this: try again")]
    Busy,
    /// The sweep's state does not allow it.
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
    /// The sweep has used up its budget, and is not given a larger one.
    #[error(transparent)]
    Budget(#[from] BudgetExhausted),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl From<SweepError> for Refusal {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::NoExperiment => Self::NotFound(Resource::Experiment),
            SweepError::NoSweep => Self::NotFound(Resource::Sweep),
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
