//! Runs: claimed, resumed, listed and shown.

use std::collections::BTreeMap;
use std::time::Duration;

use application::ports::{
    ClaimedRun, ResultRow, ResumedScores, RunClaim, RunConfig, RunError, RunFilter, RunLease, RunOrder,
    RunStore, RunSummary, SampleScore, ScoreVector, ScorerTotal, StageError, StoreError, StoredScore,
};
use async_trait::async_trait;
use domain::call::Digest;
use domain::id::{ExperimentId, RunId, SweepId};
use domain::pricing::Tokens;
use domain::run::RunStatus;
use domain::value::{Map, Value};
use sea_orm::{DatabaseTransaction, DbErr, Value as Bound};
use wire::stored::{self, RunConfigDocument};

use crate::batch::padded;
use crate::calls::{ANSWER, completion};
use crate::dialect::{Dialect, Session, corrupt, failed, id, maybe_id, whole};
use crate::events;
use crate::open::Stores;
use crate::rows::{Row, read_all};
use crate::run_page;
use crate::workers::milliseconds;

/// What stands behind a run on the board. The first condition is the one that the index can begin at.
const BEHIND: &str = " AND rank_score <= (SELECT rank_score FROM run WHERE id = $3) \
     AND (rank_score < (SELECT rank_score FROM run WHERE id = $3) OR id > $3)";

/// How a claim is counted: a run whose holder is gone was lost by it, unless the holder stored something new of it.
/// `r` is the run as it was found.
const CLAIM: &str = "WITH c AS (SELECT r.id FROM run r LEFT JOIN sweep s ON s.id = r.sweep_id \
     WHERE r.asked > r.done AND r.completed_at IS NULL AND {free} \
     AND (r.not_before IS NULL OR r.not_before <= {now}) AND {suspicion} \
     AND (s.id IS NULL OR s.status = 'running') AND ($4 IS NULL OR r.sweep_id = $4) ORDER BY r.id LIMIT $2 {skip locked}) \
     UPDATE run SET status = 'running', lease_epoch = lease_epoch + 1, lease_owner = $1, lease_until = {in:$3}, \
     not_before = NULL, started_at = COALESCE(started_at, {now}), \
     losses = CASE WHEN {held} THEN CASE WHEN {moved} THEN 0 ELSE losses + 1 END ELSE losses END, \
     losses_alone = CASE WHEN {held} THEN CASE WHEN {moved} THEN 0 WHEN {waiting} THEN losses_alone \
     ELSE losses_alone + claimed_alone END ELSE losses_alone END, \
     claimed_alone = $5, claimed_at_block = blocks, \
     claimed_at_answer = (SELECT COALESCE(MAX(a.id), 0) FROM answer a) FROM c WHERE run.id = c.id \
     RETURNING run.id, experiment_id, sweep_id, config, asked, done, blocks, lease_epoch, calls, hits, claimed_alone, losses_alone, \
     tokens_in + tokens_out - paid_in - paid_out AS saved";

/// Nobody holds the run; where leases may be taken over, nobody who is alive.
const FREE: &str = "(r.lease_until IS NULL OR r.lease_until < {now})";
const FREE_NOW: &str = "r.lease_until IS NULL";
/// Losses after which a run is executed alone.
const TRUSTED: &str = "r.losses < 2";
const SUSPECT: &str = "r.losses >= 2";
/// Another worker held the run and did not give it back.
const HELD: &str = "lease_owner <> $1";
/// A block of it, or an answer that it paid for, was stored since.
const MOVED: &str = "blocks > claimed_at_block \
     OR EXISTS (SELECT 1 FROM answer a WHERE a.id > claimed_at_answer AND a.paid_run = run.id)";

/// A call of the holder was under way. A run that is executed alone takes one sample after the other: it was waiting for the
/// endpoint then, and did nothing that could end a process.
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

/// A run of its own that has to wait is pending again; the runs of a sweep count as running from their first claim on.
const RELEASE: &str = "UPDATE run SET lease_owner = NULL, lease_until = NULL, not_before = {in:$3}, \
     status = CASE WHEN sweep_id IS NULL AND $3 > 0 THEN 'pending' ELSE status END \
     WHERE id = $1 AND lease_epoch = $2 AND completed_at IS NULL";

const RUNNING: &str = "UPDATE sweep_total SET running = running + $2 WHERE sweep_id = $1";

