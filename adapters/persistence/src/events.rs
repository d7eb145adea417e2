//! Stores and reads events. Each transaction takes their numbers last, so that the order of numbers is the order of
//! commits.

use application::ports::{EventFilter, EventStore, StoreError};
use async_trait::async_trait;
use domain::event::{Event, EventType, NewEvent};
use domain::id::ExperimentId;
use domain::value::Value;
use sea_orm::DbErr;

use crate::dialect::{Dialect, corrupt, failed, id, text, whole};
use crate::open::Stores;
use crate::rows::{Row, read_all};

const COLUMNS: &str = "seq, experiment_id, type, by_whom, payload, at";

#[async_trait]
impl EventStore for Stores {
    async fn events(&self, filter: EventFilter, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.read_events(filter, after, "seq", limit).await
    }

    async fn newest_events(&self, filter: EventFilter, limit: usize) -> Result<Vec<Event>, StoreError> {
        let mut newest = self.read_events(filter, 0, "seq DESC", limit).await?;
        newest.reverse();
        Ok(newest)
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        let row = self.database.read().one("SELECT last FROM event_clock WHERE id = 1", vec![]).await;
        row.and_then(|row| row.map_or(Ok(0), |row| Row(&row).count("last"))).map_err(failed)
    }
}

impl Stores {
    async fn read_events(
        &self,
        filter: EventFilter,
        after: u64,
        order: &str,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let mut values = vec![whole(after), whole(limit as u64)];
        let mut which = "seq > $1".to_owned();
        if let Some(experiment) = filter.experiment {
            values.push(id(experiment.bits()));
            which.push_str(" AND experiment_id = $3");
        }
        if let Some(kind) = filter.kind {
            values.push(text(kind.as_str()));
            which.push_str(" AND type = $");
            which.push_str(&values.len().to_string());
        }
        let sql = format!("SELECT {COLUMNS} FROM event WHERE {which} ORDER BY {order} LIMIT $2");
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, |row| read(row, self.database.dialect())).map_err(failed)
    }
}

fn read(row: Row<'_>, dialect: Dialect) -> Result<Event, DbErr> {
    let kind = row.text("type")?;
    let Value::Map(data) = row.json("payload")? else { return Err(corrupt("event without particulars")) };
    Ok(Event {
        seq: row.count("seq")?,
        at: dialect.read_time(row.0, "at")?.ok_or_else(|| corrupt("event without a time"))?,
        event: NewEvent {
            experiment: row.maybe_id("experiment_id")?.map(ExperimentId::new),
            kind: EventType::parse(&kind).ok_or_else(|| corrupt(format!("event type {kind}")))?,
            by: row.maybe_text("by_whom")?,
            data,
        },
    })
}
