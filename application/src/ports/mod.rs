//! What the use cases need from the world, as small traits: domain types in and out, and errors that one can act on.

mod accounts;
mod bell;
mod board;
mod calls;
mod endpoints;
mod engine;
mod events;
mod experiments;
mod facts;
mod failures;
mod fetch;
mod formats;
mod idempotency;
mod journal;
mod models;
mod monitor;
mod projects;
mod rescoring;
mod run_list;
mod runs;
mod sweeps;
mod system;
mod tasks;
mod timer;
mod usage;
mod vault;
mod workers;

use thiserror::Error;

pub use accounts::{
    Account, AccountStore, Claims, PasswordError, Passwords, SettingStore, TokenError, Tokens,
};
pub use bell::Bell;
pub use board::{BoardRun, BoardState, BoardStore, RankedRun, Standings, StandingsClaim, StandingsStore};
pub use calls::{CallClaim, CallStore, Claim, MeasuredCalls, Reservation, StoredAnswer};
pub use endpoints::{
    Breaker, EndpointCondition, EndpointStore, ModelLists, RateCorrection, RateGrant, RateRequest, RateStore,
    SlotRequest, SlotStore,
};
pub use engine::{EnginePorts, Guides};
pub use events::{EventFilter, EventStore};
pub use experiments::{
    ChangeOutcome, ChangeableWhen, ExperimentChange, ExperimentFilter, ExperimentOverview, ExperimentStore,
    ExperimentSummary, NewExperiment, NewSamples, RunCounts, StoredExperiment,
};
pub use facts::{ExperimentFacts, ExperimentForm, FactStore, Outline};
pub use failures::{FailureStore, OddAnswers, SampleFailures, ScoreFailures};
pub use fetch::{Fetch, FetchRequest, FetchResponse};
pub use formats::FormatChecker;
pub use idempotency::{IdempotencyStore, KeptAnswer, RepeatableRequest, ReservationMark, Reserved};
pub use journal::{
    AnswerId, Block, Commit, CommitError, DecidedEnd, Extension, FailedCall, Fill, Journal, Launch, NewRun,
    NewSweep, Recall, Receipt, RunEnding, RunLease, ScoreRow, Settlement, SingleRun, StageResultRow,
    SweepMove,
};
pub use models::{ListedModel, MAX_EMBEDDINGS, ModelServer};
pub use monitor::{Monitor, RunningRun};
pub use projects::{ExportRecord, NewProject, ProjectStore, StoredProject};
pub use rescoring::{
    NewRating, NewScores, ReplacedScores, RescoringClaim, RescoringEnd, RescoringStore, ScoredRun,
    StoredOutput, UnratedOutput,
};
pub use run_list::{ListPlace, Metric, NoPlace, PlaceKey, RunFilter, RunKey, RunListing, RunOrder, RunQuery};
pub use runs::{ClaimedRun, ResultRow, RunClaim, RunConfig, RunStore, RunSummary, ScoreVector, StageBinding};
pub use sweeps::{OutcomeLog, StoredDecision, StoredSweep, SweepStore, SweepTotals};
pub use system::{Chance, Clock, Ids};
pub use tasks::{Panicked, Tasks, started};
pub use timer::{Offload, Timer, offloaded};
pub use usage::Usage;
pub use vault::{Vault, VaultError};
pub use workers::{Beat, WorkerStore};

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The database could not be reached, or did not answer; the same may work later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database answered, and what it said makes no sense: a defect, or a file that something else wrote.
    #[error("the database holds something unexpected: {0}")]
    Corrupt(String),
}

/// What came of deleting something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone, with all it held.
    Deleted,
    /// It was not there.
    Missing,
    /// Something active needs it.
    InUse,
}

/// Mocks of the ports, for unit tests.
#[cfg(test)]
pub(crate) mod mocks {
    pub(crate) use super::calls::MockCallStore;
    pub(crate) use super::endpoints::{MockEndpointStore, MockRateStore, MockSlotStore};
    pub(crate) use super::fetch::MockFetch;
    pub(crate) use super::formats::MockFormatChecker;
    pub(crate) use super::journal::MockJournal;
    pub(crate) use super::models::MockModelServer;
    pub(crate) use super::system::{MockChance, MockClock};
}
