use std::time::Duration;

use async_trait::async_trait;
use domain::call::Reply;
use domain::id::{ExperimentId, RunId, WorkerId};
use domain::money::NanoDollars;
use domain::run::tally::StoredScore;
use domain::run::{RunEnd, RunStatus, StageError};
use domain::scoring::rating::Rating;

use super::facts::ExperimentForm;
use super::journal::{AnswerId, Recall, ScoreRow};
use super::runs::RunConfig;
use super::{StoreError, Usage};

/// The right to score the runs of an experiment again: no other process has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescoringClaim {
    /// The experiment.
    pub experiment: ExperimentId,
    /// The lease's number, which rises with each takeover.
    pub epoch: i64,
    /// How often a rescoring has been asked for since it began; it is over once all runs are up to date with the last.
    pub requests: i64,
    /// Runs that have been scored again so far.
    pub done: u64,
    /// Runs that were left when it was taken.
    pub left: u64,
    /// The run that led before it.
    pub leader: Option<RunId>,
    /// The name of the person or program that asked for it.
    pub by: Option<String>,
}

/// A run that has ended, as far as its scores need it.
#[derive(Debug, Clone)]
pub struct ScoredRun {
    /// Its id.
    pub id: RunId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// The form that its experiment has now.
    pub form: ExperimentForm,
    /// Its configuration.
    pub config: RunConfig,
    /// Its status.
    pub status: RunStatus,
    /// Samples done.
    pub done: u32,
    /// How many samples are done with each of its blocks.
    pub blocks: Vec<u32>,
    /// The version of its scores.
    pub version: i64,
    /// The revision of the scoring that they are of.
    pub scoring_rev: i64,
    /// The last answer that there was when what the run paid was counted last.
    pub counted_answer: AnswerId,
}

/// What a stage of a run came to for one sample, as far as its output needs it.
#[derive(Debug, Clone)]
pub struct StoredOutput {
    /// The sample, by its index in the set.
    pub sample: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The stage, from 0.
    pub stage: u32,
    /// The answer to its call, or to the first of its calls.
    pub reply: Option<Reply>,
    /// What that cost.
    pub cost: Option<NanoDollars>,
    /// What the output of a stage that makes many calls is made from again.
    pub recall: Option<Recall>,
    /// Why there is no output.
    pub error: Option<StageError>,
}

/// New scores of a run that has ended.
#[derive(Debug, Clone)]
pub struct NewScores {
    /// The run.
    pub run: RunId,
    /// The version of its scores that they replace.
    pub version: i64,
    /// The revision of the scoring that they are of.
    pub scoring_rev: i64,
    /// The rescoring that they belong to, by its experiment and the number of its lease; `None` for a rating.
    pub rescoring: Option<(ExperimentId, i64)>,
    /// The rating that they follow from.
    pub rating: Option<NewRating>,
    /// Which rows are replaced.
    pub replaced: ReplacedScores,
    /// The rows in their place.
    pub rows: Vec<ScoreRow>,
    /// The weighted scores of the samples of each block that changes, by its number.
    pub blocks: Vec<(u32, Vec<f64>)>,
    /// What they come to; the run keeps its status.
    pub end: RunEnd,
    /// What scorers asked for them.
    pub usage: Usage,
    /// The event that the run leads its experiment. The store drops it if the run does not take the lead with them.
    pub lead: Option<domain::event::NewEvent>,
}

/// Which scores of a run are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplacedScores {
    /// All.
    All,
    /// Those of these scorers, of one sample or of all.
    Of {
        /// By their numbers.
        scorers: Vec<u32>,
        /// By its index in the set.
        sample: Option<u32>,
    },
}

/// A rating to be stored.
#[derive(Debug, Clone)]
pub struct NewRating {
    /// Its id.
    pub id: u128,
    /// What it is; the store's clock says when.
    pub rating: Rating,
}

/// The end of a rescoring, refused where it was asked for again since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescoringEnd {
    /// The experiment.
    pub experiment: ExperimentId,
    /// The number of its lease.
    pub epoch: i64,
    /// How often it had been asked for.
    pub requests: i64,
}

/// An output that nobody has rated.
#[derive(Debug, Clone)]
pub struct UnratedOutput {
    /// Its run.
    pub run: RunId,
    /// The sample, by its index in the set.
    pub sample: u32,
}

/// Stores what scoring ended runs again needs.
#[async_trait]
pub trait RescoringStore: Send + Sync {
    /// Asks for the runs of an experiment to be scored again, as of a new revision of its scoring.
    async fn ask_rescoring(&self, experiment: ExperimentId, by: &str) -> Result<(), StoreError>;

    /// Takes a rescoring that no live worker has.
    async fn claim_rescoring(
        &self,
        by: WorkerId,
        lease: Duration,
    ) -> Result<Option<RescoringClaim>, StoreError>;

    /// Renews the lease of a rescoring; `false` where another process has it.
    async fn renew_rescoring(
        &self,
        experiment: ExperimentId,
        epoch: i64,
        lease: Duration,
    ) -> Result<bool, StoreError>;

    /// Ended runs of an experiment whose scores are not of the current revision, after the given one, by id.
    async fn outdated(
        &self,
        experiment: ExperimentId,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<ScoredRun>, StoreError>;

    /// A run that has ended with outputs that can be scored.
    async fn scored_run(&self, run: RunId) -> Result<Option<ScoredRun>, StoreError>;

    /// What a run's stages came to, by sample, repetition and stage: those of one sample, or those after a place.
    async fn outputs(
        &self,
        run: RunId,
        after: Option<(u32, u32, u32)>,
        limit: usize,
    ) -> Result<Vec<StoredOutput>, StoreError>;

    /// The scores of a run, by sample, repetition and scorer.
    async fn stored_scores(&self, run: RunId) -> Result<Vec<StoredScore>, StoreError>;

    /// The ratings of a run.
    async fn ratings(&self, run: RunId) -> Result<Vec<Rating>, StoreError>;

    /// Outputs of the runs on an experiment's leaderboard that no person has rated, by run and sample, after the given place.
    async fn unrated(
        &self,
        experiment: ExperimentId,
        last_stage: u32,
        after: Option<(RunId, u32)>,
        limit: usize,
    ) -> Result<Vec<UnratedOutput>, StoreError>;
}
