//! What failed of an experiment's runs, and what is odd about their answers.

use std::collections::BTreeMap;

use application::ports::{FailureStore, OddAnswers, SampleFailures, ScoreFailures, StoreError};
use async_trait::async_trait;
use domain::call::Flags;
use domain::id::{ExperimentId, RunId, SweepId};
use domain::run::RunError;
use sea_orm::{DbErr, Value as Bound};

use crate::batch::padded;
use crate::dialect::{failed, id};
use crate::open::Stores;
use crate::rows::{Row, read_all};
use crate::run_rows::{flag_counts, run_error, stage_error, totals_of};

#[async_trait]
impl FailureStore for Stores {
    async fn failed_samples(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<Vec<SampleFailures>, StoreError> {
        let (runs, values) = scope(experiment, sweep);
        let sql = format!(
            "SELECT s.stage_index, s.error, COUNT(*) AS samples FROM run r JOIN stage_result s ON s.run_id = r.id \
             WHERE {runs} AND r.failures > 0 AND s.error IS NOT NULL GROUP BY s.stage_index, s.error"
        );
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, sample_failures).map_err(failed)
    }

    async fn failed_runs(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<Vec<RunError>, StoreError> {
        let (runs, values) = scope(experiment, sweep);
        let sql = format!(
            "SELECT r.error FROM run r WHERE {runs} AND r.status = 'failed' AND r.failures = 0 \
             AND r.error IS NOT NULL LIMIT 1000"
        );
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, |row| Ok(run_error(&row.json("error")?))).map_err(failed)
    }

    async fn failed_scores(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<Vec<ScoreFailures>, StoreError> {
        let runs = self.runs_with_failed_scores(experiment, sweep).await.map_err(failed)?;
        self.score_failures(&runs).await.map_err(failed)
    }

    async fn odd_answers(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<OddAnswers, StoreError> {
        let (runs, values) = scope(experiment, sweep);
        let sums = Flags::default()
            .named()
            .map(|(name, _)| format!("CAST(COALESCE(SUM({name}), 0) AS bigint) AS {name}"));
        let mixed = "CAST(COALESCE(SUM(mixed), 0) AS bigint) AS mixed";
        let sql = format!("SELECT {}, {mixed} FROM run r WHERE {runs}", sums.join(", "));
        let row = self.database.read().one(&sql, values).await.map_err(failed)?;
        let odd = |row: Row<'_>| Ok(OddAnswers { flags: flag_counts(row)?, mixed_runs: row.count("mixed")? });
        row.map_or(Ok(OddAnswers::default()), |row| odd(Row(&row))).map_err(failed)
    }
}

/// The names of a run's scorers, by number.
type ScorerNames = BTreeMap<RunId, Vec<String>>;

impl Stores {
    async fn runs_with_failed_scores(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<ScorerNames, DbErr> {
        let (runs, values) = scope(experiment, sweep);
        let sql = format!("SELECT r.id, r.scores FROM run r WHERE {runs} AND r.scores IS NOT NULL");
        let mut found = ScorerNames::new();
        for row in self.database.read().all(&sql, values).await? {
            let totals = totals_of(Row(&row))?;
            if totals.iter().any(|total| total.failed > 0) {
                let names = totals.into_iter().map(|total| total.name).collect();
                found.insert(Row(&row).run_id("id")?, names);
            }
        }
        Ok(found)
    }

    async fn score_failures(&self, of: &ScorerNames) -> Result<Vec<ScoreFailures>, DbErr> {
        let runs: Vec<RunId> = of.keys().copied().collect();
        let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        for (chunk, placeholders) in padded(&runs) {
            let sql = format!(
                "SELECT run_id, scorer_no, error, COUNT(*) AS scores FROM score \
                 WHERE run_id IN ({placeholders}) AND error IS NOT NULL GROUP BY run_id, scorer_no, error"
            );
            let values = chunk.map(|run| id(run.bits())).collect();
            for row in self.database.read().all(&sql, values).await? {
                let row = Row(&row);
                let number = row.small("scorer_no")? as usize;
                let name = of.get(&row.run_id("run_id")?).and_then(|names| names.get(number));
                let reason = (name.cloned().unwrap_or_default(), row.text("error")?);
                *counts.entry(reason).or_default() += row.count("scores")?;
            }
        }
        let counts = counts.into_iter();
        Ok(counts.map(|((scorer, error), scores)| ScoreFailures { scorer, error, scores }).collect())
    }
}

/// The condition that selects the runs of an experiment or of one of its sweeps, with alias `r`, and its values.
fn scope(experiment: ExperimentId, sweep: Option<SweepId>) -> (&'static str, Vec<Bound>) {
    match sweep {
        None => ("r.experiment_id = $1", vec![id(experiment.bits())]),
        Some(sweep) => {
            ("r.experiment_id = $1 AND r.sweep_id = $2", vec![id(experiment.bits()), id(sweep.bits())])
        }
    }
}

fn sample_failures(row: Row<'_>) -> Result<SampleFailures, DbErr> {
    Ok(SampleFailures {
        stage: row.small("stage_index")?,
        error: stage_error(&row.json("error")?),
        samples: row.count("samples")?,
    })
}
