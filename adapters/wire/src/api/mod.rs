//! What the API reads and answers: read and written by serde, documented by poem-openapi, with a JSON schema by schemars
//! for protocols other than HTTP.

mod accounts;
mod endpoints;
mod events;
mod experiments;
mod failures;
mod leaderboard;
mod live;
mod previews;
mod problem;
mod projects;
mod results;
mod runs;
mod samples;
mod scores;
mod sweep_requests;
mod sweeps;

pub use accounts::*;
pub use endpoints::*;
pub use events::*;
pub use experiments::*;
pub use failures::*;
pub use leaderboard::*;
pub use live::*;
pub use previews::*;
pub use problem::*;
pub use projects::*;
pub use results::*;
pub use runs::*;
pub use samples::*;
pub use scores::*;
pub use sweep_requests::*;
pub use sweeps::*;

use std::borrow::Cow;

use domain::money::NanoDollars;
use domain::time::Timestamp;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// The UUID of an id.
#[must_use]
pub const fn id(bits: u128) -> Uuid {
    Uuid::from_u128(bits)
}

/// US dollars as a JSON number.
fn dollars(cost: Option<NanoDollars>) -> Option<f64> {
    cost.map(NanoDollars::dollars)
}

/// A time, as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        sink.collect_str(&self.0)
    }
}

impl Type for Moment {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_date-time".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "date-time")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for Moment {
    fn parse_from_json(_: Option<serde_json::Value>) -> ParseResult<Self> {
        Err(ParseError::custom("moments are written only"))
    }
}

impl ToJSON for Moment {
    fn to_json(&self) -> Option<serde_json::Value> {
        Some(self.0.to_string().into())
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// A page of a list: its items, and the start of the next page.
macro_rules! pages {
    ($($(#[$doc:meta])* $name:ident of $item:ty),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, serde::Serialize, poem_openapi::Object, schemars::JsonSchema)]
        pub struct $name {
            /// The items of this page.
            pub items: Vec<$item>,
            /// The `cursor` of the next page; absent on the last one.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub next_cursor: Option<String>,
        }
    )+};
}

pub(crate) use pages;
