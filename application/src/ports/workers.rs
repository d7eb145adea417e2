use std::time::Duration;

use async_trait::async_trait;
use domain::id::WorkerId;

use super::StoreError;
use super::journal::RunLease;

/// What a heartbeat learned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beat {
    /// Runs that are no longer this worker's: cancelled, recalled or claimed by another.
    pub lost: Vec<RunLease>,
    /// The worker's lease had run out: others may have taken what it had claimed.
    pub lapsed: bool,
}

/// Knows which workers live. Claims and slots live and die with them.
#[async_trait]
pub trait WorkerStore: Send + Sync {
    /// Makes a worker known, alive for `lease`.
    async fn register(&self, worker: WorkerId, lease: Duration) -> Result<(), StoreError>;

    /// Keeps a worker, and the runs it holds, alive for `lease` from now.
    async fn beat(&self, worker: WorkerId, runs: &[RunLease], lease: Duration) -> Result<Beat, StoreError>;

    /// Takes a worker out, with its claims, leases and slots: a graceful end.
    async fn retire(&self, worker: WorkerId) -> Result<(), StoreError>;
}
