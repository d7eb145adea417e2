//! States of runs, each with its data.

use super::{RunError, RunStatus};
use crate::time::Timestamp;

/// The state of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// No worker executes it.
    Pending {
        /// When it may be claimed again, if it waits for its endpoint.
        not_before: Option<Timestamp>,
    },
    /// From the first claim to the end.
    Running,
    /// Every sample was tried and some succeeded.
    Completed {
        /// When it ended.
        at: Timestamp,
    },
    /// Completed, and every call was answered from the cache.
    Cached {
        /// When it ended.
        at: Timestamp,
    },
    /// Ended early because it was behind.
    Pruned {
        /// When it ended.
        at: Timestamp,
    },
    /// Ended by a person.
    Cancelled {
        /// When it ended.
        at: Timestamp,
    },
    /// No sample succeeded, or it could not be executed.
    Failed {
        /// When it ended.
        at: Timestamp,
        /// Why, where that is stored.
        error: Option<RunError>,
    },
}

impl RunState {
    /// The state with this status; `None` for an end without a time.
    #[must_use]
    pub fn of(
        status: RunStatus,
        ended_at: Option<Timestamp>,
        not_before: Option<Timestamp>,
        error: Option<RunError>,
    ) -> Option<Self> {
        Some(match status {
            RunStatus::Pending => Self::Pending { not_before },
            RunStatus::Running => Self::Running,
            RunStatus::Completed => Self::Completed { at: ended_at? },
            RunStatus::Cached => Self::Cached { at: ended_at? },
            RunStatus::Pruned => Self::Pruned { at: ended_at? },
            RunStatus::Cancelled => Self::Cancelled { at: ended_at? },
            RunStatus::Failed => Self::Failed { at: ended_at?, error },
        })
    }

    /// Its status.
    #[must_use]
    pub const fn status(&self) -> RunStatus {
        match self {
            Self::Pending { .. } => RunStatus::Pending,
            Self::Running => RunStatus::Running,
            Self::Completed { .. } => RunStatus::Completed,
            Self::Cached { .. } => RunStatus::Cached,
            Self::Pruned { .. } => RunStatus::Pruned,
            Self::Cancelled { .. } => RunStatus::Cancelled,
            Self::Failed { .. } => RunStatus::Failed,
        }
    }

    /// When it ended, if it has.
    #[must_use]
    pub const fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Self::Pending { .. } | Self::Running => None,
            Self::Completed { at }
            | Self::Cached { at }
            | Self::Pruned { at }
            | Self::Cancelled { at }
            | Self::Failed { at, .. } => Some(*at),
        }
    }

    /// When it may be claimed again, if it waits for its endpoint.
    #[must_use]
    pub const fn not_before(&self) -> Option<Timestamp> {
        match self {
            Self::Pending { not_before } => *not_before,
            _ => None,
        }
    }

    /// Why it failed.
    #[must_use]
    pub const fn error(&self) -> Option<&RunError> {
        match self {
            Self::Failed { error, .. } => error.as_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_end_has_a_time() {
        let at = Timestamp::from_micros(1);
        for status in RunStatus::ALL {
            let state = RunState::of(status, Some(at), Some(at), None).unwrap();
            let over = !matches!(status, RunStatus::Pending | RunStatus::Running);
            assert_eq!((state.status(), state.ended_at().is_some()), (status, over));
            assert_eq!(RunState::of(status, None, None, None).is_none(), over, "{status}");
        }
    }
}
