//! Dimensions of the parameter space in documents.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::experiment::DimensionDraft;
use domain::problem::Problem;
use domain::space::Levels;
use domain::value::{Number, Value};
use poem_openapi::registry::MetaSchemaRef;
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Any, AnyMap};

/// The types of dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum DimensionType {
    /// One of the given values.
    Choice,
    /// A whole number.
    Int,
    /// Any number.
    Float,
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// Any of these.
    Many(Vec<Any>),
    /// This one.
    One(Any),
}

/// A dimension. Its type determines which fields it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Dimension", deny_unknown_fields)]
#[schemars(rename = "Dimension")]
#[expect(missing_docs, reason = "fields are those of the domain's dimension")]
pub struct DimensionDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Any>,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: DimensionType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Any>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<bool>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    #[schemars(with = "AnyMap")]
    pub when: BTreeMap<String, OneOrMany>,
}

impl DimensionDocument {
    pub(crate) fn into_draft(self) -> Result<DimensionDraft, Problem> {
        let levels = self.levels()?;
        let when = self.when.into_iter().map(|(name, values)| (name, values.into_values()));
        Ok(DimensionDraft {
            target: self.target,
            default: self.default.map(|value| value.0),
            levels,
            when: when.collect(),
        })
    }

    fn levels(&self) -> Result<Levels, Problem> {
        let log = self.log.unwrap_or(false);
        match self.kind {
            DimensionType::Choice => {
                self.refuse(&[("low", self.low.is_some()), ("high", self.high.is_some())])?;
                self.refuse(&[("step", self.step.is_some()), ("log", self.log.is_some())])?;
                let values = self.values.as_ref();
                let values = values.ok_or_else(|| missing("values", "a choice needs its `values`"))?;
                Ok(Levels::Choice(values.iter().map(|value| value.0.clone()).collect()))
            }
            DimensionType::Int => {
                self.refuse(&[("values", self.values.is_some())])?;
                let (low, high) = self.bounds()?;
                let step = self.step.map(|step| whole("step", step)).transpose()?;
                Ok(Levels::Int { low: whole("low", low)?, high: whole("high", high)?, step, log })
            }
            DimensionType::Float => {
                self.refuse(&[("values", self.values.is_some())])?;
                let (low, high) = self.bounds()?;
                Ok(Levels::Float { low, high, step: self.step, log })
            }
        }
    }

    fn bounds(&self) -> Result<(f64, f64), Problem> {
        let low = self.low.ok_or_else(|| missing("low", "a range needs its `low` end"))?;
        let high = self.high.ok_or_else(|| missing("high", "a range needs its `high` end"))?;
        Ok((low, high))
    }

    fn refuse(&self, fields: &[(&str, bool)]) -> Result<(), Problem> {
        let kind = match self.kind {
            DimensionType::Choice => "choice",
            DimensionType::Int => "int",
            DimensionType::Float => "float",
        };
        match fields.iter().find(|(_, given)| *given) {
            Some((field, _)) => {
                let detail = format!("`{field}` does not go with type {kind}: remove it, or change the type");
                Err(Problem::new(format!("/{field}"), "unexpected_field", detail))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn of_draft(draft: &DimensionDraft) -> Self {
        let when = draft.when.iter();
        let many = |values: &Vec<Value>| OneOrMany::Many(values.iter().cloned().map(Any).collect());
        let empty = Self {
            target: draft.target.clone(),
            default: draft.default.clone().map(Any),
            kind: DimensionType::Choice,
            values: None,
            low: None,
            high: None,
            step: None,
            log: None,
            when: when.map(|(name, values)| (name.clone(), many(values))).collect(),
        };
        match &draft.levels {
            Levels::Choice(values) => {
                Self { values: Some(values.iter().cloned().map(Any).collect()), ..empty }
            }
            Levels::Int { low, high, step, log } => Self {
                kind: DimensionType::Int,
                low: Some(Number::from(*low).as_f64()),
                high: Some(Number::from(*high).as_f64()),
                step: step.map(|step| Number::from(step).as_f64()),
                log: log.then_some(true),
                ..empty
            },
            Levels::Float { low, high, step, log } => Self {
                kind: DimensionType::Float,
                low: Some(*low),
                high: Some(*high),
                step: *step,
                log: log.then_some(true),
                ..empty
            },
        }
    }
}

/// Documented as any value, because a list of values is a value too.
impl Type for OneOrMany {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        Any::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        Any::schema_ref()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for OneOrMany {
    fn parse_from_json(value: Option<serde_json::Value>) -> ParseResult<Self> {
        Any::parse_from_json(value).map(Self::One).map_err(ParseError::propagate)
    }
}

impl ToJSON for OneOrMany {
    fn to_json(&self) -> Option<serde_json::Value> {
        match self {
            Self::One(value) => value.to_json(),
            Self::Many(values) => values.to_json(),
        }
    }
}

impl OneOrMany {
    fn into_values(self) -> Vec<Value> {
        match self {
            Self::One(value) => vec![value.0],
            Self::Many(values) => values.into_iter().map(|value| value.0).collect(),
        }
    }
}

fn missing(field: &str, detail: &str) -> Problem {
    Problem::new(format!("/{field}"), "missing", detail)
}

/// In a document's numbers, whole numbers beyond 2^53 cannot be distinguished.
fn whole(field: &str, number: f64) -> Result<i64, Problem> {
    let exact =
        Number::from_f64(number).and_then(Number::as_i64).filter(|whole| whole.unsigned_abs() <= 1 << 53);
    exact.ok_or_else(|| {
        Problem::new(
            format!("/{field}"),
            "not_whole",
            format!("type int takes whole numbers up to 2^53, not {number}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_do_not_go_together_are_named() {
        for (document, pointer) in [
            ("{type: choice}", "/values"),
            ("{type: choice, values: [1], step: 1}", "/step"),
            ("{type: int, low: 1}", "/high"),
            ("{type: int, low: 1.5, high: 2}", "/low"),
            ("{type: float, values: [1], low: 1, high: 2}", "/values"),
        ] {
            let dimension: DimensionDocument = serde_saphyr::from_str(document).unwrap();
            assert_eq!(dimension.into_draft().unwrap_err().pointer, pointer, "{document}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(
            serde_saphyr::from_str::<DimensionDocument>("{type: int, low: 1, high: 2, hihg: 3}").is_err()
        );
    }
}
