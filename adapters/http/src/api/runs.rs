use std::sync::Arc;
use std::time::Duration;

use application::ports::{KeptAnswer, RunFilter, RunQuery, RunSummary};
use application::run_list::{self, RunView};
use application::runs::Trace;
use domain::access::{Actor, Writer};
use domain::id::{ExperimentId, RunId, SweepId};
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};
use uuid::Uuid;
use wire::api::{Run, RunDetail, RunPage, RunRequest, RunSample, RunSamplePage};
use wire::value::into_map;

use super::Tag;
use crate::answer::{Accepted, Answer, Either, Result};
use crate::body::Body;
use crate::caller::As;
use crate::failure::{Failure, refused, wrong_query};
use crate::list_query::RunListQuery;
use crate::once::Repeatable;
use crate::page::{Cursor, Limit, bits, next};
use crate::services::Services;

/// Results that stand in a run's detail.
const FIRST_RESULTS: usize = 20;
/// The longest that somebody may wait for a run, in seconds.
const LONGEST_WAIT: f64 = 600.0;

pub(super) struct Api(pub(super) Arc<Services>);

/// A run that is over, or one that goes on.
type OverOrBegun = Either<Answer<Run>, Accepted<Run>>;

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
    ) -> Result<Answer<RunPage>> {
        let facts = self.0.runs.facts(ExperimentId::new(bits(id.0))).await.map_err(refused)?;
        let filter = run_list::filter(&facts, list.status.as_deref(), &list.values.0).map_err(wrong_query)?;
        let filter = RunFilter { sweep: sweep_id.0.map(|sweep| SweepId::new(bits(sweep))), ..filter };
        let order =
            run_list::order(list.sort.as_deref(), RunView::Runs, &facts.outline).map_err(wrong_query)?;
        let after = list.page.cursor.place()?;
        run_list::check_place(after.as_ref(), &order).map_err(wrong_query)?;
        let query = RunQuery { filter, order, after, limit: list.page.limit.get() };
        let page = self.0.runs.list(query).await.map_err(refused)?;
        let next_cursor = page.next.map(|place| place.to_string());
        Answer::new(RunPage { items: page.items.iter().map(Run::from).collect(), next_cursor })
    }

    /// Evaluate one configuration outside any sweep; with `wait` the answer comes once it is over, or after so many
    /// seconds
    #[oai(path = "/runs", method = "post", operation_id = "create_run")]
    async fn create_run(
        &self,
        by: As<Writer>,
        wait: Query<Option<f64>>,
        #[oai(name = "Idempotency-Key")] key: Header<Option<String>>,
        body: Body<RunRequest>,
    ) -> Result<OverOrBegun> {
        let patience = patience(wait.0)?;
        let route = "POST /runs".to_owned();
        let repeatable = Repeatable { by: &by.0, key: key.0.as_ref(), route, body: body.digest };
        let RunRequest { experiment_id, values } = body.value;
        let start = async {
            let experiment = ExperimentId::new(bits(experiment_id));
            let started = self.0.runs.start(&by.0, experiment, into_map(values)).await.map_err(refused)?;
            over_or_begun(&self.0.runs.wait(started, patience).await.map_err(refused)?)
        };
        let keep = |answer: &OverOrBegun| match answer {
            Either::One(over) => KeptAnswer { status: 200, body: over.text().to_owned() },
            Either::Other(begun) => KeptAnswer { status: 202, body: begun.text().to_owned() },
        };
        let again = |kept: KeptAnswer| match kept.status {
            200 => Either::One(Answer::again(kept.body)),
            _ => Either::Other(Accepted::again(kept.body)),
        };
        repeatable.answer(&self.0, start, keep, again).await
    }

    /// A run with its configuration and its first results
    #[oai(path = "/runs/:id", method = "get", operation_id = "get_run")]
    async fn get_run(&self, _by: As<Actor>, id: Path<Uuid>) -> Result<Answer<RunDetail>> {
        let id = RunId::new(bits(id.0));
        let detail = self.0.runs.detail(id).await.map_err(refused)?;
        let first = self.0.runs.results(id, None, FIRST_RESULTS).await.map_err(refused)?;
        Answer::new(RunDetail::new(detail, first.items))
    }

    /// What became of a run's samples: prompts, answers and scores
    #[oai(path = "/runs/:id/samples", method = "get", operation_id = "list_run_samples")]
    async fn list_run_samples(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        limit: Query<Limit>,
        cursor: Query<Cursor>,
    ) -> Result<Answer<RunSamplePage>> {
        let id = RunId::new(bits(id.0));
        let after: Option<SamplePlace> = cursor.place()?;
        let after = after.map(|SamplePlace(sample, repeat)| (sample, repeat));
        let run = self.0.runs.run(id).await.map_err(refused)?;
        let facts = self.0.runs.facts(run.experiment).await.map_err(refused)?;
        let page = self.0.runs.traces(id, after, limit.get()).await.map_err(refused)?;
        let next_cursor = next(&page, |trace: &Trace| format!("{}.{}", trace.sample_index, trace.repeat));
        let items = page.items.into_iter().map(|trace| RunSample::new(trace, &facts.outline)).collect();
        Answer::new(RunSamplePage { items, next_cursor })
    }
}

/// A sample and its repetition.
struct SamplePlace(u32, u32);

impl std::str::FromStr for SamplePlace {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (sample, repeat) = text.split_once('.').ok_or(())?;
        Ok(Self(sample.parse().map_err(drop)?, repeat.parse().map_err(drop)?))
    }
}

fn over_or_begun(run: &RunSummary) -> Result<OverOrBegun> {
    if run.completed_at.is_some() {
        Answer::new(run).map(Either::One)
    } else {
        Accepted::new(run).map(Either::Other)
    }
}

fn patience(seconds: Option<f64>) -> Result<Duration> {
    let seconds = seconds.unwrap_or(0.0);
    if (0.0..=LONGEST_WAIT).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(Failure::parameter("wait", format!("takes seconds from 0 to {LONGEST_WAIT}")))
}
