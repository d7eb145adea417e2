//! Finds names in templates that cannot be there when they are rendered.

use super::check::is_template;
use crate::problem::{Problem, segment};
use crate::sample::Sample;
use crate::space::{Dimension, Levels, Space};
use crate::stage::LlmStage;
use crate::template::{Reference, Template};
use crate::value::Value;

/// What a template of one stage can see.
struct View<'a> {
    stage: usize,
    stages: &'a [LlmStage],
    space: &'a Space,
    samples: &'a [Sample],
}

pub(super) fn check(stages: &[LlmStage], space: &Space, samples: &[Sample], problems: &mut Vec<Problem>) {
    for (i, stage) in stages.iter().enumerate() {
        let view = View { stage: i, stages, space, samples };
        for (place, source) in stage.templates() {
            view.template(source, &format!("/pipeline_stages/{i}{place}"), problems);
        }
    }
    for dimension in space.dimensions() {
        dimension_templates(dimension, stages, space, samples, problems);
    }
}

/// Values of a dimension that go where templates go are templates.
fn dimension_templates(
    dimension: &Dimension,
    stages: &[LlmStage],
    space: &Space,
    samples: &[Sample],
    problems: &mut Vec<Problem>,
) {
    let Some(target) = dimension.target.as_ref().filter(|target| is_template(&target.field)) else { return };
    let Some(stage) = stages.iter().position(|stage| stage.name == target.stage) else { return };
    let Levels::Choice(values) = &dimension.levels else { return };
    let view = View { stage, stages, space, samples };
    for (i, value) in values.iter().enumerate() {
        let at = format!("/parameter_space/{}/values/{i}", segment(dimension.name.as_str()));
        for (place, text) in texts(value) {
            view.template(text, &format!("{at}{place}"), problems);
        }
    }
}

fn texts(value: &Value) -> Vec<(String, &str)> {
    match value {
        Value::Text(text) => vec![(String::new(), text)],
        Value::List(messages) => messages
            .iter()
            .enumerate()
            .filter_map(|(i, message)| {
                Some((format!("/{i}/content"), message.as_map()?.get("content")?.as_text()?))
            })
            .collect(),
        _ => Vec::new(),
    }
}

impl View<'_> {
    fn template(&self, source: &str, pointer: &str, problems: &mut Vec<Problem>) {
        match Template::parse(source) {
            Err(error) => problems.push(Problem::new(pointer, "invalid_template", error.to_string())),
            Ok(template) => {
                let wrong = template.references().into_iter().filter(|reference| !reference.guarded);
                let wrong = wrong.filter_map(|reference| self.unknown(&reference));
                problems.extend(wrong.map(|detail| Problem::new(pointer, "unknown_name", detail)));
            }
        }
    }

    /// What is wrong with a name, where that can be known before anything runs.
    fn unknown(&self, reference: &Reference) -> Option<String> {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        match *path.as_slice() {
            ["sample", ref rest @ ..] => self.unknown_in_sample(rest),
            ["params", name, ..] => self.unknown_param(name),
            ["stages", name, ref rest @ ..] => self.unknown_stage(name, rest),
            ["previous", ..] if self.stage == 0 => {
                Some("`previous` is not there in the first stage: no stage comes before it".to_owned())
            }
            ["params" | "stages" | "previous" | "documents", ..] | [] => None,
            [name, ..] => Some(format!(
                "`{name}` is not known here: templates see sample, params, previous, stages and documents"
            )),
        }
    }

    fn unknown_param(&self, name: &str) -> Option<String> {
        let known = || {
            let names: Vec<_> = self.space.dimensions().map(|dimension| dimension.name.as_str()).collect();
            if names.is_empty() { "the parameter space has none".to_owned() } else { format!("there are {}", names.join(", ")) }
        };
        match self.space.dimensions().find(|dimension| dimension.name.as_str() == name) {
            None => Some(format!("`params.{name}` is no dimension of the parameter space: {}", known())),
            Some(dimension) if !dimension.when.is_empty() && dimension.target.is_some() => Some(format!(
                "`params.{name}` is only there while its condition holds: write `params.{name} | default(…)`"
            )),
            Some(_) => None,
        }
    }

    fn unknown_stage(&self, name: &str, rest: &[&str]) -> Option<String> {
        let earlier = &self.stages[..self.stage];
        if !earlier.iter().any(|stage| stage.name.as_str() == name) {
            let names: Vec<_> = earlier.iter().map(|stage| stage.name.as_str()).collect();
            let known = if names.is_empty() { "none does".to_owned() } else { format!("these do: {}", names.join(", ")) };
            return Some(format!("`stages.{name}` is no stage that comes before this one: {known}"));
        }
        match rest {
            [field, ..] if *field != "output" => {
                Some(format!("`stages.{name}.{field}` is not known: a stage has `stages.{name}.output`"))
            }
            _ => None,
        }
    }

    fn unknown_in_sample(&self, rest: &[&str]) -> Option<String> {
        let (first, inner) = rest.split_first()?;
        if !["input", "reference", "meta", "index"].contains(first) {
            return Some(format!("`sample.{first}` is not known: a sample has input, reference, meta and index"));
        }
        let lacking = self.samples.iter().position(|sample| !reaches(sample, first, inner))?;
        let path = rest.join(".");
        Some(format!("sample {lacking} has no `{path}`: give it one, or write `sample.{path} | default(…)`"))
    }
}

/// Whether a path leads somewhere in a sample. Whatever is not a map is left to the rendering.
fn reaches(sample: &Sample, first: &str, inner: &[&str]) -> bool {
    let mut value = match first {
        "input" => &sample.input,
        "reference" => match &sample.reference {
            Some(reference) => reference,
            None => return false,
        },
        "meta" => return inner.first().is_none_or(|name| sample.meta.contains_key(*name)),
        _ => return true,
    };
    for name in inner {
        match value {
            Value::Map(map) => match map.get(*name) {
                Some(next) => value = next,
                None => return false,
            },
            Value::List(_) => return true,
            _ => return false,
        }
    }
    true
}
