//! Who lives.

use std::time::Duration;

use application::ports::{Beat, RunLease, StoreError, WorkerStore};
use async_trait::async_trait;
use domain::id::WorkerId;
use sea_orm::{DbErr, Value as Bound};

use crate::dialect::{detached, failed, id, whole};
use crate::open::{Database, Stores};

/// What happens to workers of earlier processes when a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeadWorkers {
    /// Nobody else can be using the database: all of them are gone.
    All,
    /// Others may live: only those whose lease has run out are gone.
    Expired,
}

const REGISTER: &str = "INSERT INTO worker (id, lease_until) VALUES ($1, {in:$2}) \
     ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until";

const RENEW: &str = "UPDATE run SET lease_until = {in:$3} WHERE id = $1 AND lease_epoch = $2 \
     AND lease_owner IS NOT NULL AND completed_at IS NULL";

/// What a worker that is gone held: its runs can be claimed at once.
const FREE_RUNS: &str = "UPDATE run SET lease_owner = NULL, lease_until = NULL \
     WHERE lease_owner IS NOT NULL AND lease_owner NOT IN (SELECT id FROM worker)";
const FREE_SWEEPS: &str = "UPDATE sweep SET lease_owner = NULL, lease_until = NULL \
     WHERE lease_owner IS NOT NULL AND lease_owner NOT IN (SELECT id FROM worker)";
const FREE_CALLS: &str = "UPDATE response_cache SET claimed_by = NULL, reserved_tokens = 0, reserved_nano = 0 \
     WHERE answer_id IS NULL AND claimed_by IS NOT NULL AND claimed_by NOT IN (SELECT id FROM worker)";

impl Database {
    /// Takes out workers that are gone, with all they held.
    pub(crate) async fn forget_workers(&self, which: DeadWorkers) -> Result<(), DbErr> {
        let delete = match which {
            DeadWorkers::All => "DELETE FROM worker",
            DeadWorkers::Expired => "DELETE FROM worker WHERE lease_until < {now}",
        };
        self.write().execute(delete, vec![]).await?;
        for free in [FREE_CALLS, FREE_SWEEPS, FREE_RUNS] {
            self.write().execute(free, vec![]).await?;
        }
        Ok(())
    }
}

pub(crate) fn milliseconds(span: Duration) -> Bound {
    whole(span.as_millis())
}

#[async_trait]
impl WorkerStore for Stores {
    async fn register(&self, worker: WorkerId, lease: Duration) -> Result<(), StoreError> {
        let values = vec![id(worker.bits()), milliseconds(lease)];
        self.database.write().execute(REGISTER, values).await.map(drop).map_err(failed)
    }

    async fn beat(&self, worker: WorkerId, runs: &[RunLease], lease: Duration) -> Result<Beat, StoreError> {
        let (stores, runs) = (self.clone(), runs.to_vec());
        detached(async move { stores.renew(worker, runs, lease).await }).await.map_err(failed)
    }

    async fn retire(&self, worker: WorkerId) -> Result<(), StoreError> {
        let values = vec![id(worker.bits())];
        self.database.write().execute("DELETE FROM worker WHERE id = $1", values).await.map_err(failed)?;
        self.database.forget_workers(DeadWorkers::Expired).await.map_err(failed)
    }
}

impl Stores {
    /// Renews one row after the other, each for itself: a beat that held a row while it waits for the next could stand
    /// in a circle with whoever writes to several runs.
    async fn renew(&self, worker: WorkerId, runs: Vec<RunLease>, lease: Duration) -> Result<Beat, DbErr> {
        let session = self.database.write();
        session.execute(REGISTER, vec![id(worker.bits()), milliseconds(lease)]).await?;
        let mut beat = Beat::default();
        for run in runs {
            let values = vec![id(run.run.bits()), whole(run.epoch), milliseconds(lease)];
            if session.execute(RENEW, values).await?.rows_affected() == 0 {
                beat.lost.push(run);
            }
        }
        Ok(beat)
    }
}
