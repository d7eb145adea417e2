//! Reads the two logs of a sweep: the decisions on its trials, and the outcomes of their runs.

use application::ports::{OutcomeLog, StoreError, StoredDecision};
use async_trait::async_trait;
use domain::id::SweepId;
use domain::run::RunStatus;
use domain::space::Point;
use domain::strategy::{BlockOutcome, TrialChange};
use sea_orm::DbErr;

use crate::dialect::{corrupt, failed, id, whole};
use crate::open::Stores;
use crate::rows::{Row, read_all};
use crate::run_rows::vector;

/// A trial whose run belongs to an earlier trial repeats that trial's configuration.
const TRIALS: &str = "SELECT t.ask, t.seen_seq, t.no AS trial, t.run_id, t.upto, t.point, \
     CAST(CASE WHEN r.trial = t.no THEN 0 ELSE 1 END AS bigint) AS duplicate \
     FROM trial t JOIN run r ON r.id = t.run_id WHERE t.sweep_id = $1 ORDER BY t.no";

const STEPS: &str = "SELECT s.ask, s.seen_seq, s.trial, t.run_id, s.upto, s.status \
     FROM trial_step s JOIN trial t ON t.sweep_id = s.sweep_id AND t.no = s.trial \
     WHERE s.sweep_id = $1 ORDER BY s.ask, s.trial";

const BLOCKS: &str = "SELECT b.outcome_seq, b.run_id, r.trial, b.upto, b.scores, b.failures, b.ended \
     FROM block b JOIN run r ON r.id = b.run_id WHERE b.sweep_id = $1 AND b.outcome_seq > $2 \
     ORDER BY b.outcome_seq LIMIT $3";

#[async_trait]
impl OutcomeLog for Stores {
    async fn decisions(&self, sweep: SweepId) -> Result<Vec<StoredDecision>, StoreError> {
        self.stored_decisions(sweep).await.map_err(failed)
    }

    async fn outcomes(
        &self,
        sweep: SweepId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<BlockOutcome>, StoreError> {
        let values = vec![id(sweep.bits()), whole(after), whole(limit as u64)];
        let rows = self.database.read().all(BLOCKS, values).await.map_err(failed)?;
        read_all(&rows, outcome).map_err(failed)
    }
}

impl Stores {
    async fn stored_decisions(&self, sweep: SweepId) -> Result<Vec<StoredDecision>, DbErr> {
        let read = self.database.read();
        let mut decisions = read_all(&read.all(TRIALS, vec![id(sweep.bits())]).await?, begun)?;
        decisions.extend(read_all(&read.all(STEPS, vec![id(sweep.bits())]).await?, step)?);
        decisions.sort_by_key(|decision| (decision.ask, decision.trial));
        Ok(decisions)
    }
}

fn begun(row: Row<'_>) -> Result<StoredDecision, DbErr> {
    let values = row.maybe_json("point")?.and_then(|point| point.as_map().cloned());
    let point = Point::from(values.ok_or_else(|| corrupt("trial without a point"))?);
    let (up_to, duplicate) = (row.small("upto")? as usize, row.whole("duplicate")? == 1);
    decision(row, TrialChange::Begin { point, up_to, duplicate })
}

fn step(row: Row<'_>) -> Result<StoredDecision, DbErr> {
    let change = match row.maybe_text("status")? {
        Some(word) => TrialChange::End(status(&word)?),
        None => TrialChange::Extend { up_to: row.small("upto")? as usize },
    };
    decision(row, change)
}

fn decision(row: Row<'_>, change: TrialChange) -> Result<StoredDecision, DbErr> {
    Ok(StoredDecision {
        ask: row.count("ask")?,
        seen: row.count("seen_seq")?,
        trial: row.count("trial")?,
        run: row.run_id("run_id")?,
        change,
    })
}

fn outcome(row: Row<'_>) -> Result<BlockOutcome, DbErr> {
    Ok(BlockOutcome {
        seq: row.count("outcome_seq")?,
        run: row.run_id("run_id")?,
        trial: row.count("trial")?,
        upto: row.small("upto")? as usize,
        scores: vector(&row.bytes("scores")?).collect(),
        failures: row.small("failures")?,
        end: row.maybe_text("ended")?.map(|word| status(&word)).transpose()?,
    })
}

fn status(word: &str) -> Result<RunStatus, DbErr> {
    RunStatus::parse(word).ok_or_else(|| corrupt(format!("run status {word}")))
}
