use std::sync::Arc;

use application::ports::ExperimentOverview;
use application::preview;
use application::refusal::Refusal;
use application::services::Services;
use domain::access::{Actor, Writer};
use domain::id::{ExperimentId, ProjectId, SweepId};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;
use wire::api::{
    ExperimentDetail, ExperimentDraft, ExperimentPage, ExperimentSummary, FailureGroup, Failures,
    LeaderboardPage, Preview, PreviewRequest,
};
use wire::value::into_map;

use super::Tag;
use crate::body::Body;
use crate::caller::As;
use crate::failure::{Failure, refused, wrong_query};
use crate::json_response::{Created, Gone, JsonResponse, Result};
use crate::list_query::{PageQuery, RunListQuery};
use crate::offload::work_on;
use crate::page::bits;

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi(tag = "Tag::Experiments")]
impl Api {
    /// List experiments, newest first
    #[oai(path = "/experiments", method = "get", operation_id = "list_experiments")]
    async fn list_experiments(
        &self,
        _by: As<Actor>,
        project_id: Query<Option<Uuid>>,
        page: PageQuery,
    ) -> Result<JsonResponse<ExperimentPage>> {
        let project = project_id.0.map(|project| ProjectId::new(bits(project)));
        let listed = self.0.list_experiments(project, &page.0).await.map_err(wrong_query)?;
        let items = listed.items.into_iter().map(ExperimentSummary::from).collect();
        JsonResponse::new(ExperimentPage { items, next_cursor: listed.next_cursor })
    }

    /// Create an experiment
    #[oai(path = "/experiments", method = "post", operation_id = "create_experiment")]
    async fn create_experiment(
        &self,
        by: As<Writer>,
        body: Body<ExperimentDraft, 64>,
    ) -> Result<Created<ExperimentDetail>> {
        let project = ProjectId::new(bits(body.value.project_id));
        let (size, document) = (body.size, body.value);
        let (draft, _) = work_on(size, || document.into_draft().map_err(Failure::invalid)).await?;
        let made = self.0.experiments.create_in(&by.0, project, draft).await.map_err(refused)?;
        JsonResponse::new(self.detail(made).await?)
    }

    /// Show the requests for one sample, and send them where `call` is set
    #[oai(path = "/experiments/preview", method = "post", operation_id = "preview_experiment")]
    async fn preview_experiment(
        &self,
        by: As<Writer>,
        body: Body<PreviewRequest, 64>,
    ) -> Result<JsonResponse<Preview>> {
        let size = body.size;
        let PreviewRequest { document, sample_index, values, call } = body.value;
        let under = |found: Vec<domain::problem::Problem>| {
            Failure::invalid(found.into_iter().map(|problem| problem.under("/document")).collect())
        };
        let (draft, _) = work_on(size, move || document.into_draft().map_err(under)).await?;
        let wanted =
            preview::PreviewRequest { draft, sample: sample_index as usize, values: values.map(into_map) };
        let preview = self.0.previews.preview(wanted, call.then_some(&by.0)).await;
        JsonResponse::new(preview.map_err(refused)?)
    }

    /// Get an experiment with its document, its first samples and its newest sweep
    #[oai(path = "/experiments/:id", method = "get", operation_id = "get_experiment")]
    async fn get_experiment(&self, _by: As<Actor>, id: Path<Uuid>) -> Result<JsonResponse<ExperimentDetail>> {
        let overview = self.0.experiments.overview(ExperimentId::new(bits(id.0))).await.map_err(refused)?;
        JsonResponse::new(self.detail(overview).await?)
    }

    /// Replace an experiment's document; once it has runs, only its names, its scoring and, between sweeps, its space can change
    #[oai(path = "/experiments/:id", method = "put", operation_id = "update_experiment")]
    async fn update_experiment(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        body: Body<ExperimentDraft, 64>,
    ) -> Result<JsonResponse<ExperimentDetail>> {
        let id = ExperimentId::new(bits(id.0));
        let known = self.0.experiments.overview(id).await.map_err(refused)?;
        if known.summary.project.bits() != bits(body.value.project_id) {
            let detail = "an experiment stays in its project";
            let problem = domain::problem::Problem::new("/project_id", "immutable", detail);
            return Err(Failure::invalid(vec![problem]));
        }
        let (size, document) = (body.size, body.value);
        let (draft, with_samples) = work_on(size, || document.into_draft().map_err(Failure::invalid)).await?;
        let changed = self.0.experiments.replace(&by.0, id, draft, with_samples).await.map_err(refused)?;
        JsonResponse::new(self.detail(changed).await?)
    }

    /// Delete an experiment with its runs; answers stay in the cache
    #[oai(path = "/experiments/:id", method = "delete", operation_id = "delete_experiment")]
    async fn delete_experiment(&self, by: As<Writer>, id: Path<Uuid>) -> Result<Gone> {
        self.0.experiments.delete(&by.0, ExperimentId::new(bits(id.0))).await.map_err(refused)?;
        Ok(Gone)
    }

    /// List why samples and runs failed, in all sweeps or in one
    #[oai(path = "/experiments/:id/failures", method = "get", operation_id = "get_failures")]
    async fn get_failures(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        sweep_id: Query<Option<Uuid>>,
    ) -> Result<JsonResponse<Failures>> {
        let sweep = sweep_id.0.map(|sweep| SweepId::new(bits(sweep)));
        let found = self.0.exports.failures(ExperimentId::new(bits(id.0)), sweep).await;
        let found = found.map_err(|error| refused(Refusal::from(error)))?;
        JsonResponse::new(Failures { items: found.into_iter().map(FailureGroup::from).collect() })
    }

    /// List the leaderboard: the newest finished run of each configuration, best first unless sorted otherwise
    #[oai(path = "/experiments/:id/leaderboard", method = "get", operation_id = "get_leaderboard")]
    async fn get_leaderboard(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        list: RunListQuery,
    ) -> Result<JsonResponse<LeaderboardPage>> {
        let board = self.0.leaderboard(ExperimentId::new(bits(id.0)), &list.0).await;
        JsonResponse::new(LeaderboardPage::from(&board.map_err(wrong_query)?))
    }
}

impl Api {
    async fn detail(&self, overview: ExperimentOverview) -> Result<ExperimentDetail> {
        let progress = self.0.live.progress(overview.summary.id).await.map_err(refused)?;
        Ok(ExperimentDetail::new(overview, progress.sweep.as_ref(), progress.at))
    }
}
