//! An experiment's runs, ranked.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::id::{ExperimentId, RunId};
use domain::leaderboard::{Contender, Standing, is_partial, standings};
use domain::statistics::Interval;
use futures::lock::Mutex;
use thiserror::Error;

use crate::ports::{ExperimentStore, Offload, RunStore, RunSummary, StoreError, StoredExperiment, offloaded};

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

/// The most runs that are ranked against each other. Those behind them are listed as they are stored: they are far from
/// leading, and nothing is compared with them.
pub const COMPARED: usize = 500;
/// Experiments whose standings are remembered.
const REMEMBERED: usize = 64;

/// A place on a leaderboard that a page ends at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// After so many of the runs that are ranked against each other.
    Compared(usize),
    /// After this run, which has this rank, behind them.
    Beyond(usize, RunId),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compared(rank) => write!(f, "{rank}"),
            Self::Beyond(rank, run) => write!(f, "{rank}.{run}"),
        }
    }
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let rank = |text: &str| text.parse().map_err(|_| NoPlace);
        match text.split_once('.') {
            None => Ok(Self::Compared(rank(text)?)),
            Some((before, run)) => Ok(Self::Beyond(rank(before)?, run.parse().map_err(|_| NoPlace)?)),
        }
    }
}

/// The use cases of leaderboards.
pub struct Leaderboards {
    experiments: Arc<dyn ExperimentStore>,
    runs: Arc<dyn RunStore>,
    offload: Arc<dyn Offload>,
    known: Mutex<HashMap<ExperimentId, Known>>,
}

/// Standings as they were worked out last. Finished runs do not change, so they hold for these runs.
struct Known {
    runs: Vec<RunId>,
    standings: Vec<Standing>,
}

impl Leaderboards {
    /// The use cases over these ports.
    #[must_use]
    pub fn new(
        experiments: Arc<dyn ExperimentStore>,
        runs: Arc<dyn RunStore>,
        offload: Arc<dyn Offload>,
    ) -> Self {
        Self { experiments, runs, offload, known: Mutex::default() }
    }

    /// The runs that are ranked against each other, best first: of each configuration the newest finished run.
    ///
    /// # Errors
    /// Where there is no such experiment, or a store fails.
    pub async fn top(&self, experiment: ExperimentId) -> Result<Vec<Row>, LeaderboardError> {
        let stored = self.stored(experiment).await?;
        let board = self.runs.board(experiment, None, COMPARED).await?;
        self.ranked(&stored, board).await
    }

    /// Rows from a place on, at most `limit`, and the place where the next page begins.
    ///
    /// # Errors
    /// Where there is no such experiment, or a store fails.
    pub async fn page(
        &self,
        experiment: ExperimentId,
        from: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Row>, Option<Place>), LeaderboardError> {
        let stored = self.stored(experiment).await?;
        let (mut rows, behind) = match from.unwrap_or(Place::Compared(0)) {
            Place::Beyond(rank, run) => (Vec::new(), Some((rank, run))),
            Place::Compared(from) => {
                let board = self.runs.board(experiment, None, COMPARED).await?;
                let last = board.last().map(|run| run.id).filter(|_| board.len() == COMPARED);
                let ranked = self.ranked(&stored, board).await?;
                let all = ranked.len();
                let rows: Vec<Row> = ranked.into_iter().skip(from).take(limit).collect();
                let until = from.saturating_add(rows.len());
                if until < all {
                    return Ok((rows, Some(Place::Compared(until))));
                }
                (rows, last.map(|run| (all, run)))
            }
        };
        let Some((mut rank, mut after)) = behind else { return Ok((rows, None)) };
        let wanted = limit.saturating_sub(rows.len());
        let mut more = self.runs.board(experiment, Some(after), wanted + 1).await?;
        let is_last = more.len() <= wanted;
        more.truncate(wanted);
        for run in more {
            (rank, after) = (rank + 1, run.id);
            rows.push(uncompared(run, rank, &stored));
        }
        Ok((rows, (!is_last).then_some(Place::Beyond(rank, after))))
    }

    async fn stored(&self, experiment: ExperimentId) -> Result<StoredExperiment, LeaderboardError> {
        self.experiments.experiment(experiment).await?.ok_or(LeaderboardError::NoExperiment)
    }

    async fn ranked(
        &self,
        stored: &StoredExperiment,
        board: Vec<RunSummary>,
    ) -> Result<Vec<Row>, LeaderboardError> {
        let repeats = stored.definition.repeats();
        let placed = self.standings(stored, board.iter().map(|run| run.id).collect()).await?;
        let mut by_id: HashMap<RunId, RunSummary> = board.into_iter().map(|run| (run.id, run)).collect();
        let row = |standing: Standing| Some(Row { run: by_id.remove(&standing.run)?, standing, repeats });
        Ok(placed.into_iter().filter_map(row).collect())
    }

    /// Whoever asks while they are being worked out waits for them rather than working them out too.
    async fn standings(
        &self,
        stored: &StoredExperiment,
        runs: Vec<RunId>,
    ) -> Result<Vec<Standing>, StoreError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.get(&stored.id).filter(|known| known.runs == runs) {
            return Ok(known.standings.clone());
        }
        let repeats = stored.definition.repeats();
        let contenders = self.runs.vectors(&runs).await?.into_iter().map(|vector| {
            let mut scores = vector.scores;
            scores.resize(stored.samples as usize, f64::NAN);
            Contender { run: vector.run, scores, repeats }
        });
        let contenders: Vec<Contender> = contenders.collect();
        let standings = offloaded(&*self.offload, move || standings(&contenders)).await;
        let standings =
            standings.ok_or_else(|| StoreError::Unavailable("standings were not worked out".to_owned()))?;
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(stored.id, Known { runs, standings: standings.clone() });
        Ok(standings)
    }
}

/// A row behind those that are compared.
fn uncompared(run: RunSummary, rank: usize, stored: &StoredExperiment) -> Row {
    let (n, n_total) = (run.n as usize, stored.samples as usize);
    let standing = Standing {
        run: run.id,
        rank,
        score: run.score,
        interval: run.interval.map(|(low, high)| Interval { low, high }),
        n,
        n_total,
        partial: is_partial(n, n_total),
        score_shrunk: None,
        ties_best: false,
        p_best: None,
    };
    Row { run, standing, repeats: stored.definition.repeats() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back() {
        for place in [Place::Compared(0), Place::Compared(500), Place::Beyond(501, RunId::new(7))] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "x", "1.", "1.x", "-1"] {
            assert_eq!(wrong.parse::<Place>(), Err(NoPlace), "{wrong}");
        }
    }
}
