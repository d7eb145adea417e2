//! The events of a run's end.

use domain::event::{EventType, NewEvent};
use domain::id::{ExperimentId, RunId};
use domain::run::tally::CallCounts;
use domain::run::{RunEnd, RunError};
use domain::value::{Map, Value};

use crate::ports::ClaimedRun;

/// The run that ends.
#[derive(Clone, Copy)]
pub(super) struct Announcement<'a> {
    pub(super) experiment: ExperimentId,
    pub(super) run: RunId,
    /// Its configuration.
    pub(super) values: &'a Map,
}

impl<'a> Announcement<'a> {
    pub(super) const fn of(run: &'a ClaimedRun) -> Self {
        Self { experiment: run.experiment, run: run.lease.run, values: &run.config.values }
    }

    /// One event for each stage, and one for all cache hits.
    pub(super) fn summary(self, stages: &[&str], samples: u32, calls: CallCounts) -> Vec<NewEvent> {
        let passed = stages.iter().map(|stage| {
            let done = [("stage", Value::from(*stage)), ("samples_done", Value::from(samples))];
            self.event(EventType::StageCompleted, done)
        });
        let cached = (calls.hits > 0).then(|| {
            let hits = [("hits", Value::from(calls.hits)), ("tokens_saved", Value::from(calls.saved))];
            self.event(EventType::CacheHit, hits)
        });
        passed.chain(cached).collect()
    }

    pub(super) fn completed(self, end: &RunEnd) -> NewEvent {
        let status = Value::from(end.status().as_str());
        let fields = [("status", status), ("scores", scores(end)), ("score", optional(end.score))];
        self.event(EventType::RunCompleted, fields)
    }

    /// The run takes the lead of its experiment, if its score is the best; `None` where it cannot.
    pub(super) fn lead(self, end: &RunEnd) -> Option<NewEvent> {
        let score = end.score.filter(|_| !end.partial)?;
        let config = Value::Map(self.values.clone());
        let fields = [("score", Value::number(score)), ("scores", scores(end)), ("config", config)];
        Some(self.event(EventType::NewBestFound, fields))
    }

    /// The run was behind by `diff`, its mean score minus the leader's on the same samples.
    pub(super) fn pruned(self, end: &RunEnd, diff: f64) -> NewEvent {
        let fields = [("n", Value::from(end.n)), ("diff", Value::number(diff))];
        self.event(EventType::RunPruned, fields)
    }

    pub(super) fn failed(self, error: &RunError) -> NewEvent {
        let error =
            [("kind", Value::from(error.kind.as_str())), ("message", Value::from(error.message.as_str()))];
        self.event(EventType::RunFailed, [("error", Value::from(error))])
    }

    fn event<const N: usize>(self, kind: EventType, fields: [(&str, Value); N]) -> NewEvent {
        let mut event = NewEvent::new(self.experiment, kind, fields);
        event.data.insert("run_id".to_owned(), Value::from(self.run.to_string()));
        event
    }
}

fn scores(end: &RunEnd) -> Value {
    let named = end.scores.iter().filter_map(|total| Some((total.name.clone(), Value::number(total.value?))));
    Value::Map(named.collect())
}

fn optional(score: Option<f64>) -> Value {
    score.map_or(Value::Null, Value::number)
}
