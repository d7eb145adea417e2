//! Events.

use domain::event;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Moment, id, pages};
use crate::value::{AnyMap, from_map};

/// An event.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Event {
    /// Its number, in the order of commits over the whole installation.
    pub seq: u64,
    /// Its type: `run.completed`, `new_best_found`, …
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: String,
    /// Its experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<Uuid>,
    /// When it was stored.
    pub at: Moment,
    /// The person or program that caused it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Its data.
    pub data: AnyMap,
}

impl From<&event::Event> for Event {
    fn from(event: &event::Event) -> Self {
        let event::NewEvent { experiment, kind, by, data } = &event.event;
        Self {
            seq: event.seq,
            kind: kind.as_str().to_owned(),
            experiment_id: experiment.map(|experiment| id(experiment.bits())),
            at: event.at.into(),
            by: by.clone(),
            data: from_map(data),
        }
    }
}

pages! {
    /// Events, oldest first.
    EventPage of Event,
}
