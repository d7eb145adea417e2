use std::sync::Arc;

use application::ports::KeptAnswer;
use domain::access::{Actor, Writer};
use domain::id::{ExperimentId, SweepId};
use domain::sweep::Command;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};
use uuid::Uuid;
use wire::api::{DryRun, PauseRequest, ResumeRequest, Sweep, SweepPage, SweepRequest};

use super::Tag;
use crate::answer::{Accepted, Answer, Either, Result};
use crate::body::Body;
use crate::caller::As;
use crate::failure::{Failure, refused};
use crate::once::Repeatable;
use crate::page::{Cursor, Limit, bits, next};
use crate::services::Services;

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi(tag = "Tag::Sweeps")]
impl Api {
    /// Start a sweep, or with `dry_run` only say what it would come to
    #[oai(path = "/experiments/:id/sweep", method = "post", operation_id = "start_sweep")]
    async fn start_sweep(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        #[oai(name = "Idempotency-Key")] key: Header<Option<String>>,
        body: Body<SweepRequest>,
    ) -> Result<Either<Answer<DryRun>, Accepted<Sweep>>> {
        let experiment = ExperimentId::new(bits(id.0));
        let dry = body.value.dry_run;
        let request = self.0.sweeps.capped(body.value.into_request().map_err(Failure::invalid)?);
        if dry {
            let estimate = self.0.estimates.estimate(experiment, &request).await.map_err(refused)?;
            return Answer::new(estimate).map(Either::One);
        }
        let route = format!("POST /experiments/{experiment}/sweep");
        let repeatable = Repeatable { by: &by.0, key: key.0.as_ref(), route, body: body.digest };
        let start = async {
            let started = self.0.sweeps.start(&by.0, experiment, request).await.map_err(refused)?;
            Accepted::new(self.sweep(started).await?)
        };
        let keep = |answer: &Accepted<Sweep>| KeptAnswer { status: 202, body: answer.text().to_owned() };
        let again = |kept: KeptAnswer| Accepted::again(kept.body);
        repeatable.answer(&self.0, start, keep, again).await.map(Either::Other)
    }

    /// Pause the sweep: runs in progress come to their end, or with `now` only calls in flight
    #[oai(path = "/experiments/:id/pause", method = "post", operation_id = "pause_sweep")]
    async fn pause_sweep(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        body: Body<PauseRequest>,
    ) -> Result<Answer<Sweep>> {
        self.steer(&by.0, id.0, Command::Pause { now: body.value.now }).await
    }

    /// Resume a paused sweep; one whose budget is used up needs a higher limit
    #[oai(path = "/experiments/:id/resume", method = "post", operation_id = "resume_sweep")]
    async fn resume_sweep(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        body: Body<ResumeRequest>,
    ) -> Result<Answer<Sweep>> {
        let limits = body.value.limits().map_err(Failure::invalid)?;
        let experiment = ExperimentId::new(bits(id.0));
        let view = self.0.sweeps.resume(&by.0, experiment, limits).await.map_err(refused)?;
        Answer::new(Sweep::new(&view, self.0.clock.now()))
    }

    /// End the sweep: calls in flight are stored, their runs are cancelled
    #[oai(path = "/experiments/:id/stop", method = "post", operation_id = "stop_sweep")]
    async fn stop_sweep(&self, by: As<Writer>, id: Path<Uuid>) -> Result<Answer<Sweep>> {
        self.steer(&by.0, id.0, Command::Stop).await
    }

    /// List an experiment's sweeps, newest first
    #[oai(path = "/experiments/:id/sweeps", method = "get", operation_id = "list_sweeps")]
    async fn list_sweeps(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        limit: Query<Limit>,
        cursor: Query<Cursor>,
    ) -> Result<Answer<SweepPage>> {
        let before: Option<SweepId> = cursor.place()?;
        let page = self.0.sweeps.list(ExperimentId::new(bits(id.0)), before, limit.get()).await;
        let page = page.map_err(refused)?;
        let next_cursor = next(&page, |view| view.sweep.id.to_string());
        let now = self.0.clock.now();
        Answer::new(SweepPage {
            items: page.items.iter().map(|view| Sweep::new(view, now)).collect(),
            next_cursor,
        })
    }

    /// A sweep
    #[oai(path = "/sweeps/:id", method = "get", operation_id = "get_sweep")]
    async fn get_sweep(&self, _by: As<Actor>, id: Path<Uuid>) -> Result<Answer<Sweep>> {
        Answer::new(self.sweep(SweepId::new(bits(id.0))).await?)
    }
}

impl Api {
    async fn sweep(&self, id: SweepId) -> Result<Sweep> {
        let view = self.0.sweeps.view(id).await.map_err(refused)?;
        Ok(Sweep::new(&view, self.0.clock.now()))
    }

    async fn steer(&self, by: &Writer, experiment: Uuid, command: Command) -> Result<Answer<Sweep>> {
        let experiment = ExperimentId::new(bits(experiment));
        let view = self.0.sweeps.steer(by, experiment, command).await.map_err(refused)?;
        Answer::new(Sweep::new(&view, self.0.clock.now()))
    }
}
