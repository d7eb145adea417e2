//! Reads which runs are in execution.

use application::ports::{Monitor, RunningRun, StoreError};
use async_trait::async_trait;
use domain::id::{EndpointId, ExperimentId};

use crate::dialect::{failed, id, whole};
use crate::open::Stores;
use crate::rows::read_all;

const RUNNING: &str = "SELECT id, asked, done, failures FROM run \
     WHERE experiment_id = $1 AND status = 'running' ORDER BY id LIMIT $2";

const SLOTS: &str = "SELECT s.endpoint_id, CAST(SUM(s.held) AS bigint) AS held FROM endpoint_slot s \
     JOIN worker w ON w.id = s.worker_id WHERE w.lease_until >= {now} GROUP BY s.endpoint_id";

#[async_trait]
impl Monitor for Stores {
    async fn running(&self, experiment: ExperimentId, limit: usize) -> Result<Vec<RunningRun>, StoreError> {
        let values = vec![id(experiment.bits()), whole(limit as u64)];
        let rows = self.database.read().all(RUNNING, values).await.map_err(failed)?;
        let read = read_all(&rows, |row| {
            Ok(RunningRun {
                id: row.run_id("id")?,
                asked: row.small("asked")?,
                done: row.small("done")?,
                failed: row.small("failures")?,
            })
        });
        read.map_err(failed)
    }

    async fn slots_in_use(&self) -> Result<Vec<(EndpointId, u32)>, StoreError> {
        let rows = self.database.read().all(SLOTS, vec![]).await.map_err(failed)?;
        read_all(&rows, |row| Ok((EndpointId::new(row.id("endpoint_id")?), row.small("held")?)))
            .map_err(failed)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if let Some(trouble) = self.database.trouble() {
            return Err(StoreError::Unavailable(trouble));
        }
        self.database.read().one("SELECT 1 AS one", vec![]).await.map(drop).map_err(failed)
    }
}
