//! Numbers of a sweep's trials, by state.

/// Numbers of a sweep's trials, by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrialCounts {
    /// Trials that have begun.
    pub asked: u64,
    /// Trials that repeat a configuration of the sweep.
    pub duplicates: u64,
    /// Trials whose run has ended.
    pub ended: u64,
    /// Ended trials that failed.
    pub failed: u64,
    /// Open trials that have all requested samples.
    pub resting: u64,
}

impl TrialCounts {
    /// Trials that have not ended.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.asked.saturating_sub(self.duplicates).saturating_sub(self.ended)
    }

    /// Trials with samples in progress.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.open().saturating_sub(self.resting)
    }
}
