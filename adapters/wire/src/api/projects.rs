//! Projects.

use application::ports::{ExportRecord, StoredProject};
use application::projects;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ExperimentSummaries, ExperimentSummary, Moment, id, pages};

/// A project to be created or changed.
#[derive(Debug, Clone, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct ProjectDraft {
    /// 1 to 200 characters on one line.
    #[oai(validator(min_length = 1, max_length = 200))]
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
}

/// A workspace of related experiments.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Project {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The person who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
    /// When it was created.
    pub created_at: Moment,
    /// When its name or description last changed.
    pub updated_at: Moment,
}

impl From<StoredProject> for Project {
    fn from(project: StoredProject) -> Self {
        Self {
            id: id(project.id.bits()),
            name: project.name,
            description: project.description,
            owner_id: project.owner.map(|owner| id(owner.bits())),
            created_at: project.created_at.into(),
            updated_at: project.updated_at.into(),
        }
    }
}

/// A project with its newest experiments.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ProjectDetail {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The person who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
    /// When it was created.
    pub created_at: Moment,
    /// When its name or description last changed.
    pub updated_at: Moment,
    /// Its newest experiments, and their number.
    pub experiments: ExperimentSummaries,
}

impl From<projects::ProjectDetail> for ProjectDetail {
    fn from(detail: projects::ProjectDetail) -> Self {
        let Project { id, name, description, owner_id, created_at, updated_at } = detail.project.into();
        let items = detail.experiments.into_iter().map(ExperimentSummary::from).collect();
        let experiments = ExperimentSummaries { count: detail.count, items };
        Self { id, name, description, owner_id, created_at, updated_at, experiments }
    }
}

/// An export of a configuration, report or table from a project.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ExportEntry {
    /// Its id.
    pub id: Uuid,
    /// The experiment.
    pub experiment_id: Uuid,
    /// The exported run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Uuid>,
    /// `json`, `env`, `yaml`, `report`, `csv` or `jsonl`.
    pub format: String,
    /// The person or program that exported it.
    pub by: String,
    /// When it was exported.
    pub at: Moment,
}

impl From<ExportRecord> for ExportEntry {
    fn from(record: ExportRecord) -> Self {
        Self {
            id: id(record.id.bits()),
            experiment_id: id(record.experiment.bits()),
            run_id: record.run.map(|run| id(run.bits())),
            format: record.format,
            by: record.by,
            at: record.at.into(),
        }
    }
}

pages! {
    /// Projects, newest first.
    ProjectPage of Project,
    /// Exports, newest first.
    ExportPage of ExportEntry,
}
