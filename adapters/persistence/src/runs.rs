//! Runs: how they are claimed, resumed, listed and shown.

use std::collections::BTreeMap;
use std::time::Duration;

use application::ports::{
    ClaimedRun, ResultRow, RunClaim, RunLease, RunListing, RunQuery, RunStore, RunSummary, ScoreRow,
    ScoreVector, StoreError,
};
use async_trait::async_trait;
use domain::call::Digest;
use domain::id::{ExperimentId, RunId, SweepId};
use domain::pricing::Tokens;
use domain::run::tally::{CallCounts, ResumedScores, StoredScore};
use domain::run::{Origins, StageError};
use domain::scoring::{Judgement, Score};
use sea_orm::{DbErr, QueryResult, Value as Bound};

use crate::answers::{ANSWER, reply};
use crate::batch::padded;
use crate::dialect::milliseconds;
use crate::dialect::{Dialect, corrupt, failed, id, whole};
use crate::open::Stores;
use crate::rows::{Row, read_all};
use crate::run_list::RunProjection;
use crate::run_rows::{config, flag_counts, stage_error, state, totals_of, vector};

/// Releases a run, which is pending again.
const RELEASE: &str = "UPDATE run SET status = 'pending', lease_owner = NULL, lease_until = NULL, not_before = {in:$3} \
     WHERE id = $1 AND lease_epoch = $2 AND completed_at IS NULL";

/// The columns of a run in lists, with alias `r`.
const SHOWN: RunProjection = RunProjection {
    columns: "r.id, r.experiment_id, r.sweep_id, r.config_hash, r.config, r.status, r.asked, r.done, r.failures, \
        r.score, r.ci_low, r.ci_high, r.n, r.scores, r.tokens_in, r.tokens_out, r.paid_in, r.paid_out, r.cost_nano, \
        r.paid_nano, r.latency_ms, r.started_at, r.completed_at, r.not_before, r.error, r.truncated, r.refused, \
        r.tokens_estimated, r.lossy_text, r.no_output, r.context_cut, r.mixed",
    listed: false,
};

const COUNTED: &str = "SELECT failures, calls, hits, saved, origins, mixed FROM run WHERE id = $1";

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

    async fn page(&self, query: RunQuery) -> Result<RunListing<RunSummary>, StoreError> {
        self.run_page(&query, SHOWN, summary).await
    }

    async fn sample_scores(&self, run: RunId, first: u32, last: u32) -> Result<Vec<ScoreRow>, StoreError> {
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
        let columns = "r.paid, r.error, a.request, a.model, a.parameters, a.price_day";
        let rows = self.result_rows(columns, run, after, limit).await.map_err(failed)?;
        read_all(&rows, result).map_err(failed)
    }
}

impl Stores {
    /// Results of stages after a place, with these columns beside their own place and their answer.
    pub(crate) async fn result_rows(
        &self,
        columns: &str,
        run: RunId,
        after: Option<(u32, u32, u32)>,
        limit: usize,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let sql = format!(
            "SELECT r.sample_index, r.repeat, r.stage_index, {columns}, {ANSWER} \
             FROM stage_result r LEFT JOIN answer a ON a.id = r.answer_id \
             WHERE r.run_id = $1 AND (r.sample_index, r.repeat, r.stage_index) > ($2, $3, $4) \
             ORDER BY r.sample_index, r.repeat, r.stage_index LIMIT $5"
        );
        let after =
            after.map_or([-1, 0, 0], |(sample, repeat, stage)| [sample, repeat, stage].map(i64::from));
        let mut values = vec![id(run.bits())];
        values.extend(after.map(whole));
        values.push(whole(limit as u64));
        self.database.read().all(&sql, values).await
    }

    /// The scores of a run, by sample, repetition and scorer.
    pub(crate) async fn scores_of(&self, run: RunId) -> Result<Vec<StoredScore>, DbErr> {
        let sql = "SELECT sample_index, repeat, scorer_no, value FROM score WHERE run_id = $1 \
                   ORDER BY sample_index, repeat, scorer_no";
        read_all(&self.database.read().all(sql, vec![id(run.bits())]).await?, stored_score)
    }

