//! Operations that are more than one use case, for every protocol alike.

mod scores;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::access::Writer;
use domain::id::{ExperimentId, ProjectId, RunId, SweepId};
use domain::time::Timestamp;
use domain::value::Map;

use crate::leaderboard::{Board, BoardPlace, BoardQuery};
use crate::once::{KeyedOperation, Reservation};
use crate::page::Page;
use crate::ports::{
    EventFilter, ExperimentFacts, ExperimentFilter, ExperimentSummary, ExportRecord, KeptAnswer, ListPlace,
    RunFilter, RunListing, RunQuery, RunSummary, StoredProject,
};
use crate::refusal::Refusal;
use crate::run_list::{self, RunView};
use crate::runs::Trace;
use crate::services::Services;
use crate::sweeps::{CappedRequest, SweepView};

/// Which runs a list has, in which order, and which page of it.
#[derive(Debug, Clone, Default)]
pub struct RunListRequest {
    /// Runs with this status only.
    pub status: Option<String>,
    /// Runs with these values of dimensions only.
    pub values: Vec<(String, String)>,
    /// The order, as [`run_list::order`] reads it.
    pub sort: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

/// Which page of a list.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// How many items it has at most.
    pub limit: usize,
    /// Where it begins: what the page before gave as its next cursor.
    pub cursor: Option<String>,
}

/// A page of a list, with the cursor of the next page if there is one.
#[derive(Debug, Clone)]
pub struct CursorPage<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

impl PageRequest {
    /// The place where the page begins.
    ///
    /// # Errors
    /// A cursor that no list gives.
    pub fn place<T: FromStr>(&self) -> Result<Option<T>, Refusal> {
        let detail = "take it from `next_cursor` of the page before";
        let wrong = |_| Refusal::invalid("/cursor", "invalid_parameter", detail);
        let cursor = self.cursor.as_deref().filter(|cursor| !cursor.is_empty());
        cursor.map(|cursor| cursor.parse().map_err(wrong)).transpose()
    }
}

impl<T> CursorPage<T> {
    /// A page, where `place` is that of an item.
    pub fn new(page: Page<T>, place: impl Fn(&T) -> String) -> Self {
        let next_cursor = page.items.last().filter(|_| page.more).map(place);
        Self { items: page.items, next_cursor }
    }
}

/// A sample of a run and its repetition.
struct SamplePlace(u32, u32);

impl FromStr for SamplePlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (sample, repeat) = text.split_once('.').ok_or(())?;
        Ok(Self(sample.parse().map_err(drop)?, repeat.parse().map_err(drop)?))
    }
}

impl Services {
    /// A page of projects, newest first.
    ///
    /// # Errors
    /// Where the cursor is none.
    pub async fn list_projects(&self, page: &PageRequest) -> Result<CursorPage<StoredProject>, Refusal> {
        let projects = self.projects.list(page.place()?, page.limit).await?;
        Ok(CursorPage::new(projects, |project| project.id.to_string()))
    }

    /// A page of what was exported of a project's experiments, newest first.
    ///
    /// # Errors
    /// Where there is no such project, or the cursor is none.
    pub async fn list_exports(
        &self,
        project: ProjectId,
        page: &PageRequest,
    ) -> Result<CursorPage<ExportRecord>, Refusal> {
        let exports = self.projects.exports(project, page.place()?, page.limit).await?;
        Ok(CursorPage::new(exports, |export| export.id.to_string()))
    }

    /// A page of experiments, of one project or all, newest first.
    ///
    /// # Errors
    /// Where there is no such project, or the cursor is none.
    pub async fn list_experiments(
        &self,
        project: Option<ProjectId>,
        page: &PageRequest,
    ) -> Result<CursorPage<ExperimentSummary>, Refusal> {
        let filter = ExperimentFilter { project, before: page.place()? };
        let experiments = self.experiments.list(filter, page.limit).await?;
        Ok(CursorPage::new(experiments, |experiment| experiment.id.to_string()))
    }

    /// A page of an experiment's runs, or of one of its sweeps.
    ///
    /// # Errors
    /// Where there is no such experiment, or a parameter is wrong: its pointer is its name.
    pub async fn list_runs(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
        list: &RunListRequest,
    ) -> Result<CursorPage<RunSummary>, Refusal> {
        let facts = self.runs.facts(experiment).await?;
        let filter = run_list::filter(&facts, list.status.as_deref(), &list.values)?;
        let filter = RunFilter { sweep, ..filter };
        let order = run_list::order(list.sort.as_deref(), RunView::Runs, &facts.outline)?;
        let after: Option<ListPlace> = list.page.place()?;
        run_list::check_place(after.as_ref(), &order)?;
        let query = RunQuery { filter, order, after, limit: list.page.limit };
        let RunListing { items, next } = self.runs.list(query).await?;
        Ok(CursorPage { items, next_cursor: next.map(|place| place.to_string()) })
    }

