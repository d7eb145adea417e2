//! Worker heartbeats: which processes are alive.

use std::time::{Duration, Instant};

use application::ports::{Beat, RunLease, StoreError, WorkerStore};
use async_trait::async_trait;
use domain::id::WorkerId;
use sea_orm::DbErr;

use crate::dialect::{Dialect, failed, id, milliseconds, whole};
use crate::open::{Database, Stores};
use crate::takeovers::DeadWorkers;

const REGISTER: &str = "INSERT INTO worker (id, lease_until) VALUES ($1, {in:$2}) \
     ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until";

const RENEW: &str = "UPDATE run SET lease_until = {in:$3} WHERE id = $1 AND lease_epoch = $2 \
     AND lease_owner IS NOT NULL AND completed_at IS NULL";

const RENEW_WORKER: &str = "UPDATE worker SET lease_until = {in:$2} WHERE id = $1 AND lease_until >= {now}";

/// Releases at once what a worker that is gone held. Its id stays in the rows: the run may be the reason why the
/// worker died, and the calls in flight may have been billed.
const FREE_RUNS: &str = "UPDATE run SET lease_until = NULL WHERE lease_until IS NOT NULL \
     AND lease_owner IS NOT NULL AND lease_owner NOT IN (SELECT id FROM worker)";
const FREE_SWEEPS: &str = "UPDATE sweep SET lease_owner = NULL, lease_until = NULL \
     WHERE lease_owner IS NOT NULL AND lease_owner NOT IN (SELECT id FROM worker)";
const FREE_RESCORINGS: &str = "UPDATE rescoring SET lease_owner = NULL, lease_until = NULL \
     WHERE lease_owner IS NOT NULL AND lease_owner NOT IN (SELECT id FROM worker)";

/// Deletes the marks of writers that have not written for a day.
const FORGET_MARKS: &str = "DELETE FROM commit_mark WHERE at < {now} - interval '1 day'";

impl Database {
    /// Removes workers that are gone, and releases what they held.
    pub(crate) async fn forget_workers(&self, which: DeadWorkers) -> Result<(), DbErr> {
        let delete = match which {
            // Without a condition SQLite would write even where there are none.
            DeadWorkers::All => "DELETE FROM worker WHERE id IS NOT NULL",
            DeadWorkers::Expired => "DELETE FROM worker WHERE lease_until < {now}",
        };
        self.write().execute(delete, vec![]).await?;
        if self.dialect() == Dialect::Postgres {
            self.write().execute(FORGET_MARKS, vec![]).await?;
        }
        self.free().await
    }

    async fn free(&self) -> Result<(), DbErr> {
        for free in [FREE_SWEEPS, FREE_RUNS, FREE_RESCORINGS] {
            self.write().execute(free, vec![]).await?;
        }
        Ok(())
    }
}

/// The time limit of a heartbeat's statement.
fn beat_limit(lease: Duration) -> Duration {
    (lease / 6).max(Duration::from_secs(1))
}

#[async_trait]
impl WorkerStore for Stores {
    async fn register(&self, worker: WorkerId, lease: Duration) -> Result<(), StoreError> {
        let (values, sent) = (vec![id(worker.bits()), milliseconds(lease)], Instant::now());
        self.database.write().execute(REGISTER, values).await.map_err(failed)?;
        self.takeovers.renewed(worker, sent, lease, false);
        Ok(())
    }

    async fn beat(&self, worker: WorkerId, runs: &[RunLease], lease: Duration) -> Result<Beat, StoreError> {
        let (stores, runs) = (self.clone(), runs.to_vec());
        let renew = async move { stores.renew(worker, runs, lease).await };
        // A dead connection must not cost the lease: the next beat uses another one.
        self.database.detached_within(2 * beat_limit(lease), renew).await.map_err(failed)
    }

    async fn retire(&self, worker: WorkerId) -> Result<(), StoreError> {
        let values = vec![id(worker.bits())];
        self.database.write().execute("DELETE FROM worker WHERE id = $1", values).await.map_err(failed)?;
        self.database.free().await.map_err(failed)
    }
}

impl Stores {
    /// Renews one row at a time, each in its own statement. A beat that holds one row lock while it waits for another
    /// could deadlock with a transaction that writes to several runs.
    async fn renew(&self, worker: WorkerId, runs: Vec<RunLease>, lease: Duration) -> Result<Beat, DbErr> {
        let session = self.database.heart(beat_limit(lease));
        let (values, sent) = (vec![id(worker.bits()), milliseconds(lease)], Instant::now());
        let lapsed = session.execute(RENEW_WORKER, values.clone()).await?.rows_affected() == 0;
        if lapsed {
            session.execute(REGISTER, values).await?;
        }
        self.takeovers.renewed(worker, sent, lease, lapsed);
        let mut beat = Beat { lapsed, ..Beat::default() };
        for run in runs {
            let values = vec![id(run.run.bits()), whole(run.epoch), milliseconds(lease)];
            if session.execute(RENEW, values).await?.rows_affected() == 0 {
                beat.lost.push(run);
            }
        }
        Ok(beat)
    }
}
