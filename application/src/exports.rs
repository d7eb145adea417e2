//! Exports configurations.

use std::sync::Arc;

use domain::access::{Actor, Identity};
use domain::export::Export;
use domain::id::{ExperimentId, ExportId, RunId, SweepId};
use domain::problem::Problem;
use thiserror::Error;

use crate::catalog;
use crate::failures::{self, FailureGroup, ScoreFailureGroup};
use crate::leaderboard::{LeaderboardError, Leaderboards, Row};
use crate::ports::{
    Clock, ExperimentFilter, ExperimentStore, ExportRecord, FactStore, FailureStore, Ids, OddAnswers,
    ProjectStore, RunStore, RunSummary, StoreError, StoredExperiment,
};
use crate::refusal::{Refusal, Resource};
use crate::report::{self, Findings};

/// Why nothing was exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// There is no such experiment.
    #[error("there is no such experiment")]
    NoExperiment,
    /// The experiment has no such run.
    #[error("the experiment has no run {0}")]
    NoRun(RunId),
    /// No run has a score yet.
    #[error("no run has finished with a score yet")]
    NoWinner,
    /// The stored configuration does not fit the experiment.
    #[error("the run's configuration does not fit the experiment: {0}")]
    Configuration(Problem),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LeaderboardError> for ExportError {
    fn from(error: LeaderboardError) -> Self {
        match error {
            LeaderboardError::NoExperiment => Self::NoExperiment,
            LeaderboardError::Store(error) => Self::Store(error),
        }
    }
}

/// What the use cases need from the world.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub experiments: Arc<dyn ExperimentStore>,
    pub facts: Arc<dyn FactStore>,
    pub failures: Arc<dyn FailureStore>,
    pub ids: Arc<dyn Ids>,
    pub projects: Arc<dyn ProjectStore>,
    pub runs: Arc<dyn RunStore>,
}

/// The use cases of exports.
pub struct Exports {
    ports: Ports,
    leaderboards: Arc<Leaderboards>,
}

impl Exports {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(ports: Ports, leaderboards: Arc<Leaderboards>) -> Self {
        Self { ports, leaderboards }
    }

    /// The configuration of a run, or of the best one.
    ///
    /// # Errors
    /// Where there is no such thing.
    pub async fn configuration(
        &self,
        experiment: ExperimentId,
        run: Option<RunId>,
    ) -> Result<Export, ExportError> {
        let stored = self.experiment(experiment).await?;
        let (run, score) = match run {
            Some(id) => {
                let run = self.ports.runs.run(id).await?.filter(|run| run.experiment == experiment);
                let run = run.ok_or(ExportError::NoRun(id))?;
                let score = run.score;
                (run, score)
            }
            None => {
                let first = self.leaderboards.first(experiment, 1).await?.rows.pop();
                let first = first.filter(|row| row.standing.score.is_some()).ok_or(ExportError::NoWinner)?;
                let run = self.ports.runs.run(first.run.id).await?.ok_or(ExportError::NoRun(first.run.id))?;
                (run, first.standing.score)
            }
        };
        let configuration =
            catalog::restore(&stored.definition, &run.config).map_err(ExportError::Configuration)?;
        Ok(Export::new(&configuration, score, stored.definition.name(), self.ports.clock.now()))
    }

