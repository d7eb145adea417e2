use std::sync::Arc;

use application::operations::StartSweep;
use application::services::Services;
use application::sweeps::SweepView;
use domain::access::{Actor, Writer};
use domain::id::{ExperimentId, SweepId};
use domain::sweep::Command;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path};
use uuid::Uuid;
use wire::api::{DryRun, PauseRequest, ResumeRequest, Sweep, SweepPage, SweepRequest};

use super::Tag;
use crate::body::Body;
use crate::caller::As;
use crate::failure::{Failure, refused, wrong_query};
use crate::json_response::{Accepted, Either, JsonResponse, Result};
use crate::list_query::PageQuery;
use crate::page::bits;
use crate::repeatable::repeatable;

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi(tag = "Tag::Sweeps")]
impl Api {
    /// Start a sweep, or with `dry_run` only estimate it
    #[oai(path = "/experiments/:id/sweep", method = "post", operation_id = "start_sweep")]
    async fn start_sweep(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        #[oai(name = "Idempotency-Key")] key: Header<Option<String>>,
        body: Body<SweepRequest>,
    ) -> Result<Either<JsonResponse<DryRun>, Accepted<Sweep>>> {
        let experiment = ExperimentId::new(bits(id.0));
        let (dry, digest) = (body.value.dry_run, body.digest);
        let request = self.0.sweeps.capped(body.value.into_request().map_err(Failure::invalid)?);
        if dry {
            let estimate = self.0.estimates.estimate(experiment, &request).await.map_err(refused)?;
            return JsonResponse::new(estimate).map(Either::One);
        }
        let repeatable = repeatable(&by.0, key.0, format!("POST /experiments/{experiment}/sweep"), digest);
        let tell = |view: &SweepView, now| Accepted::<Sweep>::kept(Sweep::new(view, now));
        let operation = StartSweep { services: Arc::clone(&self.0), by: by.0, experiment, request, tell };
        let kept = self.0.once.carry_out(repeatable, operation).await.map_err(refused)?;
        Ok(Either::Other(Accepted::again(kept.body)))
    }

    /// Pause the sweep: runs in progress are finished, or with `now` only calls in flight
    #[oai(path = "/experiments/:id/pause", method = "post", operation_id = "pause_sweep")]
    async fn pause_sweep(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        body: Body<PauseRequest>,
    ) -> Result<JsonResponse<Sweep>> {
        self.steer(&by.0, id.0, Command::Pause { now: body.value.now }).await
    }

    /// Resume a paused sweep; one whose budget is used up needs a higher limit
    #[oai(path = "/experiments/:id/resume", method = "post", operation_id = "resume_sweep")]
    async fn resume_sweep(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        body: Body<ResumeRequest>,
    ) -> Result<JsonResponse<Sweep>> {
        let limits = body.value.limits().map_err(Failure::invalid)?;
        let experiment = ExperimentId::new(bits(id.0));
        self.shown(&self.0.sweeps.resume(&by.0, experiment, limits).await.map_err(refused)?)
    }

    /// Stop the sweep: calls in flight are stored, their runs are cancelled
    #[oai(path = "/experiments/:id/stop", method = "post", operation_id = "stop_sweep")]
    async fn stop_sweep(&self, by: As<Writer>, id: Path<Uuid>) -> Result<JsonResponse<Sweep>> {
        self.steer(&by.0, id.0, Command::Stop).await
    }

    /// List an experiment's sweeps, newest first
    #[oai(path = "/experiments/:id/sweeps", method = "get", operation_id = "list_sweeps")]
    async fn list_sweeps(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        page: PageQuery,
    ) -> Result<JsonResponse<SweepPage>> {
        let listed = self.0.list_sweeps(ExperimentId::new(bits(id.0)), &page.0).await.map_err(wrong_query)?;
        let now = self.0.clock.now();
        let items = listed.items.iter().map(|view| Sweep::new(view, now)).collect();
        JsonResponse::new(SweepPage { items, next_cursor: listed.next_cursor })
    }

    /// Get a sweep
    #[oai(path = "/sweeps/:id", method = "get", operation_id = "get_sweep")]
    async fn get_sweep(&self, _by: As<Actor>, id: Path<Uuid>) -> Result<JsonResponse<Sweep>> {
        self.shown(&self.0.sweeps.view(SweepId::new(bits(id.0))).await.map_err(refused)?)
    }
}

impl Api {
    async fn steer(&self, by: &Writer, experiment: Uuid, command: Command) -> Result<JsonResponse<Sweep>> {
        let experiment = ExperimentId::new(bits(experiment));
        self.shown(&self.0.sweeps.steer(by, experiment, command).await.map_err(refused)?)
    }

    fn shown(&self, view: &SweepView) -> Result<JsonResponse<Sweep>> {
        JsonResponse::new(Sweep::new(view, self.0.clock.now()))
    }
}
