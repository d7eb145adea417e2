//! How the trials of a sweep stand.

/// How many trials a sweep has, and how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrialCounts {
    /// Trials that have begun.
    pub asked: u64,
    /// Those that were configurations the sweep had already.
    pub duplicates: u64,
    /// Those whose run is over.
    pub ended: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those that have all that they were asked for, and are not over.
    pub resting: u64,
}

impl TrialCounts {
    /// Trials that are not over.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.asked.saturating_sub(self.duplicates).saturating_sub(self.ended)
    }

    /// Trials with samples under way.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.open().saturating_sub(self.resting)
    }
}