    /// Notes in the project's history that somebody took something along; guests leave no trace.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn record(
        &self,
        by: &Actor,
        experiment: ExperimentId,
        run: Option<RunId>,
        format: &str,
    ) -> Result<(), ExportError> {
        if *by.identity() == Identity::Guest {
            return Ok(());
        }
        let project = self.ports.facts.facts(experiment).await?.ok_or(ExportError::NoExperiment)?.project;
        let record = ExportRecord {
            id: ExportId::new(self.ports.ids.next()),
            experiment,
            run,
            format: format.to_owned(),
            by: by.identity().name().to_owned(),
            at: self.ports.clock.now(),
        };
        Ok(self.ports.projects.record_export(project, record).await?)
    }

    /// The top of the leaderboard.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn board(&self, experiment: ExperimentId) -> Result<Vec<Row>, ExportError> {
        Ok(self.leaderboards.top(experiment).await?)
    }

    /// A report in Markdown, with the configuration of a run, or of the best one where there is any.
    ///
    /// # Errors
    /// Where there is no such experiment or run.
    pub async fn report(&self, experiment: ExperimentId, run: Option<RunId>) -> Result<String, ExportError> {
        let stored = self.experiment(experiment).await?;
        let board = self.board(experiment).await?;
        let runs = self.runs(experiment).await?;
        let best = match self.configuration(experiment, run).await {
            Ok(best) => Some(best),
            Err(ExportError::NoWinner) => None,
            Err(error) => return Err(error),
        };
        let failures = self.failures(experiment, None).await?;
        let failed_scores = self.failed_scores(experiment, None).await?;
        let odd = self.odd_answers(experiment, None).await?;
        let findings = Findings {
            best: best.as_ref(),
            board: &board,
            runs: &runs,
            failures: &failures,
            failed_scores: &failed_scores,
            odd,
        };
        Ok(report::markdown(&stored, &findings))
    }

    /// Why samples and runs failed: of the whole experiment, or of one sweep.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn failures(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<Vec<FailureGroup>, ExportError> {
        let facts = self.ports.facts.facts(experiment).await?.ok_or(ExportError::NoExperiment)?;
        let samples = self.ports.failures.failed_samples(experiment, sweep).await?;
        let runs = self.ports.failures.failed_runs(experiment, sweep).await?;
        Ok(failures::grouped(&facts.outline.stages, samples, runs))
    }

    /// Why scores failed: of the whole experiment, or of one sweep.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn failed_scores(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<Vec<ScoreFailureGroup>, ExportError> {
        Ok(failures::of_scorers(self.ports.failures.failed_scores(experiment, sweep).await?))
    }

    /// What is odd about the answers of the whole experiment, or of one sweep.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn odd_answers(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<OddAnswers, ExportError> {
        Ok(self.ports.failures.odd_answers(experiment, sweep).await?)
    }

    /// The names of the newest experiments, each once, at most `limit`.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn newest_names(&self, limit: usize) -> Result<Vec<String>, ExportError> {
        /// Several experiments may have one name, as after each change of a file.
        const LOOKED_AT: usize = 50;
        let newest = self.ports.experiments.summaries(ExperimentFilter::default(), LOOKED_AT).await?;
        let mut names: Vec<String> = Vec::new();
        for summary in newest {
            if names.len() < limit && !names.contains(&summary.name) {
                names.push(summary.name);
            }
        }
        Ok(names)
    }

    /// Every run, oldest first.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn runs(&self, experiment: ExperimentId) -> Result<Vec<RunSummary>, ExportError> {
        const PAGE: usize = 500;
        let mut all: Vec<RunSummary> = Vec::new();
        loop {
            let page = self.ports.runs.list(experiment, all.last().map(|run| run.id), PAGE).await?;
            let full = page.len() == PAGE;
            all.extend(page);
            if !full {
                return Ok(all);
            }
        }
    }

    /// Finds out whether there is such an experiment.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn check(&self, experiment: ExperimentId) -> Result<(), ExportError> {
        self.ports.facts.facts(experiment).await?.map(drop).ok_or(ExportError::NoExperiment)
    }

    /// The experiment itself.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn experiment(&self, experiment: ExperimentId) -> Result<StoredExperiment, ExportError> {
        self.ports.experiments.experiment(experiment).await?.ok_or(ExportError::NoExperiment)
    }

    /// The experiment with this id, or the newest one of this name.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn find(&self, name_or_id: &str) -> Result<ExperimentId, ExportError> {
        if let Ok(id) = name_or_id.parse() {
            return self.check(id).await.map(|()| id);
        }
        self.ports.experiments.by_name(name_or_id).await?.first().copied().ok_or(ExportError::NoExperiment)
    }
}

impl From<ExportError> for Refusal {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NoExperiment => Self::NotFound(Resource::Experiment),
            ExportError::NoRun(_) => Self::NotFound(Resource::Run),
            winner @ ExportError::NoWinner => Self::conflict("no_winner", winner.to_string()),
            ExportError::Configuration(problem) => Self::Invalid(vec![problem]),
            ExportError::Store(error) => Self::Store(error),
        }
    }
}
