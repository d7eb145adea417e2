//! A model that judges outputs: what it is asked, and what its answers are worth.

mod answer;
mod preset;
mod prompt;

use std::collections::BTreeMap;

use self::preset::Preset;
use super::model_choice::ModelChoice;
use super::options::Options;
use super::{Judgement, ScorerError};
use crate::call::{ChatCall, Completion, ResponseFormat};
use crate::configuration::Binding;
use crate::problem::Problem;
use crate::template::{Reference, Template};
use crate::value::{Map, Value};

pub use self::prompt::JudgeEvidence;

/// The most tokens of a judge's answer where nothing else is said.
const DEFAULT_MAX_TOKENS: u64 = 4_096;
const DEFAULT_SCALE: (f64, f64) = (1.0, 5.0);

/// A model that judges outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    /// Which model.
    pub model: ModelChoice,
    /// The most tokens of its answer.
    pub max_tokens: u64,
    /// How much it thinks, in the words of its server.
    pub reasoning_effort: Option<String>,
    /// The question in place of the usual one; what form the answer has is added to it.
    prompt: Option<String>,
    preset: Option<Preset>,
    /// What preset `closed_qa` asks for.
    criterion: Option<String>,
    grading: Grading,
}

/// The form of a judge's answers.
#[derive(Debug, Clone, PartialEq)]
enum Grading {
    /// A number on a scale.
    Scale(Scale),
    /// A number on a scale for each criterion.
    Criteria(Scale, Vec<Criterion>),
    /// Whether the output satisfies a rubric, and how well from 0 to 1.
    Rubric(String),
    /// One of several labels, each with its value.
    Labels(BTreeMap<String, f64>),
}

/// A scale from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    low: f64,
    high: f64,
}

/// What is judged apart from other criteria.
#[derive(Debug, Clone, PartialEq)]
struct Criterion {
    name: String,
    description: String,
    weight: f64,
}

impl Judge {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        let model = ModelChoice::read(options);
        let max_tokens = options.positive_count("max_tokens").unwrap_or(DEFAULT_MAX_TOKENS);
        let reasoning_effort = options.optional_text("reasoning_effort");
        let (prompt, rubric) = (options.optional_text("prompt"), options.optional_text("rubric"));
        let preset = options.optional_word("preset", &Preset::WORDS).and_then(Preset::parse);
        let criterion = rubric.clone().filter(|_| preset == Some(Preset::ClosedQa));
        let grading = Grading::read(options, rubric, preset)?;
        Some(Self { model, max_tokens, reasoning_effort, prompt, preset, criterion, grading })
    }

    /// Whether it can judge only samples with a reference.
    pub(super) const fn needs_reference(&self) -> bool {
        matches!(self.preset, Some(Preset::Factuality | Preset::ContextRecall))
    }

    /// Whether it judges by the texts that the output rests on.
    #[must_use]
    pub const fn needs_context(&self) -> bool {
        matches!(self.preset, Some(Preset::Faithfulness | Preset::ContextRecall))
    }

    /// The call that asks for a judgement. Equal outputs of a sample are the same call.
    #[must_use]
    pub fn call(&self, binding: &Binding, evidence: &JudgeEvidence<'_>) -> ChatCall {
        let mut parameters = Map::from([("max_tokens".to_owned(), Value::from(self.max_tokens))]);
        let effort = self.reasoning_effort.as_deref().map(Value::from);
        parameters.extend(effort.map(|effort| ("reasoning_effort".to_owned(), effort)));
        ChatCall {
            endpoint: binding.endpoint.clone(),
            model: binding.model.clone(),
            messages: prompt::messages(self, evidence),
            parameters,
            // Not every server has a JSON mode: the prompt asks for JSON, and answers are searched for it.
            response_format: ResponseFormat::Text,
            extra: Map::new(),
            repeat: 1,
        }
    }

    /// The judgement that an answer gives. `read_json` finds the first JSON in a text.
    ///
    /// # Errors
    /// The answer gives no judgement, or one outside the scale.
    pub fn judgement(
        &self,
        answer: &Completion,
        read_json: impl Fn(&str) -> Option<Value>,
    ) -> Result<Judgement, ScorerError> {
        answer::judgement(&self.grading, answer.answer(true), read_json)
    }
}

/// What is wrong with a question in place of the usual one: a judge that does not see the output judges nothing.
pub(super) fn check_prompt(options: &Map) -> Option<Problem> {
    let source = options.get("prompt")?.as_text()?;
    let template = Template::parse(source).ok()?;
    let sees = |read: Reference| matches!(read.path.first().map(String::as_str), Some("output" | "stages"));
    (!template.references().into_iter().any(sees)).then(|| {
        let detail = "the prompt does not show the judge what to judge: put `{{ output }}` into it";
        Problem::new("/options/prompt", "wrong_value", detail)
    })
}

