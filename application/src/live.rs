//! The live view of an experiment.

use std::sync::Arc;

use domain::event::{Event, EventType};
use domain::id::ExperimentId;
use domain::time::Timestamp;
use domain::value::{Number, Value};

use crate::leaderboard::{Board, Leaderboards};
use crate::ports::{
    Clock, EndpointCondition, EndpointStore, EventFilter, EventStore, FactStore, Monitor, RunningRun,
    StoreError,
};
use crate::refusal::{Refusal, Resource};
use crate::sweeps::{SweepError, SweepView, Sweeps};

/// Rows of the leaderboard that a snapshot shows.
const ROWS: usize = 50;
/// Events that it shows.
const EVENTS: usize = 100;
/// Steps of the best score so far.
const STEPS: usize = 500;
/// Runs in execution.
const RUNNING: usize = 64;

/// What the use cases need from the world.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub endpoints: Arc<dyn EndpointStore>,
    pub events: Arc<dyn EventStore>,
    pub facts: Arc<dyn FactStore>,
    pub monitor: Arc<dyn Monitor>,
}

/// An endpoint at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointLoad {
    /// Its label.
    pub label: String,
    /// Calls that live workers may make at once, of those it bears.
    pub in_use: u32,
    /// Calls it bears at once.
    pub concurrency: u32,
    /// The end of the pause that it asked for, where that has not passed.
    pub backing_off_until: Option<Timestamp>,
    /// Why nothing is sent to it.
    pub breaker: Option<String>,
    /// When it is called again by itself, where its breaker is open.
    pub breaker_until: Option<Timestamp>,
}

/// How far a sweep is.
#[derive(Debug, Clone)]
pub struct SweepProgress {
    /// The newest sweep.
    pub sweep: Option<SweepView>,
    /// Runs in execution.
    pub running: Vec<RunningRun>,
    /// The endpoints.
    pub endpoints: Vec<EndpointLoad>,
    /// When it was so.
    pub at: Timestamp,
}

/// Everything that a live page shows at first.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// How far the sweep is.
    pub progress: SweepProgress,
    /// The top of the leaderboard.
    pub leaderboard: Board,
    /// When which score was the best so far.
    pub best_series: Vec<(Timestamp, f64)>,
    /// The newest events, oldest of them first.
    pub events: Vec<Event>,
}

/// The use cases of live pages.
pub struct Live {
    ports: Ports,
    leaderboards: Arc<Leaderboards>,
    sweeps: Arc<Sweeps>,
}

impl Live {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(ports: Ports, leaderboards: Arc<Leaderboards>, sweeps: Arc<Sweeps>) -> Self {
        Self { ports, leaderboards, sweeps }
    }

    /// Finds out whether there is such an experiment.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn check(&self, experiment: ExperimentId) -> Result<(), Refusal> {
        let found = self.ports.facts.facts(experiment).await?;
        found.map(drop).ok_or(Refusal::NotFound(Resource::Experiment))
    }

    /// How far an experiment's newest sweep is.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn progress(&self, experiment: ExperimentId) -> Result<SweepProgress, Refusal> {
        let sweep = match self.sweeps.latest(experiment).await? {
            Some(sweep) => match self.sweeps.view(sweep.id).await {
                Ok(view) => Some(view),
                Err(SweepError::NoSweep) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let running = self.ports.monitor.running(experiment, RUNNING).await?;
        let endpoints = self.endpoints().await?;
        Ok(SweepProgress { sweep, running, endpoints, at: self.ports.clock.now() })
    }

    /// Everything that an experiment's live page shows at first.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn snapshot(&self, experiment: ExperimentId) -> Result<Snapshot, Refusal> {
        let progress = self.progress(experiment).await?;
        let leaderboard = self.leaderboards.first(experiment, ROWS).await?;
        let of = |kind| EventFilter { experiment: Some(experiment), kind };
        let best = self.ports.events.newest_events(of(Some(EventType::NewBestFound)), STEPS).await?;
        Ok(Snapshot {
            progress,
            leaderboard,
            best_series: best.iter().filter_map(step).collect(),
            events: self.ports.events.newest_events(of(None), EVENTS).await?,
        })
    }

    /// What a page of all activity shows at first.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn activity(&self) -> Result<(Vec<EndpointLoad>, Vec<Event>), Refusal> {
        let events = self.ports.events.newest_events(EventFilter::default(), EVENTS).await?;
        Ok((self.endpoints().await?, events))
    }

    async fn endpoints(&self) -> Result<Vec<EndpointLoad>, StoreError> {
        let used = self.ports.monitor.slots_in_use().await?;
        let load = |condition: EndpointCondition| EndpointLoad {
            label: condition.label,
            in_use: used.iter().find(|(id, _)| *id == condition.endpoint).map_or(0, |(_, held)| *held),
            concurrency: condition.concurrency,
            backing_off_until: condition.backing_off_until,
            breaker: condition.breaker.map(|breaker| breaker.reason),
            breaker_until: condition.breaker_until,
        };
        Ok(self.ports.endpoints.all_conditions().await?.into_iter().map(load).collect())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.ports.monitor.ping().await
    }
}

fn step(event: &Event) -> Option<(Timestamp, f64)> {
    let score = event.event.data.get("score").and_then(Value::as_number).map(Number::as_f64)?;
    Some((event.at, score))
}
