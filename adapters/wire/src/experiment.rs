//! The experiment document, the same in files, the API and the database.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::experiment::{DimensionDraft, Draft, ScoringDraft, StageDraft};
use domain::problem::{Problem, segment};
use domain::sample::Sample;
use domain::space::Levels;
use domain::value::{Number, Value};
use poem_openapi::registry::MetaSchemaRef;
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};

use crate::value::{Any, AnyMap, from_map, into_map};

/// One sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Sample", deny_unknown_fields)]
pub struct SampleDocument {
    /// A text, or JSON.
    pub input: Any,
    /// What a good answer would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Any>,
    /// Whatever else belongs to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub meta: AnyMap,
}

/// The kinds of stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum StageKind {
    /// Asks a model.
    Llm,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Stage", deny_unknown_fields)]
#[expect(missing_docs, reason = "fields are those of the domain's stage")]
pub struct StageDocument {
    pub name: String,
    pub kind: StageKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[oai(default)]
    pub messages: Vec<Any>,
    pub prompt: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub parameters: AnyMap,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Any>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub extra: AnyMap,
}

/// One scoring entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(rename = "ScoringEntry", deny_unknown_fields)]
#[expect(missing_docs, reason = "fields are those of the domain's scoring entry")]
pub struct ScoringDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub scorer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub options: AnyMap,
}

/// The types of dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum DimensionType {
    /// One of the values given.
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

/// One dimension. Which fields go with which type is checked when it is read into a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Dimension", deny_unknown_fields)]
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
    pub when: BTreeMap<String, OneOrMany>,
}

/// The parts of an experiment that are documents wherever it stands.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(missing_docs, reason = "fields are those of the domain's draft")]
pub struct Parts {
    pub documents: Vec<Any>,
    pub pipeline_stages: Vec<StageDocument>,
    pub scoring_config: Vec<ScoringDocument>,
    pub parameter_space: BTreeMap<String, DimensionDocument>,
}

impl Parts {
    /// Fills the parts of a draft, whose name, samples and numbers are set by whoever has them.
    ///
    /// # Errors
    /// Fields of dimensions that do not go together, each with its place.
    pub fn into_draft(self) -> Result<Draft, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut space = BTreeMap::new();
        for (name, dimension) in self.parameter_space {
            match dimension.into_draft() {
                Ok(dimension) => drop(space.insert(name, dimension)),
                Err(problem) => problems.push(problem.under(&format!("/parameter_space/{}", segment(&name)))),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Draft {
            documents: self.documents.into_iter().map(|document| document.0).collect(),
            stages: self.pipeline_stages.into_iter().map(StageDocument::into_draft).collect(),
            scoring: self.scoring_config.into_iter().map(ScoringDocument::into_draft).collect(),
            space,
            repeats: 1,
            ..Draft::default()
        })
    }

    /// The documents that a draft stands for.
    #[must_use]
    pub fn of_draft(draft: &Draft) -> Self {
        let space = draft.space.iter();
        Self {
            documents: draft.documents.iter().cloned().map(Any).collect(),
            pipeline_stages: draft.stages.iter().map(StageDocument::of_draft).collect(),
            scoring_config: draft.scoring.iter().map(ScoringDocument::of_draft).collect(),
            parameter_space: space
                .map(|(name, dim)| (name.clone(), DimensionDocument::of_draft(dim)))
                .collect(),
        }
    }
}

impl SampleDocument {
    /// The document of a sample.
    #[must_use]
    pub fn of_sample(sample: Sample) -> Self {
        let meta = sample.meta.into_iter().map(|(name, value)| (name, Any(value))).collect();
        Self { input: Any(sample.input), reference: sample.reference.map(Any), meta }
    }

    /// The domain's sample.
    #[must_use]
    pub fn into_sample(self) -> Sample {
        Sample { input: self.input.0, reference: self.reference.map(|r| r.0), meta: into_map(self.meta) }
    }
}

impl StageDocument {
    fn into_draft(self) -> StageDraft {
        let StageKind::Llm = self.kind;
        StageDraft {
            name: self.name,
            endpoint: self.endpoint,
            model: self.model,
            system: self.system,
            messages: self.messages.into_iter().map(|message| message.0).collect(),
            prompt: self.prompt,
            parameters: into_map(self.parameters),
            response_format: self.response_format.map(|format| format.0),
            extra: into_map(self.extra),
        }
    }

    fn of_draft(draft: &StageDraft) -> Self {
        Self {
            name: draft.name.clone(),
            kind: StageKind::Llm,
            endpoint: draft.endpoint.clone(),
            model: draft.model.clone(),
            system: draft.system.clone(),
            messages: draft.messages.iter().cloned().map(Any).collect(),
            prompt: draft.prompt.clone(),
            parameters: from_map(&draft.parameters),
            response_format: draft.response_format.clone().map(Any),
            extra: from_map(&draft.extra),
        }
    }
}

impl ScoringDocument {
    fn into_draft(self) -> ScoringDraft {
        let options = into_map(self.options);
        ScoringDraft { name: self.name, scorer: self.scorer, weight: self.weight, stage: self.stage, options }
    }

    fn of_draft(draft: &ScoringDraft) -> Self {
        Self {
            name: draft.name.clone(),
            scorer: draft.scorer.clone(),
            weight: draft.weight,
            stage: draft.stage.clone(),
            options: from_map(&draft.options),
        }
    }
}

impl DimensionDocument {
    fn into_draft(self) -> Result<DimensionDraft, Problem> {
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

    fn of_draft(draft: &DimensionDraft) -> Self {
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

/// Documented as anything: a value and a list of them.
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

/// Whole numbers beyond 2^53 cannot be told apart in a document's numbers.
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

    const DIMENSIONS: &str = r"
        temperature: {target: classify.temperature, type: float, low: 0.1, high: 0.9, step: 0.2}
        model: {target: classify.model, type: choice, values: [small, large]}
        max_tokens: {target: classify.max_tokens, type: int, low: 8, high: 64, log: true, when: {model: large}}
    ";

    #[test]
    fn parts_survive_the_way_into_a_draft_and_back() {
        let parts =
            Parts { parameter_space: serde_saphyr::from_str(DIMENSIONS).unwrap(), ..Parts::default() };
        let draft = parts.into_draft().unwrap();
        let again = Parts::of_draft(&draft);
        let stored = serde_json::to_string(&again.parameter_space).unwrap();
        let read = Parts { parameter_space: serde_json::from_str(&stored).unwrap(), ..Parts::default() };
        assert_eq!(read.into_draft().unwrap(), draft);
    }

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
    fn unknown_fields_and_kinds_are_refused() {
        assert!(
            serde_saphyr::from_str::<DimensionDocument>("{type: int, low: 1, high: 2, hihg: 3}").is_err()
        );
        let stage = serde_saphyr::from_str::<StageDocument>("{name: a, kind: chunk, prompt: x}").unwrap_err();
        assert!(stage.to_string().contains("llm"), "{stage}");
    }
}
