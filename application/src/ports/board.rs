use std::time::Duration;

use async_trait::async_trait;
use domain::id::{ExperimentId, RunId};
use domain::leaderboard::Standing;
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::run::RunStatus;
use domain::run::ScorerTotal;
use domain::value::Map;

use super::StoreError;
use super::run_list::{RunListing, RunQuery};

/// A run as leaderboards show it.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardRun {
    /// Its id.
    pub id: RunId,
    /// The values of its active dimensions.
    pub values: Map,
    /// Its status.
    pub status: RunStatus,
    /// Samples done.
    pub done: u32,
    /// Mean score.
    pub score: Option<f64>,
    /// Its 95 % confidence interval.
    pub interval: Option<(f64, f64)>,
    /// Samples with a score.
    pub n: u32,
    /// Under nine tenths of its samples have a score.
    pub partial: bool,
    /// Each scorer's totals.
    pub scores: Vec<ScorerTotal>,
    /// Tokens, cached calls included.
    pub tokens: Tokens,
    /// Cost, cached calls included.
    pub cost: Option<NanoDollars>,
    /// Latency of all calls together, in milliseconds.
    pub latency_ms: u64,
}

/// Standings as they were computed last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standings {
    /// The runs that were compared with each other, best first.
    pub compared: Vec<Standing>,
    /// The first runs of the board, best first, beyond those that were compared.
    pub order: Vec<RunId>,
}

/// The state of a board.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BoardState {
    /// Its standings, once they have been computed.
    pub standings: Standings,
    /// Whether they are up to date with the runs.
    pub is_current: bool,
}

/// Reads leaderboards: of each configuration the newest finished run.
#[async_trait]
pub trait BoardStore: Send + Sync {
    /// A page of an experiment's board.
    async fn board(&self, query: RunQuery) -> Result<RunListing<BoardRun>, StoreError>;

    /// The first on the board by rank.
    async fn leader(&self, experiment: ExperimentId) -> Result<Option<BoardRun>, StoreError>;

    /// The standings on a board.
    async fn board_state(&self, experiment: ExperimentId) -> Result<BoardState, StoreError>;
}

/// A board whose standings are to be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingsClaim {
    /// The experiment.
    pub experiment: ExperimentId,
    /// The revision of its board that they are computed of.
    pub rev: i64,
}

/// A run's place on the board as it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankedRun {
    /// The run.
    pub run: RunId,
    /// What ranks it.
    pub score: Option<f64>,
    /// Under nine tenths of its samples have a score.
    pub partial: bool,
}

/// Keeps standings, which are computed once for all who read them.
#[async_trait]
pub trait StandingsStore: Send + Sync {
    /// Takes a board whose runs have changed since its standings were computed, so that no other process computes them
    /// for as long as `lease`: one that no process has taken and that need not rest, or `at_once` the one of this
    /// experiment.
    async fn claim_standings(
        &self,
        lease: Duration,
        at_once: Option<ExperimentId>,
    ) -> Result<Option<StandingsClaim>, StoreError>;

    /// The first runs of a board by rank, at most `limit`.
    async fn ranked(&self, experiment: ExperimentId, limit: usize) -> Result<Vec<RankedRun>, StoreError>;

    /// Stores standings, unless newer ones are there; the board is then left to rest for a while. Partial runs stand
    /// where the standings put them.
    async fn put_standings(
        &self,
        of: StandingsClaim,
        standings: Standings,
        rest: Duration,
    ) -> Result<(), StoreError>;
}
