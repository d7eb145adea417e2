//! Decides what a sweep does next; never does it.
//!
//! Two doors: a [`Command`] is somebody's wish and may be refused, an [`Outcome`] is a fact and may not. Both answer
//! with the [`Action`]s that follow, which the caller carries out and reports back as outcomes.

use std::fmt;

use crate::strategy::{Ask, Reason, Work};

/// How a sweep chooses its configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SweepKind {
    /// Every combination.
    Grid {
        /// In a seeded order rather than the space's own.
        shuffle: bool,
    },
    /// Seeded sampling.
    Random,
}

impl SweepKind {
    /// The word for it in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grid { .. } => "grid",
            Self::Random => "random",
        }
    }
}

/// What a sweep may use up. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepLimits {
    /// Runs.
    pub max_runs: Option<u64>,
    /// Tokens paid, prompts and answers together.
    pub max_tokens: Option<u64>,
    /// Money paid.
    pub max_cost: Option<crate::money::NanoDollars>,
}

impl SweepLimits {
    /// Whether calls must be reserved against a budget before they are made.
    #[must_use]
    pub const fn is_budgeted(&self) -> bool {
        self.max_tokens.is_some() || self.max_cost.is_some()
    }
}

/// Why a sweep waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PauseReason {
    /// Somebody paused it.
    Manual,
    /// A budget is used up.
    Budget,
    /// An endpoint refuses every call until somebody mends it.
    Endpoint,
    /// A person was asked.
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

impl Command {
    const fn verb(self) -> &'static str {
        match self {
            Self::Pause { .. } => "paused",
            Self::Resume => "resumed",
            Self::Stop => "stopped",
        }
    }
}

/// A fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The strategy answered.
    Asked(Ask),
    /// Launched work turned out to be configurations that the sweep has already.
    Duplicates(u64),
    /// Runs came to their end, of which some failed.
    Ended {
        /// How many.
        runs: u64,
        /// How many of those failed.
        failed: u64,
    },
    /// A call did not fit the budget, and nothing that is reserved can still be given back.
    BudgetExhausted,
    /// An endpoint refuses every call.
    EndpointBroken,
}

/// What follows. Leaving one out loses work.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Ask the strategy for this much more.
    Ask {
        /// At most so many trials.
        want: usize,
    },
    /// Make runs of these.
    Launch(Vec<Work>),
    /// Store the new status and tell the world.
    Move(SweepStatus),
    /// Take the runs in progress away from their workers, so that they can go on later.
    Recall,
    /// End every run that is not over.
    Cancel,
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

/// The state of a sweep, small enough to be rebuilt from its stored row at any moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    status: SweepStatus,
    window: u64,
    asked: u64,
    duplicates: u64,
    ended: u64,
    failed: u64,
    exhausted: Option<Reason>,
}

/// What is stored of a sweep's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Trials that the strategy was asked for and that were launched.
    pub asked: u64,
    /// Those that were configurations the sweep had already.
    pub duplicates: u64,
    /// Runs that came to their end.
    pub ended: u64,
    /// Those of them that failed.
    pub failed: u64,
}

impl Sweep {
    /// The sweep with this status and progress; at most `window` runs are open at once (at least 1).
    #[must_use]
    pub fn new(status: SweepStatus, counts: Counts, window: u64) -> Self {
        Self {
            status,
            window: window.max(1),
            asked: counts.asked,
            duplicates: counts.duplicates,
            ended: counts.ended,
            failed: counts.failed,
            exhausted: None,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> SweepStatus {
        self.status
    }

    /// Trials launched so far.
    #[must_use]
    pub const fn asked(&self) -> u64 {
        self.asked
    }

    /// Runs that are made and not over.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.asked.saturating_sub(self.duplicates).saturating_sub(self.ended)
    }

    /// The commands that would be taken now, in the words of documents.
    #[must_use]
    pub const fn allowed(status: SweepStatus) -> &'static [&'static str] {
        match status {
            SweepStatus::Running => &["pause", "stop"],
            SweepStatus::Paused(_) => &["resume", "stop"],
            SweepStatus::Stopped | SweepStatus::Completed(_) => &[],
        }
    }

