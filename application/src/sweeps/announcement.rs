//! What listeners are told when a sweep begins or its status changes.

use domain::access::Writer;
use domain::event::{EventType, NewEvent, known};
use domain::money::NanoDollars;
use domain::sweep::{Interruption, PauseReason, SweepKind, SweepLimits, SweepStatus};
use domain::value::Value;

use crate::ports::{BoardRun, NewSweep, StoredSweep, SweepTotals};

/// What makes a sweep's status change.
#[derive(Clone, Copy)]
pub(super) enum Cause<'a> {
    /// Somebody's wish.
    Person(&'a Writer),
    /// What executing or conducting brought to light.
    Interruption(&'a Interruption),
    /// It came to its own end.
    End,
}

impl<'a> Cause<'a> {
    const fn person(self) -> Option<&'a Writer> {
        if let Self::Person(by) = self { Some(by) } else { None }
    }

    /// What a person has to know who is needed.
    fn text(self) -> Option<&'a str> {
        if let Self::Interruption(Interruption::Stuck(text)) = self { Some(text) } else { None }
    }
}

/// A sweep begins.
pub(super) fn started(sweep: &NewSweep, by: &Writer) -> NewEvent {
    let shuffled = sweep.kind == SweepKind::Grid { shuffle: true };
    let mut config = known([
        ("kind", Value::from(sweep.kind.as_str())),
        ("seed", Value::from(sweep.seed)),
        ("strategy", if shuffled { Value::from([("shuffle", Value::from(true))]) } else { Value::Null }),
    ]);
    config.extend(limits(&sweep.limits));
    let data = [("sweep_id", Value::from(sweep.id.to_string())), ("sweep_config", Value::Map(config))];
    NewEvent::new(sweep.experiment, EventType::ExperimentStarted, data).by(Some(by))
}

/// A sweep's status changes.
pub(super) fn moved(
    sweep: &StoredSweep,
    status: SweepStatus,
    totals: &SweepTotals,
    best: Option<&BoardRun>,
    cause: Cause<'_>,
) -> Vec<NewEvent> {
    let by = cause.person();
    let who = || ("by", by.map_or(Value::Null, |by| Value::from(by.name())));
    let told = |kind, data: [(&str, Value); 1]| {
        let mut event = NewEvent::new(sweep.experiment, kind, data).by(by);
        event.data.insert("sweep_id".to_owned(), Value::from(sweep.id.to_string()));
        event
    };
    match status {
        SweepStatus::Running => vec![told(EventType::ExperimentResumed, [who()])],
        SweepStatus::Stopped => vec![told(EventType::ExperimentStopped, [who()])],
        SweepStatus::Paused(reason) => {
            let paused = told(EventType::ExperimentPaused, [("reason", Value::from(reason.as_str()))]);
            match reason {
                PauseReason::Budget => vec![paused, exhausted(sweep, totals)],
                PauseReason::Endpoint | PauseReason::Human => {
                    let why = cause.text().unwrap_or(reason.as_str());
                    vec![paused, told(EventType::HumanNeeded, [("reason", Value::from(why))])]
                }
                PauseReason::Manual => vec![paused],
            }
        }
        SweepStatus::Completed(_) => vec![completed(sweep, totals, best)],
    }
}

fn exhausted(sweep: &StoredSweep, totals: &SweepTotals) -> NewEvent {
    let data = [
        ("sweep_id", Value::from(sweep.id.to_string())),
        ("token_count", Value::from(totals.tokens.total().saturating_add(totals.unknown_tokens))),
        ("cost", dollars(totals.cost)),
        ("limit", Value::Map(limits(&SweepLimits { max_runs: None, ..sweep.limits }).collect())),
    ];
    NewEvent::new(sweep.experiment, EventType::BudgetExhausted, data)
}

fn completed(sweep: &StoredSweep, totals: &SweepTotals, best: Option<&BoardRun>) -> NewEvent {
    let score = best.and_then(|best| best.score);
    let summary = known([
        ("runs", Value::from(totals.ended())),
        ("failed", Value::from(totals.failed)),
        ("cached", Value::from(totals.cached)),
        ("pruned", Value::from(totals.pruned)),
        ("tokens", Value::from(totals.tokens.total())),
        ("cost", dollars(totals.cost)),
        ("best_score", score.map_or(Value::Null, Value::number)),
    ]);
    let data = [
        ("sweep_id", Value::from(sweep.id.to_string())),
        ("summary", Value::Map(summary)),
        ("best_run_id", best.map_or(Value::Null, |best| Value::from(best.id.to_string()))),
        ("best_config", best.map_or(Value::Null, |best| Value::Map(best.values.clone()))),
    ];
    NewEvent::new(sweep.experiment, EventType::ExperimentCompleted, data)
}

fn limits(limits: &SweepLimits) -> impl Iterator<Item = (String, Value)> {
    let count = |limit: Option<u64>| limit.map_or(Value::Null, Value::from);
    let all = [
        ("max_runs", count(limits.max_runs)),
        ("max_tokens", count(limits.max_tokens)),
        ("max_cost", dollars(limits.max_cost)),
    ];
    known(all).into_iter()
}

fn dollars(cost: Option<NanoDollars>) -> Value {
    cost.map_or(Value::Null, |cost| Value::number(cost.dollars()))
}
