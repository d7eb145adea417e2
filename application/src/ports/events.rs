use async_trait::async_trait;
use domain::event::{Event, EventType};
use domain::id::ExperimentId;

use super::StoreError;

/// A filter of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Those of one experiment.
    pub experiment: Option<ExperimentId>,
    /// Those of one type.
    pub kind: Option<EventType>,
}

/// Reads the event log.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Events after a place in commit order, oldest first, at most `limit`.
    async fn events(&self, filter: EventFilter, after: u64, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// The newest events, oldest of them first, at most `limit`.
    async fn newest_events(&self, filter: EventFilter, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// The place of the last event; 0 where there is none.
    async fn last_event(&self) -> Result<u64, StoreError>;
}
