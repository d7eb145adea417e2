//! Experiments in documents: the same form in files, the API and the database.

use std::collections::BTreeMap;

use application::json::to_json;
use domain::experiment::Draft;
use domain::problem::{Problem, segment};
use domain::sample::Sample;
use domain::scoring::{Extract, ScoringDraft};
use domain::secret::Secret;
use domain::value::Value;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::dimension::DimensionDocument;
use crate::stage::StageDocument;
use crate::value::{Any, AnyMap, from_map, into_map};
use crate::wording;

/// A sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Sample", deny_unknown_fields)]
#[schemars(rename = "Sample")]
pub struct SampleDocument {
    /// A text, or JSON.
    pub input: Any,
    /// The reference answer. Null is the empty text, like an empty cell.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub reference: Option<Any>,
    /// Accepted answers, if there are several. Scorers that compare take the best match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[oai(default)]
    pub references: Vec<Any>,
    /// Any further data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub meta: AnyMap,
    /// Scoring entries of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[oai(default)]
    pub checks: Vec<ScoringDocument>,
}

/// A scoring entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "ScoringEntry", deny_unknown_fields)]
#[schemars(rename = "ScoringEntry")]
#[expect(missing_docs, reason = "fields are those of the domain's scoring entry")]
pub struct ScoringDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub scorer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extract: Option<ExtractDocument>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[oai(default)]
    pub negate: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub options: AnyMap,
}

/// The part of an output that a scorer judges. The fields apply in the order after, regex, json, pointer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Extract", deny_unknown_fields)]
#[schemars(rename = "Extract")]
pub struct ExtractDocument {
    /// The text after the last occurrence of this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The first group of this pattern's first match; the whole match where it has no group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// The first JSON found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[oai(default)]
    pub json: bool,
    /// The value at this JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// The parts of an experiment that have the same form in all documents.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(missing_docs, reason = "fields are those of the domain's draft")]
pub struct Parts {
    pub documents: Vec<Any>,
    pub pipeline_stages: Vec<StageDocument>,
    pub scoring_config: Vec<ScoringDocument>,
    pub parameter_space: BTreeMap<String, DimensionDocument>,
}

impl Parts {
    /// Fills the parts of a draft. Its name, samples and numbers are set by the caller.
    ///
    /// # Errors
    /// Fields of stages and dimensions that exclude each other, with their places.
    pub fn into_draft(self) -> Result<Draft, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut space = BTreeMap::new();
        for (name, dimension) in self.parameter_space {
            match dimension.into_draft() {
                Ok(dimension) => drop(space.insert(name, dimension)),
                Err(problem) => problems.push(problem.under(&format!("/parameter_space/{}", segment(&name)))),
            }
        }
        let mut stages = Vec::with_capacity(self.pipeline_stages.len());
        for (i, stage) in self.pipeline_stages.into_iter().enumerate() {
            let under = |problem: Problem| problem.under(&format!("/pipeline_stages/{i}"));
            match stage.into_draft() {
                Ok(stage) => stages.push(stage),
                Err(found) => problems.extend(found.into_iter().map(under)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Draft {
            documents: self.documents.into_iter().map(|document| document.0).collect(),
            stages,
            scoring: self.scoring_config.into_iter().map(ScoringDocument::into_draft).collect(),
            space,
            repeats: 1,
            ..Draft::default()
        })
    }

    /// The documents of a draft.
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
        Self {
            input: Any(sample.input),
            reference: sample.reference.map(Any),
            references: sample.references.into_iter().map(Any).collect(),
            meta,
            checks: sample.checks.iter().map(ScoringDocument::of_draft).collect(),
        }
    }

    /// The domain's sample.
    #[must_use]
    pub fn into_sample(self) -> Sample {
        Sample {
            input: or_empty(self.input),
            reference: self.reference.map(or_empty),
            references: self.references.into_iter().map(or_empty).collect(),
            meta: into_map(self.meta),
            checks: self.checks.into_iter().map(ScoringDocument::into_draft).collect(),
        }
    }
}

/// Distinguishes null from an absent field.
fn present<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Any>, D::Error> {
    Any::deserialize(source).map(Some)
}

fn or_empty(Any(value): Any) -> Value {
    if value == Value::Null { Value::from("") } else { value }
}

/// Reads the scoring entries of a sample in a file.
///
/// # Errors
/// The problem of an entry.
pub fn checks(value: &Value) -> Result<Vec<ScoringDraft>, String> {
    let entries = serde_json::from_value::<Vec<ScoringDocument>>(to_json(value));
    let entries = entries.map_err(|error| wording::plain(&error.to_string()))?;
    Ok(entries.into_iter().map(ScoringDocument::into_draft).collect())
}

impl ScoringDocument {
    /// The same with masks in the place of headers' values, which may be keys.
    #[must_use]
    pub fn without_secrets(self) -> Self {
        let mut draft = self.into_draft();
        draft.secrets_mut().for_each(|value| Secret::MASK.clone_into(value));
        Self::of_draft(&draft)
    }

    /// The draft of the entry.
    #[must_use]
    pub fn into_draft(self) -> ScoringDraft {
        ScoringDraft {
            name: self.name,
            scorer: self.scorer,
            weight: self.weight,
            stage: self.stage,
            extract: self.extract.map(ExtractDocument::into_extract),
            negate: self.negate,
            pass_at: self.pass_at,
            options: into_map(self.options),
        }
    }

    /// The document of a draft.
    #[must_use]
    pub fn of_draft(draft: &ScoringDraft) -> Self {
        Self {
            name: draft.name.clone(),
            scorer: draft.scorer.clone(),
            weight: draft.weight,
            stage: draft.stage.clone(),
            extract: draft.extract.as_ref().map(ExtractDocument::of_extract),
            negate: draft.negate,
            pass_at: draft.pass_at,
            options: from_map(&draft.options),
        }
    }
}

impl ExtractDocument {
    fn into_extract(self) -> Extract {
        let Self { after, regex, json, pointer } = self;
        Extract { after, regex, json, pointer }
    }

    fn of_extract(extract: &Extract) -> Self {
        let Extract { after, regex, json, pointer } = extract.clone();
        Self { after, regex, json, pointer }
    }
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
}
