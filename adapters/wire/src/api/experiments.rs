//! Experiments.

use std::collections::BTreeMap;

use application::ports::{self, ExperimentOverview};
use application::sweeps::SweepView;
use domain::experiment::{self, Draft};
use domain::problem::Problem;
use domain::time::Timestamp;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Moment, Sweep, SweepFinishReason, id, pages};
use crate::dimension::DimensionDocument;
use crate::experiment::{Parts, SampleDocument, ScoringDocument};
use crate::stage::StageDocument;
use crate::value::Any;

const fn once() -> u32 {
    1
}

/// An experiment to be created or changed.
#[derive(Debug, Clone, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct ExperimentDraft {
    /// The project it belongs to. It cannot change.
    pub project_id: Uuid,
    /// Its name.
    #[oai(validator(min_length = 1))]
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// The samples. A change without them keeps the existing ones.
    #[serde(default)]
    pub sample_data: Option<Vec<SampleDocument>>,
    /// A corpus, the `documents` of templates.
    #[serde(default)]
    #[oai(default)]
    pub documents: Vec<Any>,
    /// The pipeline.
    pub pipeline_stages: Vec<StageDocument>,
    /// The scoring entries.
    pub scoring_config: Vec<ScoringDocument>,
    /// The dimensions, by name.
    #[serde(default)]
    #[oai(default)]
    pub parameter_space: BTreeMap<String, DimensionDocument>,
    /// Repetitions of each sample.
    #[serde(default = "once")]
    #[oai(default = "once")]
    pub repeats: u32,
    /// The share of samples that are held out of all choices.
    #[serde(default)]
    #[oai(default)]
    pub holdout: f64,
}

impl ExperimentDraft {
    /// The draft, and whether it has samples.
    ///
    /// # Errors
    /// Fields that exclude each other, with their places.
    pub fn into_draft(self) -> Result<(Draft, bool), Vec<Problem>> {
        let parts = Parts {
            documents: self.documents,
            pipeline_stages: self.pipeline_stages,
            scoring_config: self.scoring_config,
            parameter_space: self.parameter_space,
        };
        let with_samples = self.sample_data.is_some();
        let samples = self.sample_data.into_iter().flatten().map(SampleDocument::into_sample).collect();
        let draft = Draft {
            name: self.name,
            description: self.description,
            samples,
            repeats: self.repeats,
            holdout: self.holdout,
            ..parts.into_draft()?
        };
        Ok((draft, with_samples))
    }
}

/// The status of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the sweep's")]
pub enum ExperimentStatus {
    Draft,
    Running,
    Paused,
    Completed,
    Stopped,
}

impl From<experiment::ExperimentStatus> for ExperimentStatus {
    fn from(status: experiment::ExperimentStatus) -> Self {
        match status {
            experiment::ExperimentStatus::Draft => Self::Draft,
            experiment::ExperimentStatus::Running => Self::Running,
            experiment::ExperimentStatus::Paused => Self::Paused,
            experiment::ExperimentStatus::Completed => Self::Completed,
            experiment::ExperimentStatus::Stopped => Self::Stopped,
        }
    }
}

/// The leading run.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct BestRun {
    /// The run.
    pub run_id: Uuid,
    /// Its score.
    pub score: f64,
}

/// An experiment in lists.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ExperimentSummary {
    /// Its id.
    pub id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its status.
    pub status: ExperimentStatus,
    /// Why its newest sweep ended, if it reached its own end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<SweepFinishReason>,
    /// The leading run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<BestRun>,
    /// When it was created.
    pub created_at: Moment,
    /// When it or its status last changed.
    pub updated_at: Moment,
}

impl From<ports::ExperimentSummary> for ExperimentSummary {
    fn from(summary: ports::ExperimentSummary) -> Self {
        Self {
            id: id(summary.id.bits()),
            project_id: id(summary.project.bits()),
            name: summary.name,
            description: summary.description,
            status: summary.status.into(),
            finish_reason: summary.finish_reason.map(SweepFinishReason::from),
            best: summary.best.map(|(run, score)| BestRun { run_id: id(run.bits()), score }),
            created_at: summary.created_at.into(),
            updated_at: summary.updated_at.into(),
        }
    }
}

/// The newest experiments of a project.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ExperimentSummaries {
    /// The number of all experiments.
    pub count: u64,
    /// The newest 20.
    pub items: Vec<ExperimentSummary>,
}

/// The first samples of an experiment.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct FirstSamples {
    /// The number of all samples.
    pub count: u32,
    /// The first 20.
    pub items: Vec<SampleDocument>,
}

/// The numbers of runs by status.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
#[expect(missing_docs, reason = "each is a status of runs")]
pub struct RunCounts {
    pub pending: u64,
    pub running: u64,
    pub completed: u64,
    pub failed: u64,
    pub cached: u64,
    pub pruned: u64,
    pub cancelled: u64,
}

/// An experiment with its document.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ExperimentDetail {
    /// Its id.
    pub id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The samples.
    pub sample_data: FirstSamples,
    /// A corpus, the `documents` of templates.
    pub documents: Vec<Any>,
    /// The pipeline.
    pub pipeline_stages: Vec<StageDocument>,
    /// The scoring entries.
    pub scoring_config: Vec<ScoringDocument>,
    /// The dimensions, by name.
    pub parameter_space: BTreeMap<String, DimensionDocument>,
    /// Repetitions of each sample.
    pub repeats: u32,
    /// The share of samples that are held out of all choices.
    pub holdout: f64,
    /// Its status.
    pub status: ExperimentStatus,
    /// When it was created.
    pub created_at: Moment,
    /// When it or its status last changed.
    pub updated_at: Moment,
    /// Its newest sweep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// The numbers of its runs.
    pub runs: RunCounts,
    /// The leading run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<BestRun>,
}

impl ExperimentDetail {
    /// An experiment with its newest sweep as it stands now.
    #[must_use]
    pub fn new(overview: ExperimentOverview, sweep: Option<&SweepView>, now: Timestamp) -> Self {
        let parts = Parts::of_draft(&overview.draft);
        let summary = ExperimentSummary::from(overview.summary);
        let stages = parts.pipeline_stages.into_iter().map(StageDocument::without_secrets);
        let scoring = parts.scoring_config.into_iter().map(ScoringDocument::without_secrets);
        let samples = overview.draft.samples.into_iter().map(SampleDocument::of_sample).collect();
        let runs = overview.runs;
        Self {
            id: summary.id,
            project_id: summary.project_id,
            name: summary.name,
            description: summary.description,
            sample_data: FirstSamples { count: overview.samples, items: samples },
            documents: parts.documents,
            pipeline_stages: stages.collect(),
            scoring_config: scoring.collect(),
            parameter_space: parts.parameter_space,
            repeats: overview.draft.repeats,
            holdout: overview.draft.holdout,
            status: summary.status,
            created_at: summary.created_at,
            updated_at: summary.updated_at,
            sweep: sweep.map(|sweep| Sweep::new(sweep, now)),
            runs: RunCounts {
                pending: runs.pending,
                running: runs.running,
                completed: runs.completed,
                failed: runs.failed,
                cached: runs.cached,
                pruned: runs.pruned,
                cancelled: runs.cancelled,
            },
            best: summary.best,
        }
    }
}

pages! {
    /// Experiments, newest first.
    ExperimentPage of ExperimentSummary,
}
