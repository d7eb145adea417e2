//! What is going on, for pages that show it live, and for whoever watches over the server.

use application::live;
use application::ports::RunningRun;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};
use uuid::Uuid;

use super::{Event, LeaderboardRow, Moment, SampleCounts, Sweep, id};

/// A run in execution.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct RunningRunView {
    /// The run.
    pub run_id: Uuid,
    /// How far it is.
    pub samples: SampleCounts,
}

impl From<RunningRun> for RunningRunView {
    fn from(run: RunningRun) -> Self {
        let samples = SampleCounts { total: run.asked, done: run.done, failed: run.failed };
        Self { run_id: id(run.id.bits()), samples }
    }
}

/// How much of an endpoint is in use.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct EndpointLoad {
    /// Its label.
    pub label: String,
    /// Calls that may be in flight now.
    pub in_use: u32,
    /// Calls that may be in flight at most.
    pub concurrency: u32,
    /// The end of the pause that it asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub backing_off_until: Option<Moment>,
    /// Why nothing is sent to it.
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

/// A step of the best score so far: `[at, score]`.
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

/// How far a sweep is, between events.
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    /// The newest sweep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// Runs in execution.
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

/// Everything that an experiment's live page shows at first.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// How far the sweep is.
    #[serde(flatten)]
    pub progress: Progress,
    /// The top of the leaderboard.
    pub leaderboard: Vec<LeaderboardRow>,
    /// When which score was the best so far.
    pub best_series: Vec<BestStep>,
    /// The newest events, oldest of them first.
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

/// Everything that a page of all activity shows at first.
#[derive(Debug, Clone, Serialize)]
pub struct Activity {
    /// The endpoints.
    pub endpoints: Vec<EndpointLoad>,
    /// The newest events, oldest of them first.
    pub events: Vec<Event>,
}

/// What a socket says that is no event: it has the form of one, and the place that was come to.
#[derive(Debug, Clone, Serialize)]
pub struct Message<T> {
    /// The place that was come to.
    pub seq: u64,
    /// `snapshot` or `progress`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<Uuid>,
    /// When it was so.
    pub at: Moment,
    /// What it says.
    pub data: T,
}

/// How a part of the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum PartHealth {
    /// It answers.
    Ok,
    /// It does not.
    Down,
    /// It is not used.
    Disabled,
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object, JsonSchema)]
pub struct Health {
    /// Whether it can do its work.
    pub status: PartHealth,
    /// The database.
    pub database: PartHealth,
    /// Redis, which only wakes processes up.
    pub redis: PartHealth,
    /// Why it cannot do its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub reason: Option<String>,
}

impl Health {
    /// Everything answers.
    #[must_use]
    pub const fn well() -> Self {
        Self { status: PartHealth::Ok, database: PartHealth::Ok, redis: PartHealth::Disabled, reason: None }
    }

    /// The database does not answer as it should, for this reason.
    #[must_use]
    pub const fn without_database(reason: String) -> Self {
        let (status, database) = (PartHealth::Down, PartHealth::Down);
        Self { status, database, redis: PartHealth::Disabled, reason: Some(reason) }
    }
}
