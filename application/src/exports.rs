//! Hands configurations over.

use std::sync::Arc;

use domain::export::Export;
use domain::id::{ExperimentId, RunId};
use domain::problem::Problem;
use thiserror::Error;

use crate::catalog;
use crate::leaderboard::{LeaderboardError, Row, leaderboard};
use crate::ports::{Clock, ExperimentStore, RunStore, RunSummary, StoreError, StoredExperiment};

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

/// The use cases of exports.
pub struct Exports {
    experiments: Arc<dyn ExperimentStore>,
    runs: Arc<dyn RunStore>,
    clock: Arc<dyn Clock>,
}

impl Exports {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(
        experiments: Arc<dyn ExperimentStore>,
        runs: Arc<dyn RunStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { experiments, runs, clock }
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
                let run = self.runs.run(id).await?.filter(|run| run.experiment == experiment);
                let run = run.ok_or(ExportError::NoRun(id))?;
                let score = run.score;
                (run, score)
            }
            None => {
                let first = self.board(experiment).await?.into_iter().next();
                let first = first.filter(|row| row.standing.score.is_some()).ok_or(ExportError::NoWinner)?;
                (first.run, first.standing.score)
            }
        };
        let configuration =
            catalog::restore(&stored.definition, &run.config).map_err(ExportError::Configuration)?;
        Ok(Export::new(&configuration, score, stored.definition.name(), self.clock.now()))
    }

    /// The leaderboard.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn board(&self, experiment: ExperimentId) -> Result<Vec<Row>, ExportError> {
        Ok(leaderboard(&*self.experiments, &*self.runs, experiment).await?)
    }

    /// Every run, oldest first.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn runs(&self, experiment: ExperimentId) -> Result<Vec<RunSummary>, ExportError> {
        const PAGE: usize = 500;
        let mut all: Vec<RunSummary> = Vec::new();
        loop {
            let page = self.runs.list(experiment, all.last().map(|run| run.id), PAGE).await?;
            let full = page.len() == PAGE;
            all.extend(page);
            if !full {
                return Ok(all);
            }
        }
    }

    /// The experiment itself.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn experiment(&self, experiment: ExperimentId) -> Result<StoredExperiment, ExportError> {
        self.experiments.experiment(experiment).await?.ok_or(ExportError::NoExperiment)
    }

    /// The experiment with this id, or the newest one of this name.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn find(&self, name_or_id: &str) -> Result<ExperimentId, ExportError> {
        if let Ok(id) = name_or_id.parse() {
            return self.experiment(id).await.map(|stored| stored.id);
        }
        self.experiments.by_name(name_or_id).await?.first().copied().ok_or(ExportError::NoExperiment)
    }
}
