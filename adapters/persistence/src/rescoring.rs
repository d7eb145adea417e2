//! Ended runs that are scored again, and their ratings.

use std::collections::BTreeMap;
use std::time::Duration;

use application::ports::{
    AnswerId, ExperimentForm, RescoringClaim, RescoringStore, ScoredRun, StoreError, StoredOutput,
    UnratedOutput,
};
use async_trait::async_trait;
use domain::id::{ExperimentId, RunId, WorkerId};
use domain::run::RunStatus;
use domain::run::tally::StoredScore;
use domain::scoring::rating::Rating;
use sea_orm::{DbErr, Value as Bound};

use crate::answers::reply;
use crate::batch::padded;
use crate::dialect::{Session, corrupt, failed, id, milliseconds, whole};
use crate::open::Stores;
use crate::rescoring_request::revise;
use crate::rows::{Row, read_all};
use crate::run_rows::{config, stage_error};
use crate::score_rows::{rating, recall};

/// Runs, with alias `r`, whose scores are of an earlier revision.
const OUTDATED: &str =
    "r.completed_at IS NOT NULL AND r.rank_class IS NOT NULL AND r.scoring_rev < e.scoring_rev";

const CLAIM: &str = "UPDATE rescoring SET lease_owner = $1, lease_until = {in:$2}, epoch = epoch + 1 \
     WHERE experiment_id = (SELECT r.experiment_id FROM rescoring r WHERE {free} ORDER BY r.experiment_id LIMIT 1 {lock r skip}) \
     RETURNING experiment_id, epoch, requests, done, leader, by_whom, (SELECT COUNT(*) FROM run r \
     JOIN experiment e ON e.id = r.experiment_id WHERE r.experiment_id = rescoring.experiment_id AND {outdated}) AS open_runs";

const RENEW: &str = "UPDATE rescoring SET lease_until = {in:$3} WHERE experiment_id = $1 AND epoch = $2";

const RUN: &str = "SELECT r.id, r.experiment_id, r.config, r.status, r.done, r.scores_version, r.scoring_rev, \
     r.counted_answer, e.revision, e.scoring_rev AS current_scoring FROM run r \
     JOIN experiment e ON e.id = r.experiment_id";

const RATINGS: &str = "SELECT sample_index, by_whom, kind, scorer_name, value, metadata, comment, at FROM rating \
     WHERE run_id = $1 ORDER BY at, id";

/// Outputs of listed runs that got through the last stage and that no person has rated.
const UNRATED: &str = "SELECT r.id, s.sample_index FROM run r JOIN stage_result s ON s.run_id = r.id \
     WHERE r.experiment_id = $1 AND r.listed = 1 AND (r.id, s.sample_index) > ($2, $3) AND s.repeat = 1 \
     AND s.stage_index = $4 AND s.error IS NULL AND NOT EXISTS (SELECT 1 FROM rating t WHERE t.run_id = r.id \
     AND t.kind <> 'posted' AND (t.sample_index IS NULL OR t.sample_index = s.sample_index)) \
     ORDER BY r.id, s.sample_index LIMIT $5";

#[async_trait]
impl RescoringStore for Stores {
    async fn ask_rescoring(&self, experiment: ExperimentId, by: &str) -> Result<(), StoreError> {
        let (database, by) = (std::sync::Arc::clone(&self.database), by.to_owned());
        let asked = self.database.detached(async move {
            let transaction = database.writer.begin().await?;
            let session = Session { connection: &transaction, dialect: database.dialect() };
            revise(session, experiment, by).await?;
            transaction.commit().await
        });
        asked.await.map_err(failed)
    }

    async fn claim_rescoring(
        &self,
        by: WorkerId,
        lease: Duration,
    ) -> Result<Option<RescoringClaim>, StoreError> {
        let free = if self.takeovers.are_allowed(by) {
            "(r.lease_owner IS NULL OR r.lease_owner = $1 OR r.lease_until < {now})"
        } else {
            "(r.lease_owner IS NULL OR r.lease_owner = $1)"
        };
        let is_there = format!("SELECT 1 AS there FROM rescoring r WHERE {free} LIMIT 1");
        let found = self.database.read().one(&is_there, vec![id(by.bits())]).await.map_err(failed)?;
        if found.is_none() {
            return Ok(None);
        }
        let sql = CLAIM.replace("{free}", free).replace("{outdated}", OUTDATED);
        let values = vec![id(by.bits()), milliseconds(lease)];
        let row = self.database.write().one(&sql, values).await.map_err(failed)?;
        row.map(|row| claim(Row(&row))).transpose().map_err(failed)
    }

    async fn renew_rescoring(
        &self,
        experiment: ExperimentId,
        epoch: i64,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let values = vec![id(experiment.bits()), whole(epoch), milliseconds(lease)];
        let renewed = self.database.write().execute(RENEW, values).await.map_err(failed)?;
        Ok(renewed.rows_affected() > 0)
    }