    async fn resumed_scores(&self, run: RunId) -> Result<ResumedScores, DbErr> {
        let read = self.database.read();
        let scores = self.scores_of(run).await?;
        let sql = "SELECT sample_index, stage_index, error FROM stage_result WHERE run_id = $1 \
                   AND error IS NOT NULL ORDER BY sample_index, repeat, stage_index LIMIT 1";
        let first = read.one(sql, vec![id(run.bits())]).await?;
        let first_error = first.as_ref().map(|row| first_error(Row(row))).transpose()?;
        let counted = read.one(COUNTED, vec![id(run.bits())]).await?;
        let counted = counted.map_or_else(|| Ok(Default::default()), |row| counts(Row(&row)));
        let (failures, calls, origins) = counted?;
        let vector = self.score_vectors(&[run]).await?.pop().map(|vector| vector.scores).unwrap_or_default();
        Ok(ResumedScores { vector, scores, first_error, failures, calls, origins })
    }

    async fn summaries(&self, which: &str, values: Vec<Bound>) -> Result<Vec<RunSummary>, StoreError> {
        let sql = format!("SELECT {} FROM run r WHERE {which}", SHOWN.columns);
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

fn counts(row: Row<'_>) -> Result<(u32, CallCounts, Origins), DbErr> {
    let origins = row.maybe_text("origins")?.unwrap_or_default();
    let origins = Origins::parse(&origins, row.whole("mixed")? != 0);
    let calls =
        CallCounts { paid: row.count("calls")?, hits: row.count("hits")?, saved: row.count("saved")? };
    Ok((row.small("failures")?, calls, origins))
}

fn stored_score(row: Row<'_>) -> Result<StoredScore, DbErr> {
    Ok(StoredScore {
        sample: row.small("sample_index")?,
        repeat: row.small("repeat")?,
        scorer: row.small("scorer_no")?,
        value: row.maybe_real("value")?,
    })
}

fn sample_score(row: Row<'_>) -> Result<ScoreRow, DbErr> {
    let StoredScore { sample, repeat, scorer, value } = stored_score(row)?;
    let judgement = match value {
        Some(value) => {
            let metadata = row.maybe_json("metadata")?.and_then(|value| value.as_map().cloned());
            let value = Score::try_new(value).map_err(corrupt)?;
            Ok(Judgement { value, metadata: metadata.unwrap_or_default() })
        }
        None => Err(row.maybe_text("error")?.unwrap_or_default()),
    };
    Ok(ScoreRow { sample, repeat, scorer, judgement })
}

fn summary(row: Row<'_>, dialect: Dialect) -> Result<RunSummary, DbErr> {
    let interval = row.maybe_real("ci_low")?.zip(row.maybe_real("ci_high")?);
    Ok(RunSummary {
        id: row.run_id("id")?,
        experiment: ExperimentId::new(row.id("experiment_id")?),
        sweep: row.maybe_id("sweep_id")?.map(SweepId::new),
        config_hash: Digest::parse(&row.text("config_hash")?).ok_or_else(|| corrupt("config hash"))?,
        config: config(row)?,
        state: state(row, dialect)?,
        asked: row.small("asked")?,
        done: row.small("done")?,
        failed: row.small("failures")?,
        score: row.maybe_real("score")?,
        interval,
        n: row.small("n")?,
        scores: totals_of(row)?,
        tokens: Tokens { input: row.count("tokens_in")?, output: row.count("tokens_out")? },
        paid: Tokens { input: row.count("paid_in")?, output: row.count("paid_out")? },
        cost: row.maybe_money("cost_nano")?,
        paid_cost: row.maybe_money("paid_nano")?,
        latency_ms: row.count("latency_ms")?,
        flags: flag_counts(row)?,
        mixed: row.whole("mixed")? != 0,
        started_at: dialect.read_time(row.0, "started_at")?,
    })
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
        reply: answered.then(|| reply(row)).transpose()?,
        cost: row.maybe_money("cost_nano")?,
        price_day: row.maybe_text("price_day")?,
        cached: answered && row.whole("paid")? == 0,
        error: row.maybe_json("error")?.as_ref().map(stage_error),
    })
}
