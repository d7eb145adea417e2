//! Sweeps and their counters.

use std::time::Duration;

use application::ports::{StoreError, StoredSweep, SweepStore, SweepTotals};
use async_trait::async_trait;
use domain::id::{ExperimentId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::strategy::Reason;
use domain::sweep::{PauseReason, SweepKind, SweepLimits, SweepStatus};
use domain::value::Value;
use sea_orm::DbErr;

use crate::dialect::milliseconds;
use crate::dialect::{Dialect, corrupt, failed, id, maybe_id, whole};
use crate::open::Stores;
use crate::rows::{Row, read_all};

const COLUMNS: &str = "id, experiment_id, kind, strategy, seed, max_runs, max_tokens, max_cost_nano, status, \
     pause_reason, finish_reason, version, epoch, asks, asked, duplicates, created_at, finished_at";

/// Running sweeps that this worker conducts or may take over.
const CONDUCTIBLE: &str = "status = 'running' AND (lease_owner IS NULL OR lease_owner = $1 OR lease_until < {now}) \
     AND ($2 IS NULL OR id = $2)";

/// The same without takeovers: expired leases of other workers are respected.
const CONDUCTIBLE_FREE: &str =
    "status = 'running' AND (lease_owner IS NULL OR lease_owner = $1) AND ($2 IS NULL OR id = $2)";

/// Each new holder of the lease gets a higher epoch.
const CONDUCT: &str = "UPDATE sweep SET epoch = CASE WHEN lease_owner = $1 THEN epoch ELSE epoch + 1 END, \
     lease_owner = $1, lease_until = {in:$3}";

#[async_trait]
impl SweepStore for Stores {
    async fn conduct(
        &self,
        by: WorkerId,
        lease: Duration,
        only: Option<SweepId>,
    ) -> Result<Vec<StoredSweep>, StoreError> {
        let sql = format!("{CONDUCT} WHERE {} RETURNING {COLUMNS}", self.conductible_where(by));
        let values = vec![id(by.bits()), maybe_id(only.map(SweepId::bits)), milliseconds(lease)];
        let rows = self.database.write().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, |row| read(row, self.database.dialect())).map_err(failed)
    }

    async fn conductible(
        &self,
        by: WorkerId,
        only: Option<SweepId>,
    ) -> Result<Vec<(SweepId, i64)>, StoreError> {
        let sql = format!("SELECT id, version FROM sweep WHERE {}", self.conductible_where(by));
        let values = vec![id(by.bits()), maybe_id(only.map(SweepId::bits))];
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, |row| Ok((SweepId::new(row.id("id")?), row.whole("version")?))).map_err(failed)
    }

    async fn sweep(&self, sweep: SweepId) -> Result<Option<StoredSweep>, StoreError> {
        self.one_sweep("id = $1", sweep.bits()).await
    }

    async fn latest(&self, experiment: ExperimentId) -> Result<Option<StoredSweep>, StoreError> {
        self.one_sweep("experiment_id = $1 ORDER BY id DESC LIMIT 1", experiment.bits()).await
    }

    async fn sweeps(
        &self,
        experiment: ExperimentId,
        before: Option<SweepId>,
        limit: usize,
    ) -> Result<Vec<StoredSweep>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sweep WHERE experiment_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
        );
        let before = id(before.map_or(u128::MAX, SweepId::bits));
        let values = vec![id(experiment.bits()), before, whole(limit as u64)];
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, |row| read(row, self.database.dialect())).map_err(failed)
    }

    async fn totals(&self, sweep: SweepId) -> Result<SweepTotals, StoreError> {
        let sql = "SELECT t.*, (SELECT count(*) FROM run r WHERE r.sweep_id = $1 AND r.completed_at IS NULL \
             AND r.status = 'running') AS running FROM sweep_total t WHERE t.sweep_id = $1";
        let row = self.database.read().one(sql, vec![id(sweep.bits())]).await.map_err(failed)?;
        row.map_or_else(|| Ok(SweepTotals::default()), |row| totals(Row(&row)).map_err(failed))
    }
}

