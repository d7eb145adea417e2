//! Runs: one configuration evaluated on the samples.

mod end;
mod error;
mod origins;
mod state;
pub mod tally;

use std::fmt;

pub use end::{EndKind, RunEnd, ScorerTotal};
pub use error::{ErrorKind, RunError, StageError};
pub use origins::Origins;
pub use state::RunState;

use crate::id::RunId;

/// The status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// No worker executes it.
    Pending,
    /// From the first claim to the end.
    Running,
    /// Every sample was tried and some succeeded.
    Completed,
    /// No sample succeeded, or it could not be executed.
    Failed,
    /// Completed, and every call was answered from the cache.
    Cached,
    /// Ended early because it was behind.
    Pruned,
    /// Ended by a person.
    Cancelled,
}

impl RunStatus {
    /// Every status there is.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cached,
        Self::Pruned,
        Self::Cancelled,
    ];

    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cached => "cached",
            Self::Pruned => "pruned",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether the leaderboard may show it.
    #[must_use]
    pub const fn is_ranked(self) -> bool {
        matches!(self, Self::Completed | Self::Cached | Self::Pruned)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The place that a call is made for. The first place that requests a call pays for it; for other places the result
/// is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Payer {
    /// The run.
    pub run: RunId,
    /// The sample, by its index in the sample set.
    pub sample: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The part that needs the answer.
    pub asker: Asker,
    /// The number of this call among those of the asker, from 0.
    pub call: u32,
}

/// A part of an experiment that makes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asker {
    /// A stage of the pipeline, from 0.
    Stage(u32),
    /// A scoring entry, from 0.
    Scorer(u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::parse(status.as_str()), Some(status));
        }
    }
}