    async fn outdated(
        &self,
        experiment: ExperimentId,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<ScoredRun>, StoreError> {
        let which = format!("r.experiment_id = $1 AND r.id > $2 AND {OUTDATED} ORDER BY r.id LIMIT $3");
        let values = vec![id(experiment.bits()), id(after.map_or(0, RunId::bits)), whole(limit)];
        self.scored_runs(&which, values).await.map_err(failed)
    }

    async fn scored_run(&self, run: RunId) -> Result<Option<ScoredRun>, StoreError> {
        let which = "r.id = $1 AND r.completed_at IS NOT NULL AND r.rank_class IS NOT NULL";
        Ok(self.scored_runs(which, vec![id(run.bits())]).await.map_err(failed)?.pop())
    }

    async fn outputs(
        &self,
        run: RunId,
        after: Option<(u32, u32, u32)>,
        limit: usize,
    ) -> Result<Vec<StoredOutput>, StoreError> {
        let rows = self.result_rows("r.error, r.recall", run, after, limit).await.map_err(failed)?;
        read_all(&rows, output).map_err(failed)
    }

    async fn stored_scores(&self, run: RunId) -> Result<Vec<StoredScore>, StoreError> {
        self.scores_of(run).await.map_err(failed)
    }

    async fn ratings(&self, run: RunId) -> Result<Vec<Rating>, StoreError> {
        let rows = self.database.read().all(RATINGS, vec![id(run.bits())]).await.map_err(failed)?;
        read_all(&rows, |row| rating(row, self.database.dialect())).map_err(failed)
    }

    async fn unrated(
        &self,
        experiment: ExperimentId,
        last_stage: u32,
        after: Option<(RunId, u32)>,
        limit: usize,
    ) -> Result<Vec<UnratedOutput>, StoreError> {
        let (run, sample) = after.map_or((0, -1), |(run, sample)| (run.bits(), i64::from(sample)));
        let values = vec![id(experiment.bits()), id(run), whole(sample), whole(last_stage), whole(limit)];
        let rows = self.database.read().all(UNRATED, values).await.map_err(failed)?;
        let read =
            |row: Row<'_>| Ok(UnratedOutput { run: row.run_id("id")?, sample: row.small("sample_index")? });
        read_all(&rows, read).map_err(failed)
    }
}

impl Stores {
    async fn scored_runs(&self, which: &str, values: Vec<Bound>) -> Result<Vec<ScoredRun>, DbErr> {
        let rows = self.database.read().all(&format!("{RUN} WHERE {which}"), values).await?;
        let mut runs = read_all(&rows, scored_run)?;
        let ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
        let mut blocks = self.blocks(&ids).await?;
        for run in &mut runs {
            run.blocks = blocks.remove(&run.id).unwrap_or_default();
        }
        Ok(runs)
    }

    /// How many samples are done with each block of these runs.
    async fn blocks(&self, runs: &[RunId]) -> Result<BTreeMap<RunId, Vec<u32>>, DbErr> {
        let mut blocks: BTreeMap<RunId, Vec<u32>> = BTreeMap::new();
        for (chunk, placeholders) in padded(runs) {
            let sql = format!(
                "SELECT run_id, upto FROM block WHERE run_id IN ({placeholders}) ORDER BY run_id, no"
            );
            let values = chunk.map(|run| id(run.bits())).collect();
            for row in self.database.read().all(&sql, values).await? {
                blocks.entry(Row(&row).run_id("run_id")?).or_default().push(Row(&row).small("upto")?);
            }
        }
        Ok(blocks)
    }
}

fn claim(row: Row<'_>) -> Result<RescoringClaim, DbErr> {
    Ok(RescoringClaim {
        experiment: ExperimentId::new(row.id("experiment_id")?),
        epoch: row.whole("epoch")?,
        requests: row.whole("requests")?,
        done: row.count("done")?,
        left: row.count("open_runs")?,
        leader: row.maybe_id("leader")?.map(RunId::new),
        by: row.maybe_text("by_whom")?,
    })
}

fn scored_run(row: Row<'_>) -> Result<ScoredRun, DbErr> {
    let status = row.text("status")?;
    Ok(ScoredRun {
        id: row.run_id("id")?,
        experiment: ExperimentId::new(row.id("experiment_id")?),
        form: ExperimentForm { revision: row.whole("revision")?, scoring_rev: row.whole("current_scoring")? },
        config: config(row)?,
        status: RunStatus::parse(&status).ok_or_else(|| corrupt(format!("run status {status}")))?,
        done: row.small("done")?,
        blocks: Vec::new(),
        version: row.whole("scores_version")?,
        scoring_rev: row.maybe_whole("scoring_rev")?.unwrap_or_default(),
        counted_answer: AnswerId(row.whole("counted_answer")?),
    })
}

fn output(row: Row<'_>) -> Result<StoredOutput, DbErr> {
    let answered = row.maybe_whole("answer_id")?.is_some();
    Ok(StoredOutput {
        sample: row.small("sample_index")?,
        repeat: row.small("repeat")?,
        stage: row.small("stage_index")?,
        reply: answered.then(|| reply(row)).transpose()?,
        cost: row.maybe_money("cost_nano")?,
        recall: row.maybe_json("recall")?.as_ref().and_then(recall),
        error: row.maybe_json("error")?.as_ref().map(stage_error),
    })
}
