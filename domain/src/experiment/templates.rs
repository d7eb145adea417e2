//! Finds names in templates that cannot be there when they are rendered.

use super::check::is_template;
use super::demands::Demands;
use crate::problem::{Problem, is_full, segment, unknown};
use crate::sample::Sample;
use crate::space::{Dimension, Levels, Space};
use crate::stage::Stage;
use crate::template::{Reference, Template};
use crate::value::Value;

/// What a template of one stage can see.
struct View<'a> {
    stage: usize,
    stages: &'a [Stage],
    space: &'a Space,
}

/// Finds what is wrong whatever the samples are.
pub(super) fn check(stages: &[Stage], space: &Space, problems: &mut Vec<Problem>) {
    for (stage, pointer, source) in all(stages, space) {
        if is_full(problems) {
            return;
        }
        View { stage, stages, space }.template(source, &pointer, problems);
    }
}

/// Finds what some sample does not have. The templates are known to parse.
pub(super) fn check_samples(
    stages: &[Stage],
    space: &Space,
    samples: &[Sample],
    problems: &mut Vec<Problem>,
) {
    let mut demands = Demands::default();
    for (_, pointer, source) in all(stages, space) {
        let references = Template::parse(source).map(|template| template.references()).unwrap_or_default();
        for reference in references.iter().filter(|reference| !reference.guarded) {
            demands.add(&reference.path, &pointer);
        }
    }
    problems.extend(demands.lacking(samples).into_iter().map(|lack| {
        let (sample, path) = (lack.sample, lack.path);
        let detail =
            format!("sample {sample} has no `{path}`: give it one, or write `sample.{path} | default(…)`");
        Problem::new(lack.pointer, "unknown_name", detail)
    }));
}

/// Every template there is: its stage, its place and its text.
fn all<'a>(stages: &'a [Stage], space: &'a Space) -> Vec<(usize, String, &'a str)> {
    let mut all = Vec::new();
    for (i, stage) in stages.iter().enumerate() {
        let own = stage.templates();
        all.extend(
            own.into_iter().map(|(place, source)| (i, format!("/pipeline_stages/{i}{place}"), source)),
        );
    }
    for dimension in space.dimensions() {
        all.extend(dimension_templates(dimension, stages));
    }
    all
}

/// Values of a dimension that go where templates go are templates.
fn dimension_templates<'a>(dimension: &'a Dimension, stages: &[Stage]) -> Vec<(usize, String, &'a str)> {
    let target = dimension.target.as_ref().filter(|target| is_template(&target.field));
    let stage = target.and_then(|target| stages.iter().position(|stage| stage.name == target.stage));
    let (Some(stage), Levels::Choice(values)) = (stage, &dimension.levels) else { return Vec::new() };
    let name = segment(dimension.name.as_str());
    let places = values.iter().enumerate().flat_map(|(i, value)| {
        let at = format!("/parameter_space/{name}/values/{i}");
        texts(value).into_iter().map(move |(place, text)| (stage, format!("{at}{place}"), text))
    });
    places.collect()
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
                let mut wrong = wrong.filter_map(|reference| self.unknown(&reference));
                while let (false, Some(detail)) = (is_full(problems), wrong.next()) {
                    problems.push(Problem::new(pointer, "unknown_name", detail));
                }
            }
        }
    }

    /// What is wrong with a name, where that can be known before anything runs.
    fn unknown(&self, reference: &Reference) -> Option<String> {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        match *path.as_slice() {
            ["sample", field, ..] if !SAMPLE.contains(&field) => {
                Some(format!("`sample.{field}` is not known: a sample has input, reference, meta and index"))
            }
            ["params", name, ..] => self.unknown_param(name),
            ["stages", name, ref rest @ ..] => self.unknown_stage(name, rest),
            ["previous", ..] if self.stage == 0 => {
                Some("`previous` is not there in the first stage: no stage comes before it".to_owned())
            }
            ["sample" | "params" | "stages" | "previous" | "documents", ..] | [] => None,
            [name, ..] => Some(format!(
                "`{name}` is not known here: templates see sample, params, previous, stages and documents"
            )),
        }
    }

    fn unknown_param(&self, name: &str) -> Option<String> {
        match self.space.dimension(name) {
            None => {
                let known: Vec<_> =
                    self.space.dimensions().map(|dimension| dimension.name.as_str()).collect();
                Some(format!("`params.{name}`: {}", unknown("dimension", name, known)))
            }
            Some(dimension) if !dimension.when.is_empty() && dimension.target.is_some() => Some(format!(
                "`params.{name}` is only there while its condition holds: write `params.{name} | default(…)`"
            )),
            Some(_) => None,
        }
    }

    fn unknown_stage(&self, name: &str, rest: &[&str]) -> Option<String> {
        let earlier = &self.stages[..self.stage];
        if !earlier.iter().any(|stage| stage.name.as_str() == name) {
            let earlier = unknown("earlier stage", name, earlier.iter().map(|stage| stage.name.as_str()));
            return Some(format!("`stages.{name}`: {earlier}"));
        }
        match rest {
            [field, ..] if *field != "output" => {
                Some(format!("`stages.{name}.{field}` is not known: a stage has `stages.{name}.output`"))
            }
            _ => None,
        }
    }
}

/// What a sample has.
const SAMPLE: [&str; 4] = ["input", "reference", "meta", "index"];
