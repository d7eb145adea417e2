//! Writes events, numbered in the order of their transactions.

use domain::event::{EventType, NewEvent};
use domain::id::{ExperimentId, RunId};
use domain::value::Value;
use sea_orm::{ConnectionTrait, DbErr};

use crate::dialect::{Session, json, maybe_id, maybe_text, text, whole};
use crate::rows::Row;

const TICK: &str = "UPDATE event_clock SET last = last + $1 WHERE id = 1 RETURNING last";

pub(crate) async fn write<C: ConnectionTrait>(
    session: Session<'_, C>,
    events: Vec<&NewEvent>,
) -> Result<(), DbErr> {
    if events.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let ticked = session.one(TICK, vec![whole(count)]).await?;
    let last = ticked.map_or(Ok(count), |row| Row(&row).whole("last"))?;
    let rows = events.into_iter().zip(last - count + 1..).map(|(event, seq)| {
        [
            ("seq", whole(seq)),
            ("experiment_id", maybe_id(event.experiment.map(ExperimentId::bits))),
            ("type", text(event.kind.as_str())),
            ("by_whom", maybe_text(event.by.clone())),
            ("payload", json(&Value::Map(event.data.clone()))),
        ]
    });
    session.insert_rows("event", rows.collect(), "").await.map(drop)
}

/// The event of a run's first claim.
pub(crate) fn run_started(experiment: ExperimentId, run: RunId, values: Value) -> NewEvent {
    let data = [("run_id", Value::from(run.to_string())), ("values", values)];
    NewEvent::new(experiment, EventType::RunStarted, data)
}
