//! Finds all problems of a draft, each with its place.

use std::collections::BTreeMap;

use super::{Definition, DimensionDraft, Draft, fit, limits, reserved, scoring, stages, templates};
use crate::name::Name;
use crate::problem::{Problem, capped, nul, segment};
use crate::sample::Sample;
use crate::space::{Dimension, Field, Levels, Space, Target};
use crate::stage::Stage;
use crate::value::Value;

/// The most repetitions of a sample.
const MAX_REPEATS: u32 = 1_000;
/// The longest name of an experiment, in bytes.
const MAX_NAME: usize = 200;

pub(super) fn check(draft: &Draft) -> Result<Definition, Vec<Problem>> {
    let mut problems = Vec::new();
    limits::check(draft, &mut problems);
    if !problems.is_empty() {
        return Err(capped(problems));
    }
    samples(&draft.samples, draft.holdout, &mut problems);
    reserved::check(draft, &mut problems);
    let names = scoring::check_names(&draft.samples);
    let definition = match define(Draft { check_names: names, ..draft.without_samples() }) {
        Ok(definition) => definition,
        Err(found) => {
            problems.extend(found);
            return Err(capped(problems));
        }
    };
    templates::check_samples(&definition, &draft.samples, &mut problems);
    scoring::check_samples(&definition, &draft.samples, &mut problems);
    if problems.is_empty() { Ok(definition) } else { Err(capped(problems)) }
}

pub(super) fn define(draft: Draft) -> Result<Definition, Vec<Problem>> {
    let mut problems = Vec::new();
    about(&draft, &mut problems);
    nul(&Value::from(draft.description.clone().unwrap_or_default()), "/description", &mut problems);
    let stages = stages::check(draft.stages, &mut problems);
    let scoring = scoring::check(&draft.scoring, &draft.check_names, &stages, &mut problems);
    let space = space(draft.space, &stages, &mut problems);
    let documents = Value::List(draft.documents);
    nul(&documents, "/documents", &mut problems);
    if let (Some(space), false) = (&space, stages.is_empty()) {
        templates::check(&stages, space, &mut problems);
    }
    match space {
        Some(space) if problems.is_empty() => {
            let (name, description, repeats) = (draft.name, draft.description, draft.repeats);
            let check_names = draft.check_names;
            Ok(Definition { name, description, documents, stages, scoring, check_names, space, repeats })
        }
        _ => Err(capped(problems)),
    }
}

fn samples(samples: &[Sample], holdout: f64, problems: &mut Vec<Problem>) {
    if samples.is_empty() {
        problems.push(Problem::new("/sample_data", "empty", "give at least one sample"));
    }
    if samples.len() == 1 && holdout > 0.0 {
        let detail = "one sample alone cannot be held out: give more samples, or set holdout to 0";
        problems.push(Problem::new("/holdout", "too_few", detail));
    }
    for (i, sample) in samples.iter().enumerate() {
        let at = format!("/sample_data/{i}");
        nul(&sample.to_value(), &at, problems);
        if sample.reference.is_some() && !sample.references.is_empty() {
            let detail = "give `reference` or `references`, not both";
            problems.push(Problem::new(format!("{at}/references"), "not_both", detail));
        }
    }
}

fn about(draft: &Draft, problems: &mut Vec<Problem>) {
    let mut wrong = |pointer: &str, code, detail: String| problems.push(Problem::new(pointer, code, detail));
    if draft.name.trim().is_empty() || draft.name.len() > MAX_NAME || draft.name.contains(char::is_control) {
        wrong(
            "/name",
            "invalid_name",
            format!("give the experiment a name of 1 to {MAX_NAME} bytes on one line"),
        );
    }
    if draft.stages.is_empty() {
        wrong("/pipeline_stages", "empty", "give at least one stage".to_owned());
    }
    if !(1..=MAX_REPEATS).contains(&draft.repeats) {
        wrong("/repeats", "out_of_range", format!("repeats takes a whole number from 1 to {MAX_REPEATS}"));
    }
    if !(0.0..1.0).contains(&draft.holdout) {
        let detail = "a holdout is a share of the samples, from 0 to below 1";
        wrong("/holdout", "out_of_range", detail.to_owned());
    }
}

/// Puts a pointer before those of the problems from index `found` on.
pub(super) fn place(problems: &mut Vec<Problem>, found: usize, at: &str) {
    let inner = problems.split_off(found);
    problems.extend(inner.into_iter().map(|problem| problem.under(at)));
}

fn space(
    drafts: BTreeMap<String, DimensionDraft>,
    stages: &[Stage],
    problems: &mut Vec<Problem>,
) -> Option<Space> {
    let found = problems.len();
    let mut dimensions = Vec::new();
    for (name, draft) in drafts {
        let inner = problems.len();
        nul(&draft_texts(&draft), "", problems);
        let dimension = dimension(&name, draft, problems);
        if let Some(dimension) = &dimension {
            fit::levels(dimension, stages, problems);
        }
        dimensions.extend(dimension);
        place(problems, inner, &format!("/{}", segment(&name)));
    }
    let space = if problems.len() == found {
        Space::try_new(dimensions).map_err(|wrong| problems.extend(wrong)).ok()
    } else {
        None
    };
    place(problems, found, "/parameter_space");
    space
}

fn draft_texts(draft: &DimensionDraft) -> Value {
    let values = if let Levels::Choice(values) = &draft.levels { values.clone() } else { Vec::new() };
    let default = draft.default.clone().unwrap_or_default();
    Value::from([("values", Value::List(values)), ("default", default)])
}

fn dimension(name: &str, draft: DimensionDraft, problems: &mut Vec<Problem>) -> Option<Dimension> {
    let mut named = |pointer: String, text: &str| {
        Name::try_new(text)
            .map_err(|error| problems.push(Problem::new(pointer, "invalid_name", error.to_string())))
            .ok()
    };
    let own = named(String::new(), name);
    let mut when = BTreeMap::new();
    for (other, values) in draft.when {
        when.insert(named(format!("/when/{}", segment(&other)), &other)?, values);
    }
    let target = draft.target.map(|target| Target::parse(&target));
    let target = target
        .transpose()
        .map_err(|error| problems.push(Problem::new("/target", "invalid_target", error.to_string())));
    Some(Dimension { name: own?, target: target.ok()?, levels: draft.levels, default: draft.default, when })
}

/// Fields whose values are templates.
pub(super) const fn is_template(field: &Field) -> bool {
    matches!(field, Field::System | Field::Prompt | Field::Messages | Field::Url)
}
