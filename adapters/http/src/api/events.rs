use std::sync::Arc;

use application::ports::EventFilter;
use application::services::Services;
use domain::access::Actor;
use domain::event::EventType;
use domain::id::ExperimentId;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;
use wire::api::{Event, EventPage};

use super::Tag;
use crate::caller::As;
use crate::failure::{Failure, wrong_query};
use crate::json_response::{JsonResponse, Result};
use crate::list_query::EventQuery;
use crate::page::bits;

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi(tag = "Tag::Events")]
impl Api {
    /// List the events of an experiment after `since`, oldest first
    #[oai(path = "/experiments/:id/events", method = "get", operation_id = "list_experiment_events")]
    async fn list_experiment_events(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        list: EventQuery,
    ) -> Result<JsonResponse<EventPage>> {
        let experiment = ExperimentId::new(bits(id.0));
        let filter = EventFilter { experiment: Some(experiment), kind: kind_of(list.kind.as_deref())? };
        self.events(filter, &list).await
    }

    /// List the events of all experiments after `since`, oldest first
    #[oai(path = "/events", method = "get", operation_id = "list_events")]
    async fn list_events(&self, _by: As<Actor>, list: EventQuery) -> Result<JsonResponse<EventPage>> {
        let filter = EventFilter { experiment: None, kind: kind_of(list.kind.as_deref())? };
        self.events(filter, &list).await
    }
}

impl Api {
    async fn events(&self, filter: EventFilter, list: &EventQuery) -> Result<JsonResponse<EventPage>> {
        let listed = self.0.list_events(filter, list.since, &list.page).await.map_err(wrong_query)?;
        let items = listed.items.iter().map(Event::from).collect();
        JsonResponse::new(EventPage { items, next_cursor: listed.next_cursor })
    }
}

fn kind_of(word: Option<&str>) -> Result<Option<EventType>> {
    let kind = |word| {
        EventType::parse(word).ok_or_else(|| {
            let words: Vec<&str> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
            Failure::parameter("type", format!("takes {}", words.join(", ")))
        })
    };
    word.map(kind).transpose()
}
