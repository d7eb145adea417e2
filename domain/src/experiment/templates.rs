//! Finds names in templates that will not exist when the templates are rendered.

use super::Definition;
use super::check::is_template;
use super::demands::Demands;
use crate::problem::{Problem, is_full, segment, unknown};
use crate::sample::Sample;
use crate::scoring::ScoringEntry;
use crate::space::{Dimension, Levels, Space};
use crate::stage::Stage;
use crate::template::{Reference, Template};
use crate::value::Value;

/// The names that a template can use.
struct View<'a> {
    sees: Sees,
    stages: &'a [Stage],
    space: &'a Space,
}

/// The kinds of template.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// A template of the stage with this index.
    Stage(usize),
    /// A template in the options of a scorer.
    Scorer,
}

/// Finds problems that do not depend on samples.
pub(super) fn check(stages: &[Stage], space: &Space, problems: &mut Vec<Problem>) {
    for (stage, pointer, source) in all(stages, space) {
        if is_full(problems) {
            return;
        }
        View { sees: Sees::Stage(stage), stages, space }.template(source, &pointer, problems);
    }
}

/// Finds problems of the templates of scoring entries in the list at this place.
pub(super) fn check_entries(
    entries: &[ScoringEntry],
    at: &str,
    stages: &[Stage],
    space: &Space,
    problems: &mut Vec<Problem>,
) {
    let view = View { sees: Sees::Scorer, stages, space };
    for (pointer, source) in entry_templates(entries, at) {
        if is_full(problems) {
            return;
        }
        view.template(source, &pointer, problems);
    }
}

fn entry_templates<'a>(entries: &'a [ScoringEntry], at: &str) -> Vec<(String, &'a str)> {
    let each = entries.iter().enumerate().flat_map(|(i, entry)| {
        let templates = entry.scorer.templates().into_iter();
        templates.map(move |(place, source)| (format!("{at}/{i}{place}"), source))
    });
    each.collect()
}

/// Finds fields that the templates of a sample's own checks use and that the sample lacks.
pub(super) fn check_own(entries: &[ScoringEntry], sample: &Sample, problems: &mut Vec<Problem>) {
    let mut demands = Demands::default();
    demand(entry_templates(entries, "/checks"), &mut demands);
    let lacking = demands.lacking(std::slice::from_ref(sample)).into_iter();
    problems.extend(lacking.map(|lack| lack.problem("the sample")));
}

/// Adds the sample fields that templates use. Templates that do not parse are ignored.
fn demand<'a>(templates: impl IntoIterator<Item = (String, &'a str)>, demands: &mut Demands) {
    for (pointer, source) in templates {
        let references = Template::parse(source).map(|template| template.references()).unwrap_or_default();
        for reference in references.iter().filter(|reference| !reference.guarded) {
            demands.add(&reference.path, &pointer);
        }
    }
}

/// Finds fields that templates use and that some sample lacks. The templates are known to parse.
pub(super) fn check_samples(definition: &Definition, samples: &[Sample], problems: &mut Vec<Problem>) {
    let mut demands = Demands::default();
    let of_stages = all(&definition.stages, &definition.space);
    let of_stages = of_stages.into_iter().map(|(_, pointer, source)| (pointer, source));
    demand(of_stages.chain(entry_templates(&definition.scoring, "/scoring_config")), &mut demands);
    let lacking = demands.lacking(samples).into_iter();
    problems.extend(lacking.map(|lack| {
        let sample = format!("sample {}", lack.sample);
        lack.problem(&sample)
    }));
}

/// All templates, each with its stage, its place and its text.
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

/// Values of a dimension are templates if its target is one.
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

    /// What is wrong with a name, as far as that is known before a run.
    fn unknown(&self, reference: &Reference) -> Option<String> {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        match *path.as_slice() {
            ["sample", field, ..] if !SAMPLE.contains(&field) => {
                Some(format!("`sample.{field}` is not known: a sample has input, reference, meta and index"))
            }
            ["params", name, ..] => self.unknown_param(name),
            ["stages", name, ref rest @ ..] => self.unknown_stage(name, rest),
            ["previous" | "documents", ..] if self.sees == Sees::Scorer => Some(format!(
                "`{}` is not known here: options of scorers see output, sample, params and stages",
                path[0]
            )),
            ["output", ..] if self.sees == Sees::Scorer => None,
            ["previous", ..] if self.sees == Sees::Stage(0) => {
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
        let earlier = match self.sees {
            Sees::Stage(stage) => self.stages.get(..stage).unwrap_or_default(),
            Sees::Scorer => self.stages,
        };
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

/// The fields of `sample`.
const SAMPLE: [&str; 4] = ["input", "reference", "meta", "index"];
