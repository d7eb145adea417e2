//! How an engine works.

use std::time::Duration;

use domain::id::SweepId;

/// How the engine behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whether it executes runs and conducts sweeps; else it only makes calls that are tried outside runs.
    pub executes: bool,
    /// Runs executed at once.
    pub concurrent_runs: usize,
    /// How long a lease lasts: after so long without a heartbeat, others take over.
    pub lease: Duration,
    /// How often to poll for work if the bell does not ring.
    pub poll: Duration,
    /// The least time between two polls of a conductor that always finds something to do.
    pub breath: Duration,
    /// Work for this sweep only.
    pub only: Option<SweepId>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            executes: true,
            concurrent_runs: 4,
            lease: Duration::from_secs(15),
            poll: Duration::from_secs(1),
            breath: Duration::from_millis(20),
            only: None,
        }
    }
}