const COLUMNS: &str = "id, experiment_id, sweep_id, config_hash, config, status, asked, done, failures, score, \
     ci_low, ci_high, n, scores, tokens_in, tokens_out, paid_in, paid_out, cost_nano, paid_nano, latency_ms, \
     started_at, completed_at, not_before, error";

#[async_trait]
impl RunStore for Stores {
    async fn claim(&self, claim: RunClaim) -> Result<Vec<ClaimedRun>, StoreError> {
        let stores = self.clone();
        self.database.detached(async move { stores.claim_runs(claim).await }).await.map_err(failed)
    }

    async fn release(&self, lease: RunLease, wait: Duration) -> Result<(), StoreError> {
        let values = vec![id(lease.run.bits()), whole(lease.epoch), milliseconds(wait)];
        self.database.write().execute(RELEASE, values).await.map(drop).map_err(failed)
    }

    async fn resumed(&self, run: RunId) -> Result<ResumedScores, StoreError> {
        self.resumed_scores(run).await.map_err(failed)
    }

    async fn board(
        &self,
        experiment: ExperimentId,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunSummary>, StoreError> {
        let mut values = vec![id(experiment.bits()), whole(limit as u64)];
        let mut which = "experiment_id = $1 AND listed = 1".to_owned();
        if let Some(after) = after {
            which.push_str(BEHIND);
            values.push(id(after.bits()));
        }
        self.summaries(&format!("{which} ORDER BY rank_score DESC, id LIMIT $2"), values).await
    }

    async fn run(&self, run: RunId) -> Result<Option<RunSummary>, StoreError> {
        Ok(self.summaries("id = $1", vec![id(run.bits())]).await?.pop())
    }

    async fn list(
        &self,
        experiment: ExperimentId,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunSummary>, StoreError> {
        let which = "experiment_id = $1 AND id > $2 ORDER BY id LIMIT $3";
        let after = after.map_or(0, RunId::bits);
        self.summaries(which, vec![id(experiment.bits()), id(after), whole(limit as u64)]).await
    }

    async fn page(
        &self,
        filter: RunFilter,
        order: RunOrder,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunSummary>, StoreError> {
        let (which, values) = run_page::select(self.database.dialect(), filter, order, after, limit);
        self.summaries(&which, values).await
    }

    async fn sample_scores(&self, run: RunId, first: u32, last: u32) -> Result<Vec<SampleScore>, StoreError> {
        let sql = "SELECT sample_index, repeat, scorer_no, value, metadata, error FROM score WHERE run_id = $1 \
                   AND sample_index BETWEEN $2 AND $3 ORDER BY sample_index, repeat, scorer_no";
        let values = vec![id(run.bits()), whole(first), whole(last)];
        let rows = self.database.read().all(sql, values).await.map_err(failed)?;
        read_all(&rows, sample_score).map_err(failed)
    }

    async fn vectors(&self, runs: &[RunId]) -> Result<Vec<ScoreVector>, StoreError> {
        self.score_vectors(runs).await.map_err(failed)
    }

    async fn results(
        &self,
        run: RunId,
        after: Option<(u32, u32, u32)>,
        limit: usize,
    ) -> Result<Vec<ResultRow>, StoreError> {
        let sql = format!(
            "SELECT r.sample_index, r.repeat, r.stage_index, r.paid, r.error, a.request, a.model, a.parameters, {ANSWER} \
             FROM stage_result r LEFT JOIN answer a ON a.id = r.answer_id \
             WHERE r.run_id = $1 AND (r.sample_index, r.repeat, r.stage_index) > ($2, $3, $4) \
             ORDER BY r.sample_index, r.repeat, r.stage_index LIMIT $5"
        );
        let after =
            after.map_or([-1, 0, 0], |(sample, repeat, stage)| [sample, repeat, stage].map(i64::from));
        let mut values = vec![id(run.bits())];
        values.extend(after.map(whole));
        values.push(whole(limit as u64));
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, result).map_err(failed)
    }
}

impl Stores {
    async fn claim_runs(&self, claim: RunClaim) -> Result<Vec<ClaimedRun>, DbErr> {
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

    async fn resumed_scores(&self, run: RunId) -> Result<ResumedScores, DbErr> {
        let read = self.database.read();
        let sql = "SELECT sample_index, repeat, scorer_no, value FROM score WHERE run_id = $1 \
                   ORDER BY sample_index, repeat, scorer_no";
        let scores = read_all(&read.all(sql, vec![id(run.bits())]).await?, stored_score)?;
        let sql = "SELECT sample_index, stage_index, error FROM stage_result WHERE run_id = $1 \
                   AND error IS NOT NULL ORDER BY sample_index, repeat, stage_index LIMIT 1";
        let first = read.one(sql, vec![id(run.bits())]).await?;
        let first_error = first.as_ref().map(|row| first_error(Row(row))).transpose()?;
        let failures = read.one("SELECT failures FROM run WHERE id = $1", vec![id(run.bits())]).await?;
        let failures = failures.map_or(Ok(0), |row| Row(&row).small("failures"))?;
        let vector = self.score_vectors(&[run]).await?.pop().map(|vector| vector.scores).unwrap_or_default();
        Ok(ResumedScores { vector, scores, first_error, failures })
    }

    async fn summaries(&self, which: &str, values: Vec<Bound>) -> Result<Vec<RunSummary>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM run WHERE {which}");
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, |row| summary(row, self.database.dialect())).map_err(failed)
    }

    async fn score_vectors(&self, runs: &[RunId]) -> Result<Vec<ScoreVector>, DbErr> {
        let mut of: BTreeMap<RunId, Vec<f64>> = runs.iter().map(|run| (*run, Vec::new())).collect();
        for (chunk, placeholders) in padded(runs) {
            let sql = format!(
                "SELECT run_id, scores FROM block WHERE run_id IN ({placeholders}) ORDER BY run_id, no"
            );
            let values = chunk.map(|run| id(run.bits())).collect();
            for row in self.database.read().all(&sql, values).await? {
                let bytes = Row(&row).bytes("scores")?;
                of.entry(Row(&row).run_id("run_id")?).or_default().extend(vector(&bytes));
            }
        }
        Ok(runs
            .iter()
            .map(|run| ScoreVector { run: *run, scores: of.get(run).cloned().unwrap_or_default() })
            .collect())
    }
}

fn stored_score(row: Row<'_>) -> Result<StoredScore, DbErr> {
    Ok(StoredScore {
        sample: row.small("sample_index")?,
        repeat: row.small("repeat")?,
        scorer: row.small("scorer_no")?,
        value: row.maybe_real("value")?,
    })
}

fn sample_score(row: Row<'_>) -> Result<SampleScore, DbErr> {
    let metadata = row.maybe_json("metadata")?;
    Ok(SampleScore {
        score: stored_score(row)?,
        metadata: metadata.and_then(|value| value.as_map().cloned()).unwrap_or_default(),
        error: row.maybe_text("error")?,
    })
}

fn vector(bytes: &[u8]) -> impl Iterator<Item = f64> {
    bytes.chunks_exact(8).map(|chunk| chunk.try_into().map_or(f64::NAN, f64::from_le_bytes))
}

/// Which of the runs' sweeps have a budget.
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

/// Counts and tells of runs that are claimed for the first time.
async fn announce(session: Session<'_, DatabaseTransaction>, claimed: &[ClaimedRun]) -> Result<(), DbErr> {
    let fresh: Vec<&ClaimedRun> = claimed.iter().filter(|run| run.lease.epoch == 1).collect();
    let mut running: BTreeMap<SweepId, i64> = BTreeMap::new();
    for run in &fresh {
        if let Some(sweep) = run.sweep {
            *running.entry(sweep).or_default() += 1;
        }
    }
    for (sweep, runs) in running {
        session.execute(RUNNING, vec![id(sweep.bits()), whole(runs)]).await?;
    }
    let told = fresh.iter().map(|run| {
        let values = Value::Map(run.config.values.clone());
        events::run_started(run.experiment, run.lease.run, values)
    });
    let told: Vec<_> = told.collect();
    events::write(session, told.iter().collect()).await
}

fn claimed_run(row: Row<'_>) -> Result<ClaimedRun, DbErr> {
    Ok(ClaimedRun {
        lease: RunLease { run: row.run_id("id")?, epoch: row.whole("lease_epoch")? },
        experiment: ExperimentId::new(row.id("experiment_id")?),
        sweep: row.maybe_id("sweep_id")?.map(SweepId::new),
        config: config(row)?,
        asked: row.small("asked")?,
        done: row.small("done")?,
        blocks: row.small("blocks")?,
        budgeted: false,
        calls: row.count("calls")?,
        hits: row.count("hits")?,
        saved: row.count("saved")?,
        alone: row.whole("claimed_alone")? == 1,
        losses_alone: row.small("losses_alone")?,
    })
}

fn config(row: Row<'_>) -> Result<RunConfig, DbErr> {
    let document: RunConfigDocument = stored::read(&row.raw_json("config")?).map_err(corrupt)?;
    RunConfig::try_from(document).map_err(corrupt)
}

fn summary(row: Row<'_>, dialect: Dialect) -> Result<RunSummary, DbErr> {
    let status = row.text("status")?;
    let interval = row.maybe_real("ci_low")?.zip(row.maybe_real("ci_high")?);
    Ok(RunSummary {
        id: row.run_id("id")?,
        experiment: ExperimentId::new(row.id("experiment_id")?),
        sweep: row.maybe_id("sweep_id")?.map(SweepId::new),
        config_hash: Digest::parse(&row.text("config_hash")?).ok_or_else(|| corrupt("config hash"))?,
        config: config(row)?,
        status: RunStatus::parse(&status).ok_or_else(|| corrupt(format!("run status {status}")))?,
        asked: row.small("asked")?,
        done: row.small("done")?,
        failed: row.small("failures")?,
        score: row.maybe_real("score")?,
        interval,
        n: row.small("n")?,
        scores: row
            .maybe_json("scores")?
            .as_ref()
            .and_then(Value::as_list)
            .into_iter()
            .flatten()
            .filter_map(scorer)
            .collect(),
        tokens: Tokens { input: row.count("tokens_in")?, output: row.count("tokens_out")? },
        paid: Tokens { input: row.count("paid_in")?, output: row.count("paid_out")? },
        cost: row.maybe_money("cost_nano")?,
        paid_cost: row.maybe_money("paid_nano")?,
        latency_ms: row.count("latency_ms")?,
        started_at: dialect.read_time(row.0, "started_at")?,
        completed_at: dialect.read_time(row.0, "completed_at")?,
        not_before: dialect.read_time(row.0, "not_before")?,
        error: row.maybe_json("error")?.as_ref().map(run_error),
    })
}

fn scorer(value: &Value) -> Option<ScorerTotal> {
    let fields = value.as_map()?;
    let real = |name: &str| fields.get(name).and_then(Value::as_number).map(domain::value::Number::as_f64);
    Some(ScorerTotal {
        name: fields.get("name")?.as_text()?.to_owned(),
        value: real("value"),
        interval: real("ci_low").zip(real("ci_high")),
        n: small(fields, "n").unwrap_or_default(),
        failed: small(fields, "failed").unwrap_or_default(),
    })
}

fn small(fields: &Map, name: &str) -> Option<u32> {
    u32::try_from(fields.get(name)?.as_number()?.as_u64()?).ok()
}

/// A run's error as it is stored.
pub(crate) fn error_value(error: &RunError) -> Value {
    let mut fields = Map::from([
        ("kind".to_owned(), Value::from(error.kind.as_str())),
        ("message".to_owned(), Value::from(error.message.replace('\0', "\u{fffd}"))),
    ]);
    if let Some(stage) = &error.stage {
        fields.insert("stage".to_owned(), Value::from(stage.as_str()));
    }
    if let Some(sample) = error.sample {
        fields.insert("sample_index".to_owned(), Value::from(sample));
    }
    Value::Map(fields)
}

fn run_error(value: &Value) -> RunError {
    let empty = Map::new();
    let fields = value.as_map().unwrap_or(&empty);
    let text = |name: &str| fields.get(name).and_then(Value::as_text).map(str::to_owned);
    RunError {
        kind: text("kind").unwrap_or_default(),
        message: text("message").unwrap_or_default(),
        stage: text("stage"),
        sample: small(fields, "sample_index"),
    }
}

fn stage_error(value: &Value) -> StageError {
    let RunError { kind, message, .. } = run_error(value);
    StageError { kind, message }
}

fn first_error(row: Row<'_>) -> Result<(u32, u32, StageError), DbErr> {
    Ok((row.small("sample_index")?, row.small("stage_index")?, stage_error(&row.json("error")?)))
}

fn result(row: Row<'_>) -> Result<ResultRow, DbErr> {
    let answered = row.maybe_whole("answer_id")?.is_some();
    Ok(ResultRow {
        sample: row.small("sample_index")?,
        repeat: row.small("repeat")?,
        stage: row.small("stage_index")?,
        model: row.maybe_text("model")?,
        parameters: row
            .maybe_json("parameters")?
            .and_then(|value| value.as_map().cloned())
            .unwrap_or_default(),
        prompt_sent: row.maybe_text("request")?,
        completion: answered.then(|| completion(row)).transpose()?,
        cached: answered && row.whole("paid")? == 0,
        error: row.maybe_json("error")?.as_ref().map(stage_error),
    })
}
