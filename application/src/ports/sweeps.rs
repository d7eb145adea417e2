use std::time::Duration;

use async_trait::async_trait;
use domain::id::{ExperimentId, RunId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::strategy::{BlockOutcome, TrialChange};
use domain::sweep::{SweepKind, SweepLimits, SweepStatus};
use domain::time::Timestamp;

use super::StoreError;

/// A stored sweep, without its space.
#[derive(Debug, Clone)]
pub struct StoredSweep {
    /// Its id.
    pub id: SweepId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// Its strategy.
    pub kind: SweepKind,
    /// The seed of its random choices.
    pub seed: u64,
    /// Its limits.
    pub limits: SweepLimits,
    /// Its status.
    pub status: SweepStatus,
    /// Rises with every change of its status or limits.
    pub version: i64,
    /// The epoch of the conductor's lease; 0 if the sweep was only read.
    pub epoch: i64,
    /// The number of decisions on its trials so far.
    pub asks: u64,
    /// Trials launched.
    pub asked: u64,
    /// Trials whose configuration the sweep had already.
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
    /// Runs that workers hold.
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
    /// Calls of unknown outcome, which may have been billed.
    pub unknown: u64,
    /// The most tokens that those can have used; counted if the sweep has a budget.
    pub unknown_tokens: u64,
}

impl SweepTotals {
    /// Runs that are over.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.completed + self.failed + self.cached + self.pruned + self.cancelled
    }
}

/// Stores sweeps.
#[async_trait]
pub trait SweepStore: Send + Sync {
    /// Leases running sweeps that no live worker conducts, and renews those that this worker conducts; with `only`, that
    /// sweep alone. The lease lasts `lease` from now, by the database's clock.
    async fn conduct(
        &self,
        by: WorkerId,
        lease: Duration,
        only: Option<SweepId>,
    ) -> Result<Vec<StoredSweep>, StoreError>;

    /// The sweeps that [`conduct`](Self::conduct) would return, with their versions, without leasing any.
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

/// A stored decision on a trial.
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

/// The two logs that a sweep's history is built from. Both only grow, so every conductor reads the same history.
#[async_trait]
pub trait OutcomeLog: Send + Sync {
    /// All decisions on a sweep's trials, by number.
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