    /// A page of an experiment's leaderboard.
    ///
    /// # Errors
    /// Where there is no such experiment, or a parameter is wrong: its pointer is its name.
    pub async fn leaderboard(
        &self,
        experiment: ExperimentId,
        list: &RunListRequest,
    ) -> Result<Board, Refusal> {
        let facts = self.runs.facts(experiment).await?;
        let filter = run_list::filter(&facts, list.status.as_deref(), &list.values)?;
        let order = run_list::order(list.sort.as_deref(), RunView::Board, &facts.outline)?;
        let from: Option<BoardPlace> = list.page.place()?;
        run_list::check_place(from.as_ref().map(|from| &from.place), &order)?;
        let query = BoardQuery { filter, order, from, limit: list.page.limit };
        Ok(self.leaderboards.page(&facts, query).await?)
    }

    /// A page of an experiment's sweeps, newest first.
    ///
    /// # Errors
    /// Where there is no such experiment, or the cursor is none.
    pub async fn list_sweeps(
        &self,
        experiment: ExperimentId,
        page: &PageRequest,
    ) -> Result<CursorPage<SweepView>, Refusal> {
        let sweeps = self.sweeps.list(experiment, page.place()?, page.limit).await?;
        Ok(CursorPage::new(sweeps, |view| view.sweep.id.to_string()))
    }

    /// What became of a run's samples, with what is known of its experiment.
    ///
    /// # Errors
    /// Where there is no such run, or the cursor is none.
    pub async fn list_samples(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> Result<(CursorPage<Trace>, ExperimentFacts), Refusal> {
        let after: Option<SamplePlace> = page.place()?;
        let summary = self.runs.run(run).await?;
        let facts = self.runs.facts_of_run(&summary).await?;
        let after = after.map(|SamplePlace(sample, repeat)| (sample, repeat));
        let traces = self.runs.traces(run, after, page.limit).await?;
        let place = |trace: &Trace| format!("{}.{}", trace.sample_index, trace.repeat);
        Ok((CursorPage::new(traces, place), facts))
    }

    /// A page of events after a place, oldest first.
    ///
    /// # Errors
    /// Where the experiment that is asked for is not there, or the cursor is none.
    pub async fn list_events(
        &self,
        filter: EventFilter,
        since: Option<u64>,
        page: &PageRequest,
    ) -> Result<CursorPage<domain::event::Event>, Refusal> {
        if let Some(experiment) = filter.experiment {
            self.live.check(experiment).await?;
        }
        let after = page.place()?.or(since).unwrap_or(0);
        let found = self.events.events(filter, after, page.limit + 1).await?;
        Ok(CursorPage::new(Page::of(found, page.limit), |event| event.seq.to_string()))
    }
}

/// Starts a sweep, and tells whoever asked how it stands.
pub struct StartSweep<T> {
    /// The installation.
    pub services: Arc<Services>,
    /// Who asks.
    pub by: Writer,
    /// Of which experiment.
    pub experiment: ExperimentId,
    /// What is asked for.
    pub request: CappedRequest,
    /// Says it in the caller's protocol.
    pub tell: T,
}

#[async_trait]
impl<T> KeyedOperation for StartSweep<T>
where
    T: Fn(&SweepView, Timestamp) -> Result<KeptAnswer, Refusal> + Send + Sync + 'static,
{
    async fn act(&self, reservation: Option<Reservation>) -> Result<u128, Refusal> {
        let Self { services, by, experiment, request, .. } = self;
        Ok(services.sweeps.start(by, *experiment, *request, reservation.as_ref()).await?.bits())
    }

    async fn answer(&self, made: u128) -> Result<KeptAnswer, Refusal> {
        let view = self.services.sweeps.view(SweepId::new(made)).await?;
        (self.tell)(&view, self.services.clock.now())
    }
}

/// Makes a run outside any sweep, waits for its end for a while, and tells whoever asked how it stands.
pub struct StartRun<T> {
    /// The installation.
    pub services: Arc<Services>,
    /// Who asks.
    pub by: Writer,
    /// Of which experiment.
    pub experiment: ExperimentId,
    /// At which point.
    pub values: Map,
    /// How long its end is waited for.
    pub wait: Duration,
    /// Says it in the caller's protocol.
    pub tell: T,
}

#[async_trait]
impl<T> KeyedOperation for StartRun<T>
where
    T: Fn(&RunSummary) -> Result<KeptAnswer, Refusal> + Send + Sync + 'static,
{
    async fn act(&self, reservation: Option<Reservation>) -> Result<u128, Refusal> {
        let runs = &self.services.runs;
        let started = runs.start(&self.by, self.experiment, self.values.clone(), reservation.as_ref());
        Ok(started.await?.bits())
    }

    async fn answer(&self, made: u128) -> Result<KeptAnswer, Refusal> {
        (self.tell)(&self.services.runs.wait(RunId::new(made), self.wait).await?)
    }
}
