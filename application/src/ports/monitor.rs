use async_trait::async_trait;
use domain::id::{EndpointId, ExperimentId, RunId};

use super::StoreError;

/// The progress of a run that is being executed.
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

/// Reads what is being executed. Changes nothing.
#[async_trait]
pub trait Monitor: Send + Sync {
    /// Runs of an experiment that are being executed, at most `limit`.
    async fn running(&self, experiment: ExperimentId, limit: usize) -> Result<Vec<RunningRun>, StoreError>;

    /// The slots that live workers hold, by endpoint.
    async fn slots_in_use(&self) -> Result<Vec<(EndpointId, u32)>, StoreError>;

    /// Checks that the database answers and accepts writes.
    async fn ping(&self) -> Result<(), StoreError>;
}
