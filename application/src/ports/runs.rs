use std::time::Duration;

use async_trait::async_trait;
use domain::call::{Digest, FlagCounts, Reply};
use domain::endpoint::EndpointIdentity;
use domain::experiment::Places;
use domain::id::{EndpointId, ExperimentId, RunId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::run::tally::ResumedScores;
use domain::run::{RunState, ScorerTotal, StageError};
use domain::time::Timestamp;
use domain::value::Map;

use super::StoreError;
use super::facts::ExperimentForm;
use super::journal::{RunLease, ScoreRow};
use super::run_list::{RunListing, RunQuery};

/// What is stored of a run's configuration: the point, where its values go, and what each stage's endpoint and model came
/// to when it was made. With the experiment's stages, which are frozen once there are runs, it gives the whole
/// configuration, whatever becomes of the space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunConfig {
    /// The values of the active dimensions.
    pub values: Map,
    /// Where they go; runs of early releases leave that to the experiment's space, which could not change then.
    pub places: Option<Places>,
    /// For each stage where its calls go; `None` where it makes none.
    pub stages: Vec<Option<StageBinding>>,
}

/// Where a stage's calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageBinding {
    /// The endpoint's row, for its key and limits.
    pub endpoint: EndpointId,
    /// The endpoint as caches know it.
    pub identity: EndpointIdentity,
    /// The model asked for.
    pub model: String,
}

/// A request for runs to execute.
#[derive(Debug, Clone, Copy)]
pub struct RunClaim {
    /// The worker that executes them.
    pub by: WorkerId,
    /// The most runs to claim.
    pub want: usize,
    /// How long the lease lasts from now, by the database's clock.
    pub lease: Duration,
    /// Of this sweep and no other.
    pub only: Option<SweepId>,
    /// `true` claims runs that lost two workers, to be executed alone; `false` claims all others.
    pub alone: bool,
}

/// A run that this worker is to execute.
#[derive(Debug, Clone)]
pub struct ClaimedRun {
    /// The run and the right to write to it.
    pub lease: RunLease,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// Which form of the experiment it is to be executed in: the current one.
    pub form: ExperimentForm,
    /// Its sweep.
    pub sweep: Option<SweepId>,
    /// Its configuration.
    pub config: RunConfig,
    /// Samples asked for: a prefix of the sample order.
    pub asked: u32,
    /// Whether the run ends with the last of these samples; otherwise it is released and rests.
    pub is_final: bool,
    /// Samples done.
    pub done: u32,
    /// Blocks done.
    pub blocks: u32,
    /// Whether the sweep has a budget, so that calls must be reserved.
    pub budgeted: bool,
    /// It is to be executed while nothing else is, one sample after the other, because worker processes were lost on it.
    pub alone: bool,
    /// How often in a row a worker process was lost while it executed this run alone, with nothing new stored of it and no
    /// call under way.
    pub losses_alone: u32,
}

/// A run as lists show it.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// Its sweep.
    pub sweep: Option<SweepId>,
    /// The hash of its configuration.
    pub config_hash: Digest,
    /// Its configuration.
    pub config: RunConfig,
    /// Where it stands.
    pub state: RunState,
    /// Samples asked for.
    pub asked: u32,
    /// Samples done.
    pub done: u32,
    /// Samples that failed.
    pub failed: u32,
    /// Mean score.
    pub score: Option<f64>,
    /// Its 95 % confidence interval.
    pub interval: Option<(f64, f64)>,
    /// Samples with a score.
    pub n: u32,
    /// Each scorer's totals.
    pub scores: Vec<ScorerTotal>,
    /// Tokens, cached calls included.
    pub tokens: Tokens,
    /// Tokens that this run paid for.
    pub paid: Tokens,
    /// Cost, cached calls included.
    pub cost: Option<NanoDollars>,
    /// What this run paid.
    pub paid_cost: Option<NanoDollars>,
    /// Latency of all calls together, in milliseconds.
    pub latency_ms: u64,
    /// What is odd about its answers.
    pub flags: FlagCounts,
    /// Whether the answers of a stage came from more than one model, provider, version or tier of a server.
    pub mixed: bool,
    /// First claim.
    pub started_at: Option<Timestamp>,
}

/// One stage's result as a run's page shows it.
#[derive(Debug, Clone)]
pub struct ResultRow {
    /// The sample, by its index in the set.
    pub sample: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The stage, from 0.
    pub stage: u32,
    /// The model asked for.
    pub model: Option<String>,
    /// The inference parameters.
    pub parameters: Map,
    /// What was asked, as JSON: a conversation, or the text that was embedded.
    pub prompt_sent: Option<String>,
    /// What came back.
    pub reply: Option<Reply>,
    /// What it cost, where that is known.
    pub cost: Option<NanoDollars>,
    /// The day of the list that its price is of, where it is a list price.
    pub price_day: Option<String>,
    /// Whether another run paid for it.
    pub cached: bool,
    /// Why there is no output.
    pub error: Option<StageError>,
}

/// The weighted scores of a run's samples.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreVector {
    /// The run.
    pub run: RunId,
    /// One score a sample, in the sample order; NaN where there is none.
    pub scores: Vec<f64>,
}

/// Stores runs.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Claims runs that have samples to do and no live lease, of running sweeps, oldest first. A run's first claim is
    /// announced with it.
    ///
    /// A run that another worker held and whose lease has run out was lost by it, unless something new of it was stored
    /// meanwhile. A run that was lost twice is claimed only by a claim that says that it will be executed alone.
    async fn claim(&self, claim: RunClaim) -> Result<Vec<ClaimedRun>, StoreError>;

    /// Releases a claimed run, which can be claimed again after `wait`. No effect if the lease is lost.
    async fn release(&self, lease: RunLease, wait: Duration) -> Result<(), StoreError>;

    /// The scores and calls of a run's finished blocks, from which it is resumed.
    async fn resumed(&self, run: RunId) -> Result<ResumedScores, StoreError>;

    /// A run.
    async fn run(&self, id: RunId) -> Result<Option<RunSummary>, StoreError>;

    /// An experiment's runs, oldest first, after the given one, at most `limit`.
    async fn list(
        &self,
        experiment: ExperimentId,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunSummary>, StoreError>;

    /// A page of an experiment's runs, in any order.
    async fn page(&self, query: RunQuery) -> Result<RunListing<RunSummary>, StoreError>;

    /// The scores of samples `first` to `last` of a run, by (sample, repeat, scorer).
    async fn sample_scores(&self, run: RunId, first: u32, last: u32) -> Result<Vec<ScoreRow>, StoreError>;

    /// Score vectors of these runs, in the order asked for.
    async fn vectors(&self, runs: &[RunId]) -> Result<Vec<ScoreVector>, StoreError>;

    /// Stage results of a run by (sample, repeat, stage), after the given one, at most `limit`.
    async fn results(
        &self,
        run: RunId,
        after: Option<(u32, u32, u32)>,
        limit: usize,
    ) -> Result<Vec<ResultRow>, StoreError>;
}
