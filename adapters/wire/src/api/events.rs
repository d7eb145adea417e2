//! What has happened.

use domain::event;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Moment, id, pages};
use crate::value::{AnyMap, from_map};

/// Something that happened.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Event {
    /// Its place in the installation's order.
    pub seq: u64,
    /// What happened: `run.completed`, `new_best_found`, ...
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: String,
    /// In which experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<Uuid>,
    /// When.
    pub at: Moment,
    /// Who did it, where it was somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Its particulars.
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
