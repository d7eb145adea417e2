//! Decides what a sweep does next; never does it.
//!
//! A [`Command`] of a person can be refused, an [`Interruption`] is a fact and cannot. Both give a [`Transition`] to
//! be stored. A [`Sweep`] plans what a running sweep evaluates: it gets [`SweepFact`]s and returns what comes
//! [`Next`].

mod limits;
mod plan;
mod steering;

pub use limits::{BudgetExhausted, SpentBudget, SweepLimits};
pub use plan::{Next, Plan, Sweep, SweepFact, TrialEnd};
pub use steering::{Command, Interruption, InvalidTransition, SweepAction, Transition};

use crate::strategy::Reason;
pub use crate::strategy::SweepKind;

/// Why a sweep is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PauseReason {
    /// A person paused it.
    Manual,
    /// A budget is used up.
    Budget,
    /// An endpoint refuses every call until a person fixes it.
    Endpoint,
    /// A person has to decide, or to fix something.
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

/// The status of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SweepStatus {
    /// Runs are created and executed.
    Running,
    /// Nothing new begins until a person resumes it.
    Paused(PauseReason),
    /// A person ended it.
    Stopped,
    /// It reached its own end.
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

    /// Whether it has ended.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Completed(_))
    }
}

#[cfg(test)]
mod tests;
