use std::sync::Arc;
use std::time::Duration;

use application::operations::{CursorPage, StartRun};
use application::ports::{KeptAnswer, RunSummary};
use application::refusal::Refusal;
use application::services::Services;
use domain::access::{Actor, Writer};
use domain::id::{ExperimentId, RunId, SweepId};
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};
use uuid::Uuid;
use wire::api::{Run, RunDetail, RunPage, RunRequest, RunSample, RunSamplePage};
use wire::value::into_map;

use super::Tag;
use crate::body::Body;
use crate::caller::As;
use crate::failure::{Failure, refused, wrong_query};
use crate::json_response::{Accepted, Either, JsonResponse, Result};
use crate::list_query::{PageQuery, RunListQuery};
use crate::page::bits;
use crate::repeatable::repeatable;

/// Results in a run's detail.
const FIRST_RESULTS: usize = 20;
/// The longest `wait`, in seconds.
const LONGEST_WAIT: f64 = 600.0;

pub(super) struct Api(pub(super) Arc<Services>);

/// A run that has ended, or one that goes on.
type OverOrBegun = Either<JsonResponse<Run>, Accepted<Run>>;

#[OpenApi(tag = "Tag::Runs")]
impl Api {
    /// List an experiment's runs, newest first unless sorted otherwise
    #[oai(path = "/experiments/:id/runs", method = "get", operation_id = "list_runs")]
    async fn list_runs(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        sweep_id: Query<Option<Uuid>>,
        list: RunListQuery,
    ) -> Result<JsonResponse<RunPage>> {
        let (experiment, sweep) =
            (ExperimentId::new(bits(id.0)), sweep_id.0.map(|sweep| SweepId::new(bits(sweep))));
        let listed = self.0.list_runs(experiment, sweep, &list.0).await.map_err(wrong_query)?;
        let items = listed.items.iter().map(Run::from).collect();
        JsonResponse::new(RunPage { items, next_cursor: listed.next_cursor })
    }

    /// Evaluate one configuration outside any sweep; with `wait` the answer is sent when the run has ended, or after
    /// so many seconds
    #[oai(path = "/runs", method = "post", operation_id = "create_run")]
    async fn create_run(
        &self,
        by: As<Writer>,
        wait: Query<Option<f64>>,
        #[oai(name = "Idempotency-Key")] key: Header<Option<String>>,
        body: Body<RunRequest>,
    ) -> Result<OverOrBegun> {
        let wait = patience(wait.0)?;
        let repeatable = repeatable(&by.0, key.0, "POST /runs", body.digest);
        let RunRequest { experiment_id, values } = body.value;
        let (experiment, values) = (ExperimentId::new(bits(experiment_id)), into_map(values));
        let operation = StartRun {
            services: Arc::clone(&self.0),
            by: by.0,
            experiment,
            values,
            wait,
            tell: over_or_begun,
        };
        let kept = self.0.once.carry_out(repeatable, operation).await.map_err(refused)?;
        Ok(match kept.status {
            200 => Either::One(JsonResponse::again(kept.body)),
            _ => Either::Other(Accepted::again(kept.body)),
        })
    }

    /// Get a run with its configuration and its first results
    #[oai(path = "/runs/:id", method = "get", operation_id = "get_run")]
    async fn get_run(&self, _by: As<Actor>, id: Path<Uuid>) -> Result<JsonResponse<RunDetail>> {
        let id = RunId::new(bits(id.0));
        let detail = self.0.runs.detail(id).await.map_err(refused)?;
        let first = self.0.runs.results(id, None, FIRST_RESULTS).await.map_err(refused)?;
        JsonResponse::new(RunDetail::new(detail, first.items))
    }

    /// List the samples of a run with prompts, answers and scores
    #[oai(path = "/runs/:id/samples", method = "get", operation_id = "list_run_samples")]
    async fn list_run_samples(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        page: PageQuery,
    ) -> Result<JsonResponse<RunSamplePage>> {
        let listed = self.0.list_samples(RunId::new(bits(id.0)), &page.0).await.map_err(wrong_query)?;
        let (CursorPage { items, next_cursor }, facts) = listed;
        let items = items.into_iter().map(|trace| RunSample::new(trace, &facts.outline)).collect();
        JsonResponse::new(RunSamplePage { items, next_cursor })
    }
}

fn over_or_begun(run: &RunSummary) -> std::result::Result<KeptAnswer, Refusal> {
    match run.state.ended_at() {
        Some(_) => JsonResponse::<Run>::kept(run),
        None => Accepted::<Run>::kept(run),
    }
}

fn patience(seconds: Option<f64>) -> Result<Duration> {
    let seconds = seconds.unwrap_or(0.0);
    if (0.0..=LONGEST_WAIT).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(Failure::parameter("wait", format!("takes seconds from 0 to {LONGEST_WAIT}")))
}
