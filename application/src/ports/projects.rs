use async_trait::async_trait;
use domain::id::{ExperimentId, ExportId, ProjectId, RunId, UserId};
use domain::time::Timestamp;

use super::{Deletion, ExperimentSummary, StoreError};

/// A project to be stored, or what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// Its id.
    pub id: ProjectId,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Who made it.
    pub owner: Option<UserId>,
}

/// A project as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProject {
    /// Its id.
    pub id: ProjectId,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Who made it.
    pub owner: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name or description last changed.
    pub updated_at: Timestamp,
}

/// A configuration that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRecord {
    /// The entry's id.
    pub id: ExportId,
    /// The experiment.
    pub experiment: ExperimentId,
    /// The run whose configuration it was; none for tables of all runs.
    pub run: Option<RunId>,
    /// The form it was handed over in.
    pub format: String,
    /// Who took it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Keeps projects and what was exported from them.
#[async_trait]
pub trait ProjectStore: Send + Sync {
    /// Stores a project.
    async fn insert_project(&self, project: NewProject) -> Result<(), StoreError>;

    /// The oldest project with a name; a new one where there is none.
    async fn project_named(&self, new: NewProject) -> Result<ProjectId, StoreError>;

    /// Changes name and description; `false` where there is no such project.
    async fn update_project(&self, project: NewProject) -> Result<bool, StoreError>;

    /// Deletes a project with all it holds, unless a sweep of it is active.
    async fn delete_project(&self, id: ProjectId) -> Result<Deletion, StoreError>;

    /// A project.
    async fn stored_project(&self, id: ProjectId) -> Result<Option<StoredProject>, StoreError>;

    /// Projects, newest first, those before the given one, at most `limit`.
    async fn projects(
        &self,
        before: Option<ProjectId>,
        limit: usize,
    ) -> Result<Vec<StoredProject>, StoreError>;

    /// The newest experiments of a project, at most `limit`, and how many there are.
    async fn contents(
        &self,
        project: ProjectId,
        limit: usize,
    ) -> Result<(Vec<ExperimentSummary>, u64), StoreError>;

    /// Notes that something was exported.
    async fn record_export(&self, project: ProjectId, export: ExportRecord) -> Result<(), StoreError>;

    /// What was exported from a project, newest first, before the given entry, at most `limit`.
    async fn exports(
        &self,
        project: ProjectId,
        before: Option<ExportId>,
        limit: usize,
    ) -> Result<Vec<ExportRecord>, StoreError>;
}
