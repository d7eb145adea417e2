//! An experiment's runs, ranked.

use std::collections::HashMap;

use domain::id::{ExperimentId, RunId};
use domain::leaderboard::{Contender, Standing, standings};
use thiserror::Error;

use crate::ports::{ExperimentStore, RunStore, RunSummary, StoreError};

/// One row of a leaderboard.
#[derive(Debug, Clone)]
pub struct Row {
    /// The run.
    pub run: RunSummary,
    /// Its place.
    pub standing: Standing,
    /// How often each sample was asked.
    pub repeats: u32,
}

/// Why there is no leaderboard.
#[derive(Debug, Error)]
pub enum LeaderboardError {
    /// There is no such experiment.
    #[error("there is no such experiment")]
    NoExperiment,
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The most runs that are ranked against each other; those behind them are far from leading.
const MOST: usize = 500;

/// The leaderboard of an experiment: of each configuration the newest finished run.
///
/// # Errors
/// Where there is no such experiment, or a store fails.
pub async fn leaderboard(
    experiments: &dyn ExperimentStore,
    runs: &dyn RunStore,
    experiment: ExperimentId,
) -> Result<Vec<Row>, LeaderboardError> {
    let stored = experiments.experiment(experiment).await?.ok_or(LeaderboardError::NoExperiment)?;
    let board = runs.board(experiment, MOST).await?;
    let ids: Vec<RunId> = board.iter().map(|run| run.id).collect();
    let repeats = stored.definition.repeats();
    let contenders = runs.vectors(&ids).await?.into_iter().map(|vector| {
        let mut scores = vector.scores;
        scores.resize(stored.samples as usize, f64::NAN);
        Contender { run: vector.run, scores, repeats }
    });
    let placed = standings(&contenders.collect::<Vec<_>>());
    let mut by_id: HashMap<RunId, RunSummary> = board.into_iter().map(|run| (run.id, run)).collect();
    let rows = placed.into_iter().filter_map(|standing| {
        let run = by_id.remove(&standing.run)?;
        Some(Row { run, standing, repeats })
    });
    Ok(rows.collect())
}

impl Row {
    /// US dollars for one sample asked once, where prices are known.
    #[must_use]
    pub fn cost_per_sample(&self) -> Option<f64> {
        Some(self.run.cost?.dollars() / self.asked()?)
    }

    /// Milliseconds for one sample asked once, all stages together.
    #[must_use]
    pub fn latency_per_sample(&self) -> Option<f64> {
        Some(self.run.latency_ms as f64 / self.asked()?)
    }

    fn asked(&self) -> Option<f64> {
        Some(f64::from(self.run.done) * f64::from(self.repeats)).filter(|asked| *asked > 0.0)
    }
}
