use async_trait::async_trait;
use domain::id::{EndpointId, ExperimentId, RunId};

use super::StoreError;

/// How far a run in execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningRun {
    /// The run.
    pub id: RunId,
    /// Samples asked for.
    pub asked: u32,
    /// Samples done.
    pub done: u32,
    /// Samples that failed.
    pub failed: u32,
}

/// Shows what is going on, without any effect.
#[async_trait]
pub trait Monitor: Send + Sync {
    /// Runs of an experiment that are being executed, at most `limit`.
    async fn running(&self, experiment: ExperimentId, limit: usize) -> Result<Vec<RunningRun>, StoreError>;

    /// How many calls at once live workers have taken the right to make, by endpoint.
    async fn slots_in_use(&self) -> Result<Vec<(EndpointId, u32)>, StoreError>;

    /// Whether the database answers, and takes what is written.
    async fn ping(&self) -> Result<(), StoreError>;
}
