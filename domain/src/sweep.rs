//! Decides what a sweep does next; never does it.
//!
//! A [`Command`] is somebody's wish and may be refused, an [`Interruption`] is a fact and may not: both give the
//! [`Transition`] that is to be stored. [`Sweep`] plans what a running sweep evaluates: it is told [`SweepFact`]s and
//! answers with what comes [`Next`].

mod limits;
mod plan;
mod steering;

pub use limits::{BudgetExhausted, SpentBudget, SweepLimits};
pub use plan::{Next, Plan, Sweep, SweepFact, TrialEnd};
pub use steering::{Command, Interruption, InvalidTransition, SweepAction, Transition};

use crate::strategy::Reason;
pub use crate::strategy::SweepKind;

/// Why a sweep waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PauseReason {
    /// Somebody paused it.
    Manual,
    /// A budget is used up.
    Budget,
    /// An endpoint refuses every call until somebody mends it.
    Endpoint,
    /// A person is needed: somebody was asked, or it cannot go on as it is.
    Human,
}

impl PauseReason {
    /// Every reason there is.
    pub const ALL: [Self; 4] = [Self::Manual, Self::Budget, Self::Endpoint, Self::Human];

    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Budget => "budget",
            Self::Endpoint => "endpoint",
            Self::Human => "human",
        }
    }

    /// The reason with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// Where a sweep stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SweepStatus {
    /// Runs are made and executed.
    Running,
    /// Nothing new begins until somebody resumes it.
    Paused(PauseReason),
    /// Somebody ended it.
    Stopped,
    /// It came to its own end.
    Completed(Reason),
}

impl SweepStatus {
    /// The stable word for it, without its reason.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused(_) => "paused",
            Self::Stopped => "stopped",
            Self::Completed(_) => "completed",
        }
    }

    /// Whether it has come to an end.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Completed(_))
    }
}

#[cfg(test)]
mod tests;
