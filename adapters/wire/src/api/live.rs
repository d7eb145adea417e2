//! Live data of sweeps and endpoints, and the health of the server.

use application::live;
use application::ports::RunningRun;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};
use uuid::Uuid;

use super::{Event, LeaderboardRow, Moment, SampleCounts, Sweep, id};

/// A run that is being executed.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct RunningRunView {
    /// The run.
    pub run_id: Uuid,
    /// Its progress.
    pub samples: SampleCounts,
}

impl From<RunningRun> for RunningRunView {
    fn from(run: RunningRun) -> Self {
        let samples = SampleCounts { total: run.asked, done: run.done, failed: run.failed };
        Self { run_id: id(run.id.bits()), samples }
    }
}

/// The use of an endpoint.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct EndpointLoad {
    /// Its label.
    pub label: String,
    /// Calls that are allowed in flight now.
    pub in_use: u32,
    /// The most calls in flight.
    pub concurrency: u32,
    /// The end of the pause that it asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub backing_off_until: Option<Moment>,
    /// Why no calls are sent to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub breaker: Option<String>,
    /// When it is called again by itself; absent where somebody has to change something first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub breaker_until: Option<Moment>,
}

impl From<live::EndpointLoad> for EndpointLoad {
    fn from(load: live::EndpointLoad) -> Self {
        Self {
            label: load.label,
            in_use: load.in_use,
            concurrency: load.concurrency,
            backing_off_until: load.backing_off_until.map(Moment::from),
            breaker: load.breaker,
            breaker_until: load.breaker_until.map(Moment::from),
        }
    }
}

/// An increase of the best score: `[at, score]`.
#[derive(Debug, Clone, Copy)]
pub struct BestStep {
    at: Moment,
    score: f64,
}

impl Serialize for BestStep {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        let mut pair = sink.serialize_tuple(2)?;
        pair.serialize_element(&self.at)?;
        pair.serialize_element(&self.score)?;
        pair.end()
    }
}

/// The progress of a sweep, sent between events.
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    /// The newest sweep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// Runs that are being executed.
    pub running: Vec<RunningRunView>,
    /// The endpoints.
    pub endpoints: Vec<EndpointLoad>,
}

impl From<&live::SweepProgress> for Progress {
    fn from(progress: &live::SweepProgress) -> Self {
        Self {
            sweep: progress.sweep.as_ref().map(|sweep| Sweep::new(sweep, progress.at)),
            running: progress.running.iter().map(|run| (*run).into()).collect(),
            endpoints: progress.endpoints.iter().cloned().map(EndpointLoad::from).collect(),
        }
    }
}

/// The initial data of an experiment's live page.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// The progress of the sweep.
    #[serde(flatten)]
    pub progress: Progress,
    /// The top of the leaderboard.
    pub leaderboard: Vec<LeaderboardRow>,
    /// The increases of the best score.
    pub best_series: Vec<BestStep>,
    /// The newest events, oldest first.
    pub events: Vec<Event>,
}

impl From<live::Snapshot> for Snapshot {
    fn from(snapshot: live::Snapshot) -> Self {
        let steps = snapshot.best_series.into_iter();
        Self {
            progress: (&snapshot.progress).into(),
            leaderboard: snapshot.leaderboard.rows.iter().map(LeaderboardRow::from).collect(),
            best_series: steps.map(|(at, score)| BestStep { at: at.into(), score }).collect(),
            events: snapshot.events.iter().map(Event::from).collect(),
        }
    }
}

/// The initial data of the page of all activity.
#[derive(Debug, Clone, Serialize)]
pub struct Activity {
    /// The endpoints.
    pub endpoints: Vec<EndpointLoad>,
    /// The newest events, oldest first.
    pub events: Vec<Event>,
}

/// A message of a WebSocket that is not an event. It has the form of one, with the number of the last event.
#[derive(Debug, Clone, Serialize)]
pub struct Message<T> {
    /// The number of the last event.
    pub seq: u64,
    /// `snapshot` or `progress`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<Uuid>,
    /// When it was sent.
    pub at: Moment,
    /// Its content.
    pub data: T,
}

/// The health of a part of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum PartHealth {
    /// It works.
    Ok,
    /// It does not work.
    Down,
    /// It is not used.
    Disabled,
}

/// The health of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object, JsonSchema)]
pub struct Health {
    /// Whether the server works.
    pub status: PartHealth,
    /// The database.
    pub database: PartHealth,
    /// Redis, which only wakes up processes.
    pub redis: PartHealth,
    /// Why the server does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub reason: Option<String>,
}

impl Health {
    /// Everything works.
    #[must_use]
    pub const fn well() -> Self {
        Self { status: PartHealth::Ok, database: PartHealth::Ok, redis: PartHealth::Disabled, reason: None }
    }

    /// The database does not work, for this reason.
    #[must_use]
    pub const fn without_database(reason: String) -> Self {
        let (status, database) = (PartHealth::Down, PartHealth::Down);
        Self { status, database, redis: PartHealth::Disabled, reason: Some(reason) }
    }
}
