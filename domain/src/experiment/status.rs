//! The status of an experiment, which is that of its newest sweep.

/// The status of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExperimentStatus {
    /// No sweep has begun.
    Draft,
    /// Its sweep is running.
    Running,
    /// Its sweep waits to be resumed.
    Paused,
    /// Its newest sweep reached its own end.
    Completed,
    /// A person stopped its newest sweep.
    Stopped,
}

impl ExperimentStatus {
    /// Every status there is.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Running, Self::Paused, Self::Completed, Self::Stopped];

    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}
