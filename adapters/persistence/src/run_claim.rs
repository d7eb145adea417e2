//! Claims runs for workers, and counts the workers that were lost with one.

use std::collections::BTreeMap;

use application::ports::{ClaimedRun, ExperimentForm, RunClaim, RunLease};
use domain::id::{ExperimentId, SweepId};
use domain::value::Value;
use sea_orm::{DatabaseTransaction, DbErr};

use crate::dialect::milliseconds;
use crate::dialect::{Session, id, maybe_id, whole};
use crate::event_log;
use crate::open::Stores;
use crate::rows::{Row, read_all};
use crate::run_rows::config;

/// Claims runs, as found under the alias `r`. A run keeps the scoring revision of its first claim. A run whose
/// previous holder is gone counts as lost by that holder, unless something new of it was stored in the meantime.
const CLAIM: &str = "WITH c AS (SELECT r.id FROM run r LEFT JOIN sweep s ON s.id = r.sweep_id \
     WHERE r.asked > r.done AND r.completed_at IS NULL AND {free} \
     AND (r.not_before IS NULL OR r.not_before <= {now}) AND {suspicion} \
     AND (s.id IS NULL OR s.status = 'running') AND ($4 IS NULL OR r.sweep_id = $4) ORDER BY r.id LIMIT $2 {lock r skip}) \
     UPDATE run SET status = 'running', lease_epoch = lease_epoch + 1, lease_owner = $1, lease_until = {in:$3}, \
     not_before = NULL, started_at = COALESCE(started_at, {now}), \
     losses = CASE WHEN {held} THEN CASE WHEN {moved} THEN 0 ELSE losses + 1 END ELSE losses END, \
     losses_alone = CASE WHEN {held} THEN CASE WHEN {moved} THEN 0 WHEN {waiting} THEN losses_alone \
     ELSE losses_alone + claimed_alone END ELSE losses_alone END, \
     claimed_alone = $5, claimed_at_block = blocks, \
     claimed_at_answer = (SELECT COALESCE(MAX(a.id), 0) FROM answer a), \
     scoring_rev = COALESCE(scoring_rev, (SELECT e.scoring_rev FROM experiment e WHERE e.id = run.experiment_id)) \
     FROM c WHERE run.id = c.id \
     RETURNING run.id, experiment_id, (SELECT e.revision FROM experiment e WHERE e.id = run.experiment_id) AS revision, \
     (SELECT e.scoring_rev FROM experiment e WHERE e.id = run.experiment_id) AS current_scoring, sweep_id, config, asked, final, done, blocks, lease_epoch, \
     claimed_alone, losses_alone";

/// No worker holds the run. With takeovers, no live worker holds it.
const FREE: &str = "(r.lease_until IS NULL OR r.lease_until < {now})";
const FREE_NOW: &str = "r.lease_until IS NULL";
/// After so many losses a run is executed alone.
const TRUSTED: &str = "r.losses < 2";
const SUSPECT: &str = "r.losses >= 2";
/// Another worker held the run and did not release it.
const HELD: &str = "lease_owner <> $1";
/// Since that worker's claim, a block of the run or an answer that it paid for was stored.
const MOVED: &str = "blocks > claimed_at_block \
     OR EXISTS (SELECT 1 FROM answer a WHERE a.id > claimed_at_answer AND a.paid_run = run.id)";

/// A call of that worker was in flight. A run that is executed alone processes one sample after the other. So the
/// worker was waiting for the endpoint, and did nothing that could end a process.
const WAITING: &str = "EXISTS (SELECT 1 FROM response_cache open WHERE open.answer_id IS NULL AND open.claimed_by = run.lease_owner)";

/// The statement that claims runs.
fn claim_statement(alone: bool, from_dead: bool) -> String {
    CLAIM
        .replace("{free}", if from_dead { FREE } else { FREE_NOW })
        .replace("{suspicion}", if alone { SUSPECT } else { TRUSTED })
        .replace("{held}", HELD)
        .replace("{moved}", MOVED)
        .replace("{waiting}", WAITING)
}

impl Stores {
    pub(crate) async fn claim_runs(&self, claim: RunClaim) -> Result<Vec<ClaimedRun>, DbErr> {
        let values = vec![
            id(claim.by.bits()),
            whole(claim.want as u64),
            milliseconds(claim.lease),
            maybe_id(claim.only.map(SweepId::bits)),
            whole(i64::from(claim.alone)),
        ];
        let statement = claim_statement(claim.alone, self.takeovers.are_allowed(claim.by));
        let transaction = self.database.writer.begin().await?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        let rows = session.all(&statement, values).await?;
        let mut claimed = read_all(&rows, claimed_run)?;
        claimed.sort_by_key(|run| run.lease.run);
        let budgeted = budgeted(session, &claimed).await?;
        for run in &mut claimed {
            run.budgeted = run.sweep.is_some_and(|sweep| budgeted.get(&sweep) == Some(&true));
        }
        announce(session, &claimed).await?;
        transaction.commit().await?;
        Ok(claimed)
    }
}

/// The sweeps of these runs that have a budget.
async fn budgeted(
    session: Session<'_, DatabaseTransaction>,
    claimed: &[ClaimedRun],
) -> Result<BTreeMap<SweepId, bool>, DbErr> {
    let mut budgeted: BTreeMap<SweepId, bool> =
        claimed.iter().filter_map(|run| Some((run.sweep?, false))).collect();
    for (sweep, has) in &mut budgeted {
        let sql = "SELECT max_tokens, max_cost_nano FROM sweep WHERE id = $1";
        if let Some(row) = session.one(sql, vec![id(sweep.bits())]).await? {
            *has = Row(&row).maybe_whole("max_tokens")?.or(Row(&row).maybe_whole("max_cost_nano")?).is_some();
        }
    }
    Ok(budgeted)
}

/// Writes the events of runs that are claimed for the first time.
async fn announce(session: Session<'_, DatabaseTransaction>, claimed: &[ClaimedRun]) -> Result<(), DbErr> {
    let told = claimed.iter().filter(|run| run.lease.epoch == 1).map(|run| {
        let values = Value::Map(run.config.values.clone());
        event_log::run_started(run.experiment, run.lease.run, values)
    });
    let told: Vec<_> = told.collect();
    event_log::write(session, told.iter().collect()).await
}

fn claimed_run(row: Row<'_>) -> Result<ClaimedRun, DbErr> {
    Ok(ClaimedRun {
        lease: RunLease { run: row.run_id("id")?, epoch: row.whole("lease_epoch")? },
        experiment: ExperimentId::new(row.id("experiment_id")?),
        form: ExperimentForm { revision: row.whole("revision")?, scoring_rev: row.whole("current_scoring")? },
        sweep: row.maybe_id("sweep_id")?.map(SweepId::new),
        config: config(row)?,
        asked: row.small("asked")?,
        is_final: row.whole("final")? == 1,
        done: row.small("done")?,
        blocks: row.small("blocks")?,
        budgeted: false,
        alone: row.whole("claimed_alone")? == 1,
        losses_alone: row.small("losses_alone")?,
    })
}
