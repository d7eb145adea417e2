//! An experiment's runs, ranked. What takes long to compute is read as it was computed last; what a run came to is read with
//! the run, so that it is seen as soon as the run has ended.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::id::{ExperimentId, RunId};
use domain::leaderboard::Standing;
use domain::statistics::Interval;
use thiserror::Error;

use crate::ports::{
    BoardRun, BoardState, BoardStore, ExperimentFacts, FactStore, ListPlace, NoPlace, RunFilter, RunListing,
    RunOrder, RunQuery, StoreError,
};
use crate::refusal::{Refusal, Resource};

/// One row of a leaderboard.
#[derive(Debug, Clone)]
pub struct Row {
    /// The run.
    pub run: BoardRun,
    /// Its rank, from 1, where it is known: far down the board, in another order, it is not.
    pub rank: Option<usize>,
    /// What is said of it beside the others.
    pub standing: Standing,
    /// How often each sample was asked.
    pub repeats: u32,
}

/// Rows of a leaderboard.
#[derive(Debug, Clone)]
pub struct Board {
    /// The rows, in the order that was asked for.
    pub rows: Vec<Row>,
    /// Where the next page begins.
    pub next: Option<BoardPlace>,
    /// Whether ties and probabilities are of the runs as they are now.
    pub standings_are_current: bool,
}

/// A wish for a page of a leaderboard.
#[derive(Debug, Clone)]
pub struct BoardQuery {
    /// Which runs.
    pub filter: RunFilter,
    /// In which order.
    pub order: RunOrder,
    /// From which place on.
    pub from: Option<BoardPlace>,
    /// How many at most.
    pub limit: usize,
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

/// Rows that are shown of the top of a board where no page is asked for.
const TOP: usize = 500;

/// A place on a leaderboard that a page ends at.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardPlace {
    /// Rows up to it.
    pub rows: usize,
    /// The place in the list of runs.
    pub place: ListPlace,
}

impl fmt::Display for BoardPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.rows, self.place)
    }
}

impl FromStr for BoardPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (rows, place) = text.split_once('~').ok_or(NoPlace)?;
        Ok(Self { rows: rows.parse().map_err(|_| NoPlace)?, place: place.parse()? })
    }
}

/// The use cases of leaderboards.
pub struct Leaderboards {
    facts: Arc<dyn FactStore>,
    boards: Arc<dyn BoardStore>,
}

impl Leaderboards {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(facts: Arc<dyn FactStore>, boards: Arc<dyn BoardStore>) -> Self {
        Self { facts, boards }
    }

    /// The first rows by rank.
    ///
    /// # Errors
    /// Where there is no such experiment, or a store fails.
    pub async fn top(&self, experiment: ExperimentId) -> Result<Vec<Row>, LeaderboardError> {
        Ok(self.first(experiment, TOP).await?.rows)
    }

    /// The first page by rank.
    ///
    /// # Errors
    /// Where there is no such experiment, or a store fails.
    pub async fn first(&self, experiment: ExperimentId, limit: usize) -> Result<Board, LeaderboardError> {
        let facts = self.facts.facts(experiment).await?.ok_or(LeaderboardError::NoExperiment)?;
        let (filter, order) = (RunFilter::all(experiment), RunOrder::RANK);
        Ok(self.page(&facts, BoardQuery { filter, order, from: None, limit }).await?)
    }

    /// A page of the board of an experiment of which this is known.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn page(&self, facts: &ExperimentFacts, query: BoardQuery) -> Result<Board, StoreError> {
        let BoardQuery { filter, order, from, limit } = query;
        let counted = order == RunOrder::RANK && !filter.is_selective();
        let (before, after) = from.map_or((0, None), |from| (from.rows, Some(from.place)));
        let listing = self.boards.board(RunQuery { filter, order, after, limit }).await?;
        let state = self.boards.board_state(facts.id).await?;
        let rows = before.saturating_add(listing.items.len());
        let next = listing.next.clone().map(|place| BoardPlace { rows, place });
        let first_rank = counted.then_some(before + 1);
        let standings_are_current = state.is_current;
        Ok(Board { rows: joined(listing, &state, facts, first_rank), next, standings_are_current })
    }
}

/// The runs of a page with what the standings say of them.
fn joined(
    listing: RunListing<BoardRun>,
    state: &BoardState,
    facts: &ExperimentFacts,
    first_rank: Option<usize>,
) -> Vec<Row> {
    let compared: HashMap<RunId, &Standing> =
        state.standings.compared.iter().map(|standing| (standing.run, standing)).collect();
    let ranks: HashMap<RunId, usize> = match first_rank {
        Some(_) => HashMap::new(),
        None => state.standings.order.iter().copied().zip(1..).collect(),
    };
    let rows = listing.items.into_iter().enumerate().map(|(at, run)| {
        let rank = first_rank.map_or_else(|| ranks.get(&run.id).copied(), |first| Some(first + at));
        let standing = standing(&run, compared.get(&run.id).copied(), facts.samples as usize);
        Row { run, rank, standing, repeats: facts.repeats }
    });
    rows.collect()
}

/// What is said of a run: its own figures, and beside the others what was computed last. A partial run is shown where its
/// difference to the leader puts it.
fn standing(run: &BoardRun, compared: Option<&Standing>, samples: usize) -> Standing {
    let alone = Standing {
        run: run.id,
        score: run.score,
        interval: run.interval.map(|(low, high)| Interval { low, high }),
        n: run.n as usize,
        n_total: samples,
        partial: run.partial,
        score_shrunk: None,
        ties_best: false,
        p_best: None,
    };
    let Some(compared) = compared else { return alone };
    let shifted = run.partial && compared.partial;
    Standing {
        score: if shifted { compared.score } else { alone.score },
        interval: if shifted { compared.interval } else { alone.interval },
        score_shrunk: compared.score_shrunk,
        ties_best: compared.ties_best,
        p_best: compared.p_best,
        ..alone
    }
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

impl From<LeaderboardError> for Refusal {
    fn from(error: LeaderboardError) -> Self {
        match error {
            LeaderboardError::NoExperiment => Self::NotFound(Resource::Experiment),
            LeaderboardError::Store(error) => Self::Store(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::PlaceKey;

    #[test]
    fn places_read_back() {
        let place = ListPlace { key: PlaceKey::Rank(2, 0.5), run: RunId::new(7) };
        let place = BoardPlace { rows: 50, place };
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "x", "1~", "~a", "-1~a.x"] {
            assert_eq!(wrong.parse::<BoardPlace>(), Err(NoPlace), "{wrong}");
        }
    }
}
