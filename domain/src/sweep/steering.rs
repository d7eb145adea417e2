//! What people may do with a sweep, and what makes it pause itself.

use std::fmt;

use super::{PauseReason, SweepStatus};

/// A wish that may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Begin nothing new. With `now` runs in progress give back what they have not called yet.
    Pause {
        /// Do not wait for the runs in progress.
        now: bool,
    },
    /// Go on.
    Resume,
    /// End it: calls in flight are stored, their runs are cancelled.
    Stop,
}

/// What can be done with a sweep, whatever its details.
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
    /// A call did not fit the budget, and nothing that is reserved can still be given back.
    BudgetExhausted,
    /// An endpoint refuses every call.
    EndpointBroken,
    /// It cannot go on before a person has looked: why, for people.
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

/// A change of status, to be stored whole and told to the world.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The new status.
    pub status: SweepStatus,
    /// Runs in progress are taken away from their workers, so that they can go on later.
    pub recall: bool,
    /// Every run that is not over ends.
    pub cancel: bool,
}

impl Transition {
    /// Only the status changes.
    pub const fn to(status: SweepStatus) -> Self {
        Self { status, recall: false, cancel: false }
    }
}

/// A command that does not fit the state.
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

    /// What a wish comes to.
    ///
    /// # Errors
    /// [`InvalidTransition`] where the status does not allow it.
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

    /// What an interruption comes to; `None` where the sweep does not run.
    #[must_use]
    pub fn interrupted(self, by: &Interruption) -> Option<Transition> {
        let paused = Transition { recall: true, ..Transition::to(Self::Paused(by.reason())) };
        (self == Self::Running).then_some(paused)
    }
}