impl Stores {
    fn conductible_where(&self, by: WorkerId) -> &'static str {
        if self.takeovers.are_allowed(by) { CONDUCTIBLE } else { CONDUCTIBLE_FREE }
    }

    async fn one_sweep(&self, which: &str, of: u128) -> Result<Option<StoredSweep>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM sweep WHERE {which}");
        let row = self.database.read().one(&sql, vec![id(of)]).await.map_err(failed)?;
        row.map(|row| read(Row(&row), self.database.dialect())).transpose().map_err(failed)
    }
}

fn read(row: Row<'_>, dialect: Dialect) -> Result<StoredSweep, DbErr> {
    let count = |column| Ok::<_, DbErr>(row.maybe_whole(column)?.and_then(|n| u64::try_from(n).ok()));
    Ok(StoredSweep {
        id: SweepId::new(row.id("id")?),
        experiment: ExperimentId::new(row.id("experiment_id")?),
        kind: kind(row)?,
        seed: row.whole("seed")?.cast_unsigned(),
        limits: SweepLimits {
            max_runs: count("max_runs")?,
            max_tokens: count("max_tokens")?,
            max_cost: row.maybe_money("max_cost_nano")?,
        },
        status: status(row)?,
        version: row.whole("version")?,
        epoch: row.whole("epoch")?,
        asks: row.count("asks")?,
        asked: row.count("asked")?,
        duplicates: row.count("duplicates")?,
        started_at: dialect
            .read_time(row.0, "created_at")?
            .ok_or_else(|| corrupt("sweep without a start"))?,
        finished_at: dialect.read_time(row.0, "finished_at")?,
    })
}

fn kind(row: Row<'_>) -> Result<SweepKind, DbErr> {
    let strategy = row.json("strategy")?;
    let shuffle = strategy.as_map().and_then(|fields| fields.get("shuffle")) == Some(&Value::Bool(true));
    match row.text("kind")?.as_str() {
        "grid" => Ok(SweepKind::Grid { shuffle }),
        "random" => Ok(SweepKind::Random),
        other => Err(corrupt(format!("sweep kind {other}"))),
    }
}

fn status(row: Row<'_>) -> Result<SweepStatus, DbErr> {
    let pause = row.maybe_text("pause_reason")?.and_then(|word| PauseReason::parse(&word));
    let finish = row.maybe_text("finish_reason")?.and_then(|word| Reason::parse(&word));
    match (row.text("status")?.as_str(), pause, finish) {
        ("running", ..) => Ok(SweepStatus::Running),
        ("paused", Some(reason), _) => Ok(SweepStatus::Paused(reason)),
        ("stopped", ..) => Ok(SweepStatus::Stopped),
        ("completed", _, Some(reason)) => Ok(SweepStatus::Completed(reason)),
        (other, ..) => Err(corrupt(format!("sweep status {other}"))),
    }
}

/// The cost is known where every call had a price.
fn totals(row: Row<'_>) -> Result<SweepTotals, DbErr> {
    let priced = row.whole("unpriced")? == 0;
    Ok(SweepTotals {
        completed: row.count("completed")?,
        failed: row.count("failed")?,
        cached: row.count("cached")?,
        pruned: row.count("pruned")?,
        cancelled: row.count("cancelled")?,
        running: row.count("running")?,
        samples: row.count("samples")?,
        tokens: Tokens { input: row.count("tokens_in")?, output: row.count("tokens_out")? },
        cost: if priced { Some(NanoDollars::new(row.whole("cost_nano")?)) } else { None },
        calls: row.count("calls")?,
        hits: row.count("hits")?,
        unknown: row.count("unknown_calls")?,
        unknown_tokens: row.count("unknown_tokens")?,
    })
}
