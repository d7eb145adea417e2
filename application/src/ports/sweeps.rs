use std::time::Duration;

use async_trait::async_trait;
use domain::id::{ExperimentId, RunId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::strategy::{BlockOutcome, TrialChange};
use domain::sweep::{SweepKind, SweepLimits, SweepStatus};
use domain::time::Timestamp;

use super::StoreError;

/// A sweep as it is stored: the small row that decisions rest on.
#[derive(Debug, Clone)]
pub struct StoredSweep {
    /// Its id.
    pub id: SweepId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// How it chooses.
    pub kind: SweepKind,
    /// What its random choices hang on.
    pub seed: u64,
    /// What it may use up.
    pub limits: SweepLimits,
    /// Where it stands.
    pub status: SweepStatus,
    /// Changes with every move.
    pub version: i64,
    /// Which lease of it this is; 0 where it was only looked at.
    pub epoch: i64,
    /// Decisions on its trials so far.
    pub asks: u64,
    /// Trials launched.
    pub asked: u64,
    /// Those that were configurations the sweep had already.
    pub duplicates: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A sweep's counters, which change with every block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepTotals {
    /// Runs that ended with paid calls.
    pub completed: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs answered from the cache alone.
    pub cached: u64,
    /// Runs ended early.
    pub pruned: u64,
    /// Runs cancelled.
    pub cancelled: u64,
    /// Runs claimed and not over.
    pub running: u64,
    /// Samples done, over all runs.
    pub samples: u64,
    /// Tokens paid.
    pub tokens: Tokens,
    /// Money paid; `None` where some price is not known.
    pub cost: Option<NanoDollars>,
    /// Calls paid.
    pub calls: u64,
    /// Calls answered from the cache.
    pub hits: u64,
    /// Calls whose outcome nobody knows: they may have been billed.
    pub unknown: u64,
    /// The most tokens that those can have used up; counted where the sweep has a budget.
    pub unknown_tokens: u64,
}

impl SweepTotals {
    /// Runs that are over.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.completed + self.failed + self.cached + self.pruned + self.cancelled
    }
}

/// Keeps sweeps.
#[async_trait]
pub trait SweepStore: Send + Sync {
    /// Takes running sweeps that nobody conducts, and those that this worker conducts already; with `only`, no other
    /// than that one. The lease lasts `lease` from now, by the database's clock.
    async fn conduct(
        &self,
        by: WorkerId,
        lease: Duration,
        only: Option<SweepId>,
    ) -> Result<Vec<StoredSweep>, StoreError>;

    /// The sweeps that [`conduct`](Self::conduct) would give, with their versions; nothing is taken.
    async fn conductible(
        &self,
        by: WorkerId,
        only: Option<SweepId>,
    ) -> Result<Vec<(SweepId, i64)>, StoreError>;

    /// A sweep.
    async fn sweep(&self, id: SweepId) -> Result<Option<StoredSweep>, StoreError>;

    /// The newest sweep of an experiment.
    async fn latest(&self, experiment: ExperimentId) -> Result<Option<StoredSweep>, StoreError>;

    /// An experiment's sweeps, newest first, those before the given one, at most `limit`.
    async fn sweeps(
        &self,
        experiment: ExperimentId,
        before: Option<SweepId>,
        limit: usize,
    ) -> Result<Vec<StoredSweep>, StoreError>;

    /// A sweep's counters.
    async fn totals(&self, id: SweepId) -> Result<SweepTotals, StoreError>;
}

/// What was decided of a trial, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDecision {
    /// Which decision of the sweep it belongs to, from 0: what the guide was asked once.
    pub ask: u64,
    /// The last block that the guide had been told of then.
    pub seen: u64,
    /// The trial.
    pub trial: u64,
    /// Its run: its own, or the one that had its configuration first.
    pub run: RunId,
    /// What was decided.
    pub change: TrialChange,
}

/// What a sweep's history is made of. Both logs only grow, and are read alike by whoever conducts the sweep.
#[async_trait]
pub trait OutcomeLog: Send + Sync {
    /// All that was decided of a sweep's trials, by the number of the decision.
    async fn decisions(&self, sweep: SweepId) -> Result<Vec<StoredDecision>, StoreError>;

    /// Finished blocks of a sweep's runs in the order in which they were stored, those after the given number, at most
    /// `limit`. Once a block has been read, none appears before it any more.
    async fn outcomes(
        &self,
        sweep: SweepId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<BlockOutcome>, StoreError>;
}
