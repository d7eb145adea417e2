mod decisions;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::call::{Call, CallFailure, Digest, Reply};
use domain::event::NewEvent;
use domain::id::{EndpointId, RunId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::run::tally::StoredScore;
use domain::run::{Origins, Payer, RunEnd, StageError};
use domain::scoring::Judgement;
use domain::value::Value;
use thiserror::Error;

pub use self::decisions::{DecidedEnd, Extension, Launch, NewRun, NewSweep, SingleRun, SweepMove};
use super::rescoring::{NewScores, RescoringEnd};
use super::{ReservationMark, StoreError, Usage};

/// The number of a stored answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerId(pub i64);

/// Calls that are over. What was answered has been paid for, so nothing refuses it: no lease, no version, no outage.
#[derive(Debug, Clone, Default)]
pub struct Settlement {
    /// Calls that were answered.
    pub fills: Vec<Fill>,
    /// Calls that failed for good; waiters of the same sweep learn it from the claim.
    pub failures: Vec<FailedCall>,
}

/// What must land together, or not at all. Plain data; an empty part is left alone.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// A finished block of a run, fenced by the run's lease.
    pub block: Option<Block>,
    /// What was decided of a sweep's trials, fenced by the sweep's lease and version.
    pub launch: Option<Launch>,
    /// A run of its own, outside any sweep.
    pub single: Option<SingleRun>,
    /// A sweep that begins.
    pub begin: Option<NewSweep>,
    /// A sweep whose status changes, fenced by its version.
    pub moved: Option<SweepMove>,
    /// New scores of a run that has ended, refused where they have changed since.
    pub scores: Option<NewScores>,
    /// The end of a rescoring.
    pub rescored: Option<RescoringEnd>,
    /// The request with a key for which this is done.
    pub mark: Option<ReservationMark>,
    /// What listeners are told.
    pub events: Vec<NewEvent>,
}

/// A call that was answered.
#[derive(Debug, Clone)]
pub struct Fill {
    /// The call hash.
    pub hash: Digest,
    /// The endpoint that answered; `None` where a service did.
    pub endpoint: Option<EndpointId>,
    /// What was asked.
    pub call: Arc<Call>,
    /// What came back.
    pub reply: Arc<Reply>,
    /// What it cost, where a price is known.
    pub cost: Option<NanoDollars>,
    /// The day of the list that the price is of, where it is a list price.
    pub price_day: Option<&'static str>,
    /// Who pays for it; `None` where it is tried outside any run.
    pub paid_by: Option<Payer>,
    /// The sweep that pays; its reservation for the call is released.
    pub sweep: Option<SweepId>,
}

/// A call that failed for good.
#[derive(Debug, Clone)]
pub struct FailedCall {
    /// The call hash.
    pub hash: Digest,
    /// The worker that held the claim.
    pub by: WorkerId,
    /// The sweep in which it is not tried again; its reservation for the call is released.
    pub sweep: Option<SweepId>,
    /// Why.
    pub failure: CallFailure,
}

/// The right to write to a run: valid while no one else has claimed it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLease {
    /// The run.
    pub run: RunId,
    /// Which claim of it.
    pub epoch: i64,
}

/// The next samples of a run, done.
#[derive(Debug, Clone)]
pub struct Block {
    /// The run and the right to write to it.
    pub lease: RunLease,
    /// Its sweep.
    pub sweep: Option<SweepId>,
    /// Its place among the run's blocks, from 0.
    pub no: u32,
    /// How many samples of the order are done with it.
    pub upto: u32,
    /// One row for each sample, repetition and stage that was tried.
    pub results: Vec<StageResultRow>,
    /// One row for each sample, repetition and scorer that has something to say.
    pub scores: Vec<ScoreRow>,
    /// The weighted score of each sample of the block, in order; NaN where it has none.
    pub vector: Vec<f64>,
    /// What its answers took.
    pub usage: Usage,
    /// Who answered the run so far, this block included.
    pub origins: Origins,
    /// Samples that failed.
    pub failures: u32,
    /// The run's end, where this was its last block.
    pub ending: Option<RunEnding>,
}

