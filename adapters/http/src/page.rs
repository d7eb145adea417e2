//! Parameters of lists.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromParameter, ParseResult, Type};
use serde_json::json;
use uuid::Uuid;

const MOST: usize = 500;
const USUAL: usize = 50;

/// How many items a page has at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(usize);

/// The start of a page: the `next_cursor` of the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor(Option<String>);

impl Limit {
    pub(crate) const fn get(self) -> usize {
        self.0
    }
}

impl Cursor {
    pub(crate) fn text(self) -> Option<String> {
        self.0
    }
}

/// An id of the domain.
pub(crate) const fn bits(id: Uuid) -> u128 {
    id.as_u128()
}

impl ParseFromParameter for Limit {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        limit.map(Self).ok_or_else(|| ParseError::custom(format!("takes a whole number from 1 to {MOST}")))
    }

    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(given: I) -> ParseResult<Self> {
        let first = given.into_iter().next();
        first.map_or(Ok(Self(USUAL)), |text| Self::parse_from_parameter(text.as_ref()))
    }
}

impl ParseFromParameter for Cursor {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self(Some(value.to_owned()).filter(|text| !text.is_empty())))
    }

    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(given: I) -> ParseResult<Self> {
        let first = given.into_iter().next();
        first.map_or(Ok(Self(None)), |text| Self::parse_from_parameter(text.as_ref()))
    }
}

/// Documents parameters that are optional.
macro_rules! described {
    ($($type:ident as $name:literal: $schema:expr),+ $(,)?) => {$(
        impl Type for $type {
            const IS_REQUIRED: bool = false;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }
    )+};
}

described! {
    Limit as "limit": MetaSchema {
        minimum: Some(1.0),
        maximum: Some(MOST as f64),
        default: Some(json!(USUAL)),
        ..MetaSchema::new("integer")
    },
    Cursor as "cursor": MetaSchema {
        description: Some("What the page before gave as `next_cursor`"),
        ..MetaSchema::new("string")
    },
}