    /// What to do first: after a start, or when another process takes over.
    pub fn begin(&mut self) -> Vec<Action> {
        self.go_on()
    }

    /// Carries out a wish.
    ///
    /// # Errors
    /// [`InvalidTransition`] where the state does not allow it; nothing has changed then.
    pub fn command(&mut self, command: Command) -> Result<Vec<Action>, InvalidTransition> {
        match (command, self.status) {
            (Command::Pause { now }, SweepStatus::Running) => {
                let mut actions = self.moved(SweepStatus::Paused(PauseReason::Manual));
                actions.extend(now.then_some(Action::Recall));
                Ok(actions)
            }
            (Command::Resume, SweepStatus::Paused(_)) => {
                let mut actions = self.moved(SweepStatus::Running);
                actions.extend(self.go_on());
                Ok(actions)
            }
            (Command::Stop, SweepStatus::Running | SweepStatus::Paused(_)) => {
                let mut actions = self.moved(SweepStatus::Stopped);
                actions.push(Action::Cancel);
                Ok(actions)
            }
            (command, status) => Err(InvalidTransition { command, status }),
        }
    }

    /// Takes note of a fact.
    pub fn observe(&mut self, outcome: Outcome) -> Vec<Action> {
        match outcome {
            Outcome::Asked(ask) => return self.answered(ask),
            Outcome::Duplicates(n) => self.duplicates = self.duplicates.saturating_add(n).min(self.asked),
            Outcome::Ended { runs, failed } => {
                self.ended = self.ended.saturating_add(runs).min(self.asked);
                self.failed = self.failed.saturating_add(failed).min(self.ended);
            }
            Outcome::BudgetExhausted => return self.pause_itself(PauseReason::Budget),
            Outcome::EndpointBroken => return self.pause_itself(PauseReason::Endpoint),
        }
        self.go_on()
    }

    /// An answer that comes while nothing may begin is dropped: strategies are functions of what was launched, so the
    /// same answer comes again.
    fn answered(&mut self, ask: Ask) -> Vec<Action> {
        if self.status != SweepStatus::Running {
            return Vec::new();
        }
        match ask {
            Ask::Evaluate(mut work) => {
                work.truncate(self.room());
                self.asked += work.len() as u64;
                if work.is_empty() { Vec::new() } else { vec![Action::Launch(work)] }
            }
            Ask::Wait => Vec::new(),
            Ask::Done(reason) => {
                self.exhausted = Some(reason);
                self.go_on()
            }
        }
    }

    fn go_on(&mut self) -> Vec<Action> {
        match (self.status, self.exhausted) {
            (SweepStatus::Running, Some(reason)) if self.open() == 0 => {
                let reason =
                    if self.ended > 0 && self.failed == self.ended { Reason::AllFailed } else { reason };
                self.moved(SweepStatus::Completed(reason))
            }
            (SweepStatus::Running, None) if self.room() > 0 => vec![Action::Ask { want: self.room() }],
            _ => Vec::new(),
        }
    }

    /// How many more runs may be open.
    fn room(&self) -> usize {
        usize::try_from(self.window.saturating_sub(self.open())).unwrap_or(usize::MAX)
    }

    fn pause_itself(&mut self, reason: PauseReason) -> Vec<Action> {
        if self.status != SweepStatus::Running {
            return Vec::new();
        }
        let mut actions = self.moved(SweepStatus::Paused(reason));
        actions.push(Action::Recall);
        actions
    }

    fn moved(&mut self, status: SweepStatus) -> Vec<Action> {
        self.status = status;
        vec![Action::Move(status)]
    }
}

#[cfg(test)]
mod tests;
