//! Sweeps.

use application::ports::SweepTotals;
use application::sweeps::SweepView;
use domain::strategy::Reason;
use domain::sweep::{
    PauseReason, SweepAction as Action, SweepKind as Kind, SweepLimits as Limits, SweepStatus as Status,
};
use domain::time::Timestamp;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{BestRun, Moment, dollars, id, pages};

/// Enums of documents with the words of domain enums.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident from $of:ty { $($pattern:pat => $variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, poem_openapi::Enum, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[oai(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the words are the domain's")]
        pub enum $name { $($variant),+ }

        impl From<$of> for $name {
            fn from(of: $of) -> Self {
                match of { $($pattern => Self::$variant),+ }
            }
        }
    )+};
}

pub(crate) use words;

words! {
    /// How a sweep chooses its configurations.
    SweepKind from Kind { Kind::Grid { .. } => Grid, Kind::Random => Random }
    /// The status of a sweep.
    SweepStatus from Status {
        Status::Running => Running,
        Status::Paused(_) => Paused,
        Status::Stopped => Stopped,
        Status::Completed(_) => Completed,
    }
    /// Why a sweep is paused.
    SweepPauseReason from PauseReason {
        PauseReason::Manual => Manual,
        PauseReason::Budget => Budget,
        PauseReason::Endpoint => Endpoint,
        PauseReason::Human => Human,
    }
}

/// Why a sweep has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the domain's")]
pub enum SweepFinishReason {
    AllRuns,
    MaxRuns,
    Stopped,
    ExhaustedSpace,
    Converged,
    AllFailed,
}

impl SweepFinishReason {
    fn of(status: Status) -> Option<Self> {
        match status {
            Status::Running | Status::Paused(_) => None,
            Status::Stopped => Some(Self::Stopped),
            Status::Completed(reason) => Some(reason.into()),
        }
    }
}

impl From<Reason> for SweepFinishReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::AllRuns => Self::AllRuns,
            Reason::MaxRuns => Self::MaxRuns,
            Reason::ExhaustedSpace => Self::ExhaustedSpace,
            Reason::Converged => Self::Converged,
            Reason::AllFailed => Self::AllFailed,
        }
    }
}

/// What can be done with a sweep now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the operations'")]
pub enum SweepAction {
    Pause,
    Resume,
    Stop,
}

impl From<Action> for SweepAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Pause => Self::Pause,
            Action::Resume => Self::Resume,
            Action::Stop => Self::Stop,
        }
    }
}

/// The limits of a sweep.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct SweepLimits {
    /// The most runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_runs: Option<u64>,
    /// The most tokens to pay for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// The most US dollars to pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<f64>,
}

impl From<Limits> for SweepLimits {
    fn from(limits: Limits) -> Self {
        let Limits { max_runs, max_tokens, max_cost } = limits;
        Self { max_runs, max_tokens, max_cost: dollars(max_cost) }
    }
}

/// The progress of a sweep, in runs.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
#[expect(missing_docs, reason = "each is a status of runs")]
pub struct SweepProgress {
    /// All runs, if their number is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    pub completed: u64,
    pub failed: u64,
    pub cached: u64,
    pub pruned: u64,
    pub cancelled: u64,
    pub running: u64,
}

/// A batch of runs over the parameter space.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Sweep {
    /// Its id.
    pub id: Uuid,
    /// Its experiment.
    pub experiment_id: Uuid,
    /// How it chooses its configurations.
    pub kind: SweepKind,
    /// Its status.
    pub status: SweepStatus,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_reason: Option<SweepPauseReason>,
    /// Why it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<SweepFinishReason>,
    /// The seed of its random choices.
    pub seed: u64,
    /// Its limits.
    pub limits: SweepLimits,
    /// Its progress.
    pub progress: SweepProgress,
    /// Tokens of prompts that it paid for.
    pub tokens_in: u64,
    /// Tokens of answers that it paid for.
    pub tokens_out: u64,
    /// US dollars paid, where every price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Calls made.
    pub calls: u64,
    /// Calls answered from the cache.
    pub cache_hits: u64,
    /// Calls that were saved because runs ended early.
    pub calls_saved: u64,
    /// Calls with an unknown outcome. They may have been billed.
    pub calls_unknown: u64,
    /// The most tokens that those calls can have used. They count against the sweep's budget; without a budget they
    /// are not counted.
    pub tokens_unknown: u64,
    /// The leading run of its experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<BestRun>,
    /// What can be done with it now.
    pub allowed: Vec<SweepAction>,
    /// When it started.
    pub started_at: Moment,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Moment>,
    /// The remaining seconds at the pace so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<f64>,
}

impl SweepProgress {
    const fn new(total: Option<u64>, totals: &SweepTotals) -> Self {
        Self {
            total,
            completed: totals.completed,
            failed: totals.failed,
            cached: totals.cached,
            pruned: totals.pruned,
            cancelled: totals.cancelled,
            running: totals.running,
        }
    }
}

impl Sweep {
    /// Creates the present state of a sweep.
    #[must_use]
    pub fn new(view: &SweepView, now: Timestamp) -> Self {
        let SweepView { sweep, totals, total, best, .. } = view;
        let pause_reason = match sweep.status {
            Status::Paused(reason) => Some(reason.into()),
            _ => None,
        };
        Self {
            id: id(sweep.id.bits()),
            experiment_id: id(sweep.experiment.bits()),
            kind: sweep.kind.into(),
            status: sweep.status.into(),
            pause_reason,
            finish_reason: SweepFinishReason::of(sweep.status),
            seed: sweep.seed,
            limits: sweep.limits.into(),
            progress: SweepProgress::new(*total, totals),
            tokens_in: totals.tokens.input,
            tokens_out: totals.tokens.output,
            cost: dollars(totals.cost),
            calls: totals.calls,
            cache_hits: totals.hits,
            // Sweeps do not end runs early yet.
            calls_saved: 0,
            calls_unknown: totals.unknown,
            tokens_unknown: totals.unknown_tokens,
            best: best
                .as_ref()
                .and_then(|best| Some(BestRun { run_id: id(best.id.bits()), score: best.score? })),
            allowed: sweep.status.allowed().iter().copied().map(SweepAction::from).collect(),
            started_at: sweep.started_at.into(),
            finished_at: sweep.finished_at.map(Moment::from),
            eta_seconds: view.eta(now).map(|left| left.as_secs_f64().ceil()),
        }
    }
}

pages! {
    /// Sweeps, newest first.
    SweepPage of Sweep,
}
