//! Makes, shows and deletes projects.

use std::sync::Arc;

use domain::access::{Identity, Writer};
use domain::id::{ExportId, ProjectId};

use crate::page::Page;
use crate::ports::{Deletion, ExperimentSummary, ExportRecord, Ids, NewProject, ProjectStore, StoredProject};
use crate::refusal::{Refusal, Resource};

/// Experiments that stand in a project's detail.
const SHOWN: usize = 20;
const LONGEST_NAME: usize = 200;

/// A project with what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectDetail {
    /// The project.
    pub project: StoredProject,
    /// Its newest experiments.
    pub experiments: Vec<ExperimentSummary>,
    /// How many experiments it has.
    pub count: u64,
}

/// The use cases of projects.
pub struct Projects {
    projects: Arc<dyn ProjectStore>,
    ids: Arc<dyn Ids>,
}

impl Projects {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(projects: Arc<dyn ProjectStore>, ids: Arc<dyn Ids>) -> Self {
        Self { projects, ids }
    }

    /// Makes a project.
    ///
    /// # Errors
    /// Where its name cannot be used.
    pub async fn create(
        &self,
        by: &Writer,
        name: &str,
        description: Option<String>,
    ) -> Result<StoredProject, Refusal> {
        let owner = match by.identity() {
            Identity::User(user) => Some(user.id),
            Identity::Guest | Identity::Key(_) | Identity::System => None,
        };
        let id = ProjectId::new(self.ids.next());
        let project = NewProject { id, name: named(name)?, description, owner };
        self.projects.insert_project(project).await?;
        self.stored(id).await
    }

    /// Changes name and description.
    ///
    /// # Errors
    /// Where there is no such project, or its name cannot be used.
    pub async fn update(
        &self,
        _by: &Writer,
        id: ProjectId,
        name: &str,
        description: Option<String>,
    ) -> Result<StoredProject, Refusal> {
        let project = NewProject { id, name: named(name)?, description, owner: None };
        if !self.projects.update_project(project).await? {
            return Err(Refusal::NotFound(Resource::Project));
        }
        self.stored(id).await
    }

    /// Deletes a project with all it holds.
    ///
    /// # Errors
    /// Where there is none, or a sweep in it is active.
    pub async fn delete(&self, _by: &Writer, id: ProjectId) -> Result<(), Refusal> {
        match self.projects.delete_project(id).await? {
            Deletion::Deleted => Ok(()),
            Deletion::Missing => Err(Refusal::NotFound(Resource::Project)),
            Deletion::InUse => Err(Refusal::conflict(
                "sweep_active",
                "a sweep in this project is running or paused: stop it first",
            )),
        }
    }

    /// A page of projects, newest first.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn list(
        &self,
        before: Option<ProjectId>,
        limit: usize,
    ) -> Result<Page<StoredProject>, Refusal> {
        Ok(Page::of(self.projects.projects(before, limit + 1).await?, limit))
    }

    /// A project with what it holds.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn detail(&self, id: ProjectId) -> Result<ProjectDetail, Refusal> {
        let project = self.stored(id).await?;
        let (experiments, count) = self.projects.contents(id, SHOWN).await?;
        Ok(ProjectDetail { project, experiments, count })
    }

    /// What was exported from a project, newest first.
    ///
    /// # Errors
    /// Where there is no such project.
    pub async fn exports(
        &self,
        id: ProjectId,
        before: Option<ExportId>,
        limit: usize,
    ) -> Result<Page<ExportRecord>, Refusal> {
        self.stored(id).await?;
        Ok(Page::of(self.projects.exports(id, before, limit + 1).await?, limit))
    }

    async fn stored(&self, id: ProjectId) -> Result<StoredProject, Refusal> {
        self.projects.stored_project(id).await?.ok_or(Refusal::NotFound(Resource::Project))
    }
}

fn named(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control) {
        return Ok(name.to_owned());
    }
    let detail = format!("a project's name has 1 to {LONGEST_NAME} characters, on one line");
    Err(Refusal::invalid("/name", "invalid_name", detail))
}