impl Grading {
    fn read(options: &mut Options<'_>, rubric: Option<String>, preset: Option<Preset>) -> Option<Self> {
        let criteria = criteria(options);
        let labels = labels(options);
        let scale = Scale::read(options);
        let given = [
            ("criteria", !criteria.is_empty()),
            ("labels", !labels.is_empty()),
            ("rubric", rubric.is_some() && preset != Some(Preset::ClosedQa)),
            ("preset", preset.is_some()),
        ];
        let given: Vec<&str> = given.into_iter().filter_map(|(name, given)| given.then_some(name)).collect();
        if let [_, second, ..] = *given.as_slice() {
            let detail = format!("give one of {}: each says how the judge answers", given.join(", "));
            options.wrong(second, "conflict", detail);
            return None;
        }
        Some(match (preset, rubric) {
            (Some(Preset::ClosedQa), None) => {
                let detail =
                    "preset `closed_qa` asks whether the output meets a criterion: write it as `rubric`";
                options.wrong("rubric", "missing", detail);
                return None;
            }
            (Some(preset), _) => preset.grading(),
            (None, Some(rubric)) => Self::Rubric(rubric),
            (None, None) if !labels.is_empty() => Self::Labels(labels),
            (None, None) if !criteria.is_empty() => Self::Criteria(scale, criteria),
            (None, None) => Self::Scale(scale),
        })
    }
}

impl Scale {
    const UNIT: Self = Self { low: 0.0, high: 1.0 };

    fn read(options: &mut Options<'_>) -> Self {
        let (low, high) = DEFAULT_SCALE;
        let default = Self { low, high };
        let Some(value) = options.value("scale") else { return default };
        let ends: Option<Vec<f64>> =
            value.as_list().and_then(|ends| ends.iter().map(|end| Some(end.as_number()?.as_f64())).collect());
        match ends.as_deref() {
            Some(&[low, high]) if low < high => Self { low, high },
            _ => {
                let detail = format!("takes the worst and the best number, as in [1, 5], not {value}");
                options.wrong("scale", "wrong_value", detail);
                default
            }
        }
    }

    /// Where a number stands between the ends, from 0 to 1; `None` outside them.
    fn share(self, number: f64) -> Option<f64> {
        let share = (number - self.low) / (self.high - self.low);
        (0.0..=1.0).contains(&share).then_some(share)
    }
}

/// The criteria; empty where there are none.
fn criteria(options: &mut Options<'_>) -> Vec<Criterion> {
    let Some(value) = options.value("criteria") else { return Vec::new() };
    let criteria: Option<Vec<Criterion>> =
        value.as_list().and_then(|list| list.iter().map(Criterion::read).collect());
    let mut criteria = criteria.unwrap_or_default();
    let weighted = criteria.iter().any(|criterion| criterion.weight > 0.0);
    let names: std::collections::BTreeSet<&str> =
        criteria.iter().map(|criterion| criterion.name.as_str()).collect();
    if !weighted || names.len() < criteria.len() {
        let detail = "takes a list of {name, description, weight?} with a different name each, and a weight from 0 up, \
                      one of them above 0";
        options.wrong("criteria", "wrong_value", detail);
        criteria.clear();
    }
    criteria
}

impl Criterion {
    fn read(value: &Value) -> Option<Self> {
        let fields = value.as_map()?;
        let text = |name: &str| fields.get(name).and_then(Value::as_text).map(str::to_owned);
        let weight = match fields.get("weight") {
            None => 1.0,
            Some(weight) => weight.as_number()?.as_f64(),
        };
        let known = fields.keys().all(|name| ["name", "description", "weight"].contains(&name.as_str()));
        let name = text("name").filter(|name| !name.trim().is_empty())?;
        (known && weight >= 0.0).then_some(Self {
            name,
            description: text("description").unwrap_or_default(),
            weight,
        })
    }
}

/// The labels with their values; empty where there are none.
fn labels(options: &mut Options<'_>) -> BTreeMap<String, f64> {
    let Some(value) = options.value("labels") else { return BTreeMap::new() };
    let read = |(label, value): (&String, &Value)| {
        let value = value.as_number()?.as_f64();
        (!label.trim().is_empty() && (0.0..=1.0).contains(&value)).then(|| (label.clone(), value))
    };
    let labels: Option<BTreeMap<String, f64>> =
        value.as_map().and_then(|labels| labels.iter().map(read).collect());
    match labels {
        Some(labels) if labels.len() > 1 => labels,
        _ => {
            let detail = format!("takes two labels or more, each with a value from 0 to 1, not {value}");
            options.wrong("labels", "wrong_value", detail);
            BTreeMap::new()
        }
    }
}

#[cfg(test)]
mod tests;
