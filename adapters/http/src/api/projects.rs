use std::sync::Arc;

use application::services::Services;
use domain::access::{Actor, Writer};
use domain::id::ProjectId;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;
use wire::api::{ExportEntry, ExportPage, Project, ProjectDetail, ProjectDraft, ProjectPage};

use super::Tag;
use crate::body::Body;
use crate::caller::As;
use crate::failure::{refused, wrong_query};
use crate::json_response::{Created, Gone, JsonResponse, Result};
use crate::list_query::PageQuery;
use crate::page::bits;

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi(tag = "Tag::Projects")]
impl Api {
    /// List projects, newest first
    #[oai(path = "/projects", method = "get", operation_id = "list_projects")]
    async fn list_projects(&self, _by: As<Actor>, page: PageQuery) -> Result<JsonResponse<ProjectPage>> {
        let listed = self.0.list_projects(&page.0).await.map_err(wrong_query)?;
        let items = listed.items.into_iter().map(Project::from).collect();
        JsonResponse::new(ProjectPage { items, next_cursor: listed.next_cursor })
    }

    /// Create a project
    #[oai(path = "/projects", method = "post", operation_id = "create_project")]
    async fn create_project(&self, by: As<Writer>, body: Body<ProjectDraft>) -> Result<Created<Project>> {
        let ProjectDraft { name, description } = body.value;
        JsonResponse::new(self.0.projects.create(&by.0, &name, description).await.map_err(refused)?)
    }

    /// Get a project with its newest experiments
    #[oai(path = "/projects/:id", method = "get", operation_id = "get_project")]
    async fn get_project(&self, _by: As<Actor>, id: Path<Uuid>) -> Result<JsonResponse<ProjectDetail>> {
        JsonResponse::new(self.0.projects.detail(ProjectId::new(bits(id.0))).await.map_err(refused)?)
    }

    /// Change a project's name and description
    #[oai(path = "/projects/:id", method = "put", operation_id = "update_project")]
    async fn update_project(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        body: Body<ProjectDraft>,
    ) -> Result<JsonResponse<Project>> {
        let (id, ProjectDraft { name, description }) = (ProjectId::new(bits(id.0)), body.value);
        JsonResponse::new(self.0.projects.update(&by.0, id, &name, description).await.map_err(refused)?)
    }

    /// Delete a project with everything in it
    #[oai(path = "/projects/:id", method = "delete", operation_id = "delete_project")]
    async fn delete_project(&self, by: As<Writer>, id: Path<Uuid>) -> Result<Gone> {
        self.0.projects.delete(&by.0, ProjectId::new(bits(id.0))).await.map_err(refused)?;
        Ok(Gone)
    }

    /// List the exports from a project, newest first
    #[oai(path = "/projects/:id/exports", method = "get", operation_id = "list_exports")]
    async fn list_exports(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        page: PageQuery,
    ) -> Result<JsonResponse<ExportPage>> {
        let listed = self.0.list_exports(ProjectId::new(bits(id.0)), &page.0).await.map_err(wrong_query)?;
        let items = listed.items.into_iter().map(ExportEntry::from).collect();
        JsonResponse::new(ExportPage { items, next_cursor: listed.next_cursor })
    }
}
