//! Finds everything that is wrong with a draft, each with its place.

use std::collections::{BTreeMap, BTreeSet};

use super::{Definition, DimensionDraft, Draft, fit, limits, reserved, stages, templates};
use crate::name::Name;
use crate::problem::{Problem, capped, nul, segment, unknown};
use crate::sample::Sample;
use crate::scoring::{Scorer, ScoringDraft, ScoringEntry};
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
    samples(&draft.samples, &mut problems);
    reserved::check(draft, &mut problems);
    let definition = match define(draft.without_samples()) {
        Ok(definition) => definition,
        Err(found) => {
            problems.extend(found);
            return Err(capped(problems));
        }
    };
    templates::check_samples(&definition.stages, &definition.space, &draft.samples, &mut problems);
    if problems.is_empty() { Ok(definition) } else { Err(capped(problems)) }
}

pub(super) fn define(draft: Draft) -> Result<Definition, Vec<Problem>> {
    let mut problems = Vec::new();
    about(&draft, &mut problems);
    nul(&Value::from(draft.description.clone().unwrap_or_default()), "/description", &mut problems);
    let stages = stages::check(draft.stages, &mut problems);
    let scoring = scoring(draft.scoring, &stages, &mut problems);
    let space = space(draft.space, &stages, &mut problems);
    let documents = Value::List(draft.documents);
    nul(&documents, "/documents", &mut problems);
    if let (Some(space), false) = (&space, stages.is_empty()) {
        templates::check(&stages, space, &mut problems);
    }
    match space {
        Some(space) if problems.is_empty() => {
            let (name, description, repeats) = (draft.name, draft.description, draft.repeats);
            Ok(Definition { name, description, documents, stages, scoring, space, repeats })
        }
        _ => Err(capped(problems)),
    }
}

fn samples(samples: &[Sample], problems: &mut Vec<Problem>) {
    if samples.is_empty() {
        problems.push(Problem::new("/sample_data", "empty", "give at least one sample"));
    }
    for (i, sample) in samples.iter().enumerate() {
        nul(&sample.to_value(), &format!("/sample_data/{i}"), problems);
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
    if draft.scoring.is_empty() {
        let detail = "give at least one scorer: without a score no configuration is better than another";
        wrong("/scoring_config", "empty", detail.to_owned());
    }
    if !(1..=MAX_REPEATS).contains(&draft.repeats) {
        wrong("/repeats", "out_of_range", format!("repeats takes a whole number from 1 to {MAX_REPEATS}"));
    }
    if draft.holdout != 0.0 {
        wrong(
            "/holdout",
            "not_supported",
            "holding samples out is not possible yet: set holdout to 0".to_owned(),
        );
    }
}

/// Puts the problems found since `found` under a pointer.
pub(super) fn place(problems: &mut Vec<Problem>, found: usize, at: &str) {
    let inner = problems.split_off(found);
    problems.extend(inner.into_iter().map(|problem| problem.under(at)));
}

fn scoring(drafts: Vec<ScoringDraft>, stages: &[Stage], problems: &mut Vec<Problem>) -> Vec<ScoringEntry> {
    let mut entries: Vec<ScoringEntry> = Vec::new();
    let mut names = BTreeSet::new();
    let given = drafts.len();
    for (i, draft) in drafts.into_iter().enumerate() {
        let found = problems.len();
        if let Some(entry) = scoring_entry(draft, stages, problems) {
            if !names.insert(entry.name.clone()) {
                let detail =
                    format!("two scoring entries are called `{}`: give one another name", entry.name);
                problems.push(Problem::new("/name", "duplicate", detail));
            }
            entries.push(entry);
        }
        place(problems, found, &format!("/scoring_config/{i}"));
    }
    if given > 0 && entries.len() == given && entries.iter().all(|entry| entry.weight == 0.0) {
        problems.push(Problem::new(
            "/scoring_config",
            "no_weight",
            "at least one scorer needs a weight above 0",
        ));
    }
    entries
}

fn scoring_entry(draft: ScoringDraft, stages: &[Stage], problems: &mut Vec<Problem>) -> Option<ScoringEntry> {
    let weight = draft.weight.unwrap_or(1.0);
    if !(weight.is_finite() && weight >= 0.0) {
        problems.push(Problem::new("/weight", "out_of_range", "a weight is a number from 0 up"));
    }
    let stage = draft.stage.as_deref().map(|name| stages.iter().find(|stage| stage.name.as_str() == name));
    if let (Some(name), Some(None)) = (&draft.stage, stage) {
        let detail = unknown("stage", name, stages.iter().map(|stage| stage.name.as_str()));
        problems.push(Problem::new("/stage", "unknown_stage", detail));
    }
    nul(&Value::Map(draft.options.clone()), "/options", problems);
    let scorer = Scorer::try_new(&draft.scorer, &draft.options).map_err(|found| problems.extend(found));
    let name = draft.name.unwrap_or(draft.scorer);
    if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        problems.push(Problem::new("/name", "invalid_name", "give the entry a name on one line"));
    }
    Some(ScoringEntry { name, scorer: scorer.ok()?, weight, stage: stage.flatten().map(|s| s.name.clone()) })
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
    matches!(field, Field::System | Field::Prompt | Field::Messages)
}
