//! Runs with their results.

use std::collections::BTreeMap;

use application::ports::{ResultRow, RunSummary};
use application::runs;
use domain::run::{self, ScorerTotal};
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sweeps::words;
use super::{FirstResults, Moment, StageResult, dollars, id, pages};
use crate::stage::StageDocument;
use crate::value::{AnyMap, from_map};

words! {
    /// The status of a run.
    RunStatus from run::RunStatus {
        run::RunStatus::Pending => Pending,
        run::RunStatus::Running => Running,
        run::RunStatus::Completed => Completed,
        run::RunStatus::Failed => Failed,
        run::RunStatus::Cached => Cached,
        run::RunStatus::Pruned => Pruned,
        run::RunStatus::Cancelled => Cancelled,
    }
}

/// A run to be created outside any sweep.
#[derive(Debug, Clone, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct RunRequest {
    /// The experiment.
    pub experiment_id: Uuid,
    /// Values of dimensions, which may be outside their ranges. Without a value, the stage's own value applies.
    #[serde(default)]
    #[oai(default)]
    pub values: AnyMap,
}

/// The progress of a run.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct SampleCounts {
    /// Samples requested.
    pub total: u32,
    /// Samples done.
    pub done: u32,
    /// Samples that failed.
    pub failed: u32,
}

/// The results of one scorer over a run.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ScoreSummary {
    /// Mean over the samples that have a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Lower end of its 95 % confidence interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_low: Option<f64>,
    /// Upper end of that interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_high: Option<f64>,
    /// Samples with a value.
    pub n: u32,
    /// Samples on which the scorer failed.
    pub failed: u32,
}

impl From<&ScorerTotal> for ScoreSummary {
    fn from(total: &ScorerTotal) -> Self {
        Self {
            value: total.value,
            ci_low: total.interval.map(|(low, _)| low),
            ci_high: total.interval.map(|(_, high)| high),
            n: total.n,
            failed: total.failed,
        }
    }
}

/// The tokens and money that a run spent itself, without cached calls.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Paid {
    /// Tokens of prompts.
    pub tokens_in: u64,
    /// Tokens of answers.
    pub tokens_out: u64,
    /// US dollars, where every price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
}

/// Why a run failed.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct RunError {
    /// The kind of error, for programs; stable.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// The stage that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The first sample that failed with this error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_index: Option<u32>,
}

impl From<&run::RunError> for RunError {
    fn from(error: &run::RunError) -> Self {
        Self {
            kind: error.kind.as_str().to_owned(),
            message: error.message.clone(),
            stage: error.stage.clone(),
            sample_index: error.sample,
        }
    }
}

/// The data of a run that all answers show.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct RunRecord {
    /// Its id.
    pub id: Uuid,
    /// Its experiment.
    pub experiment_id: Uuid,
    /// Its sweep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep_id: Option<Uuid>,
    /// The SHA-256 of its configuration.
    pub config_hash: String,
    /// Its status.
    pub status: RunStatus,
    /// Its progress.
    pub samples: SampleCounts,
    /// Mean weighted score over its samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Lower end of its 95 % confidence interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_low: Option<f64>,
    /// Upper end of that interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_high: Option<f64>,
    /// The results of each scorer, by name.
    pub scores: BTreeMap<String, ScoreSummary>,
    /// Tokens of prompts, cached calls included.
    pub tokens_in: u64,
    /// Tokens of answers, cached calls included.
    pub tokens_out: u64,
    /// US dollars, cached calls included; where every price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_estimate: Option<f64>,
    /// What the run spent itself.
    pub paid: Paid,
    /// The sum of its calls' latencies, in milliseconds, as of when each was made.
    pub latency_ms: u64,
    /// Numbers of answers by their flags. Flags without answers are absent.
    pub flags: BTreeMap<String, u64>,
    /// The answers of a stage came from more than one model, provider, version or tier of a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixed: Option<bool>,
    /// From its start to its end, in milliseconds.
    pub duration_ms: u64,
    /// When a worker first claimed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Moment>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Moment>,
    /// When it is tried again, if its endpoint asked to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Moment>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
}

impl From<&RunSummary> for RunRecord {
    fn from(run: &RunSummary) -> Self {
        let ended_at = run.state.ended_at();
        let took = run.started_at.zip(ended_at).map(|(start, end)| end.since(start));
        Self {
            id: id(run.id.bits()),
            experiment_id: id(run.experiment.bits()),
            sweep_id: run.sweep.map(|sweep| id(sweep.bits())),
            config_hash: run.config_hash.to_string(),
            status: run.state.status().into(),
            samples: SampleCounts { total: run.asked, done: run.done, failed: run.failed },
            score: run.score,
            ci_low: run.interval.map(|(low, _)| low),
            ci_high: run.interval.map(|(_, high)| high),
            scores: run.scores.iter().map(|total| (total.name.clone(), total.into())).collect(),
            tokens_in: run.tokens.input,
            tokens_out: run.tokens.output,
            cost_estimate: dollars(run.cost),
            paid: Paid {
                tokens_in: run.paid.input,
                tokens_out: run.paid.output,
                cost: dollars(run.paid_cost),
            },
            latency_ms: run.latency_ms,
            flags: run.flags.named().map(|(name, count)| (name.to_owned(), count)).collect(),
            mixed: run.mixed.then_some(true),
            duration_ms: took.map_or(0, |took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            started_at: run.started_at.map(Moment::from),
            completed_at: ended_at.map(Moment::from),
            not_before: run.state.not_before().map(Moment::from),
            error: run.state.error().map(RunError::from),
        }
    }
}

/// A run in lists.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Run {
    /// Its common data.
    #[serde(flatten)]
    #[oai(flatten)]
    pub record: RunRecord,
    /// The values of its active dimensions.
    pub values: AnyMap,
}

impl From<&RunSummary> for Run {
    fn from(run: &RunSummary) -> Self {
        Self { record: run.into(), values: from_map(&run.config.values) }
    }
}

/// A run's configuration.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct RunConfig {
    /// The values of its active dimensions.
    pub values: AnyMap,
    /// Its stages, with these values in their fields, and with the labels of their endpoints where those still exist.
    pub stages: Vec<StageDocument>,
}

/// A run with its configuration and its first results.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct RunDetail {
    /// Its common data.
    #[serde(flatten)]
    #[oai(flatten)]
    pub record: RunRecord,
    /// Its configuration.
    pub config: RunConfig,
    /// Its first results; `/runs/{id}/samples` lists all of them.
    pub stage_results: FirstResults,
}

impl RunDetail {
    /// Creates the detail of a run from its first results.
    #[must_use]
    pub fn new(detail: runs::RunDetail, first: Vec<ResultRow>) -> Self {
        let record = RunRecord::from(&detail.run);
        let values = from_map(&detail.run.config.values);
        let stages: Vec<StageDocument> = detail.stages.into_iter().map(configured).collect();
        let names: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        let items = first.into_iter().map(|row| StageResult::new(row, &names)).collect();
        Self {
            record,
            config: RunConfig { values, stages },
            stage_results: FirstResults { count: detail.results, items },
        }
    }
}

/// A stage as configured in a run.
fn configured(detail: runs::StageDetail) -> StageDocument {
    let document = StageDocument::of_stage(&detail.stage).without_secrets();
    let (url, model) = detail.binding.map(|binding| (binding.identity.url, binding.model)).unzip();
    StageDocument { endpoint: detail.endpoint, model, url: document.url.clone().or(url), ..document }
}

pages! {
    /// Runs.
    RunPage of Run,
}
