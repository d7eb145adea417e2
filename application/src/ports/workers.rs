use std::time::Duration;

use async_trait::async_trait;
use domain::id::WorkerId;

use super::StoreError;
use super::journal::RunLease;

/// The result of a heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beat {
    /// Runs that are no longer this worker's: cancelled, recalled or claimed by another.
    pub lost: Vec<RunLease>,
    /// The worker's lease had expired: other workers may have taken over its claims.
    pub lapsed: bool,
}

/// Worker heartbeats: which processes are alive. Claims and slots of a worker that is not are void.
#[async_trait]
pub trait WorkerStore: Send + Sync {
    /// Registers a worker with a lease of `lease` from now.
    async fn register(&self, worker: WorkerId, lease: Duration) -> Result<(), StoreError>;

    /// Renews the leases of a worker and of the runs it holds, for `lease` from now.
    async fn beat(&self, worker: WorkerId, runs: &[RunLease], lease: Duration) -> Result<Beat, StoreError>;

    /// Removes a worker with its claims, leases and slots, at a graceful end.
    async fn retire(&self, worker: WorkerId) -> Result<(), StoreError>;
}
