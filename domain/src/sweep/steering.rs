//! What people can do with a sweep, and what makes it pause itself.

use std::fmt;

use super::{PauseReason, SweepStatus};

/// A command, which can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Begin nothing new. With `now`, runs in progress are given back except for calls in flight.
    Pause {
        /// Do not wait for the runs in progress.
        now: bool,
    },
    /// Resume it.
    Resume,
    /// End it: calls in flight are stored, their runs are cancelled.
    Stop,
}

/// The kinds of command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepAction {
    /// See [`Command::Pause`].
    Pause,
    /// See [`Command::Resume`].
    Resume,
    /// See [`Command::Stop`].
    Stop,
}

impl Command {
    const fn verb(self) -> &'static str {
        match self {
            Self::Pause { .. } => "paused",
            Self::Resume => "resumed",
            Self::Stop => "stopped",
        }
    }
}

/// A fact that makes a running sweep pause itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interruption {
    /// A call did not fit the budget, and no reservation is left that could be released.
    BudgetExhausted,
    /// An endpoint refuses every call.
    EndpointBroken,
    /// It cannot continue until a person has decided or fixed something. The text says why.
    Stuck(String),
}

impl Interruption {
    const fn reason(&self) -> PauseReason {
        match self {
            Self::BudgetExhausted => PauseReason::Budget,
            Self::EndpointBroken => PauseReason::Endpoint,
            Self::Stuck(_) => PauseReason::Human,
        }
    }
}

/// A change of status, to be stored as a whole and announced.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The new status.
    pub status: SweepStatus,
    /// Runs in progress are taken from their workers, and continue later.
    pub recall: bool,
    /// Every run that has not ended is cancelled.
    pub cancel: bool,
}

impl Transition {
    /// A change of the status only.
    pub const fn to(status: SweepStatus) -> Self {
        Self { status, recall: false, cancel: false }
    }
}

/// A command that is not allowed in the current status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTransition {
    command: Command,
    status: SweepStatus,
}

impl fmt::Display for InvalidTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sweep that is {} cannot be {}", self.status.as_str(), self.command.verb())
    }
}

impl std::error::Error for InvalidTransition {}

impl SweepStatus {
    /// What can be done with the sweep now.
    #[must_use]
    pub const fn allowed(self) -> &'static [SweepAction] {
        match self {
            Self::Running => &[SweepAction::Pause, SweepAction::Stop],
            Self::Paused(_) => &[SweepAction::Resume, SweepAction::Stop],
            Self::Stopped | Self::Completed(_) => &[],
        }
    }

    /// The transition for a command.
    ///
    /// # Errors
    /// [`InvalidTransition`] if the status does not allow it.
    pub const fn command(self, command: Command) -> Result<Transition, InvalidTransition> {
        match (command, self) {
            (Command::Pause { now }, Self::Running) => {
                let status = Self::Paused(PauseReason::Manual);
                Ok(Transition { recall: now, ..Transition::to(status) })
            }
            (Command::Resume, Self::Paused(_)) => Ok(Transition::to(Self::Running)),
            (Command::Stop, Self::Running | Self::Paused(_)) => {
                Ok(Transition { cancel: true, ..Transition::to(Self::Stopped) })
            }
            (command, status) => Err(InvalidTransition { command, status }),
        }
    }

    /// The transition for an interruption; `None` if the sweep is not running.
    #[must_use]
    pub fn interrupted(self, by: &Interruption) -> Option<Transition> {
        let paused = Transition { recall: true, ..Transition::to(Self::Paused(by.reason())) };
        (self == Self::Running).then_some(paused)
    }
}