/// The end of a run, and the events that depend on what the store knows of it.
#[derive(Debug, Clone)]
pub struct RunEnding {
    /// The end.
    pub end: RunEnd,
    /// The event of a run that is completed. The store adds its cost and duration.
    pub completed: Option<NewEvent>,
    /// The event that the run leads its experiment. The store drops it if the run does not.
    pub lead: Option<NewEvent>,
}

impl From<RunEnd> for RunEnding {
    /// An end without such events.
    fn from(end: RunEnd) -> Self {
        Self { end, completed: None, lead: None }
    }
}

/// What one stage came to for one sample.
#[derive(Debug, Clone)]
pub struct StageResultRow {
    /// The sample, by its index in the set.
    pub sample: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The stage, from 0.
    pub stage: u32,
    /// The answer it rests on.
    pub answer: Option<AnswerId>,
    /// Whether this run paid for it.
    pub paid: bool,
    /// What the output is made from again, where it takes more than one answer.
    pub recall: Option<Recall>,
    /// Why there is no output.
    pub error: Option<StageError>,
}

/// What the output of a stage that makes many calls is made from again.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    /// What [`Pipeline::recallable`](domain::pipeline::Pipeline::recallable) gave.
    pub output: Value,
    /// The latency of all its calls.
    pub latency: Duration,
    /// The cost of all its calls, where that is known.
    pub cost: Option<NanoDollars>,
}

/// What a scorer said of one output.
#[derive(Debug, Clone)]
pub struct ScoreRow {
    /// The sample, by its index in the set.
    pub sample: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The scoring entry, from 0.
    pub scorer: u32,
    /// The score with its metadata, or why the scorer failed.
    pub judgement: Result<Judgement, String>,
}

impl ScoreRow {
    /// The score without its details.
    #[must_use]
    pub fn stored(&self) -> StoredScore {
        let value = self.judgement.as_ref().ok().map(|judgement| judgement.value.value());
        StoredScore { sample: self.sample, repeat: self.repeat, scorer: self.scorer, value }
    }
}

impl Commit {
    /// Parts that can be refused.
    #[must_use]
    pub fn guarded_parts(&self) -> usize {
        let parts = [
            self.block.is_some(),
            self.begin.is_some(),
            self.moved.is_some(),
            self.single.is_some(),
            self.mark.is_some(),
            self.scores.is_some(),
            self.rescored.is_some(),
        ];
        let launch = self.launch.as_ref().map_or(0, |launch| 1 + launch.extend.len() + launch.end.len());
        launch + parts.into_iter().filter(|part| *part).count()
    }
}

/// The result of a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The new trials whose configurations the sweep had already, so that they have no run of their own.
    pub duplicates: Vec<u64>,
}

/// Why a commit was refused or failed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum CommitError {
    /// The lease or the version is stale: another worker has taken over, or has changed what the decision rests on.
    /// Load again and decide again.
    #[error("somebody else has changed this in the meantime")]
    Conflict,
    /// The experiment has an active sweep already.
    #[error("the experiment has an active sweep already")]
    SweepActive,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores changes that belong together.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Journal: Send + Sync {
    /// Stores a commit durably, whole or not at all. Commits of many callers share transactions. A commit that is sent
    /// again because its result was lost is refused as a conflict if it had been stored, so that nothing counts twice.
    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError>;

    /// Stores answers and failures of calls durably; the ids of the stored answers, in order. While the database is away
    /// or its disk is full they are kept and stored once that is over.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the database cannot hold such an answer; `Unavailable` where it has been closed.
    async fn settle(&self, calls: Settlement) -> Result<Vec<AnswerId>, StoreError>;
}
