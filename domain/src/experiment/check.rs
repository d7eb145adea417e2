//! Finds everything that is wrong with a draft, each with its place.

use std::collections::{BTreeMap, BTreeSet};

use super::{Definition, DimensionDraft, Draft, ScoringDraft, StageDraft, fit, limits, reserved, templates};
use crate::call::{Message, Role};
use crate::name::Name;
use crate::problem::{Problem, capped, listed, nul, segment};
use crate::sample::Sample;
use crate::scoring::{Scorer, ScoringEntry};
use crate::space::{Dimension, Field, Levels, Parameter, Space, Target};
use crate::stage::{self, LlmStage};
use crate::value::{Map, Value};

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
    let stages = stages(draft.stages, &mut problems);
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

pub(super) fn stages(drafts: Vec<StageDraft>, problems: &mut Vec<Problem>) -> Vec<LlmStage> {
    let mut seen = BTreeSet::new();
    let mut stages = Vec::new();
    for (i, draft) in drafts.into_iter().enumerate() {
        let at = format!("/pipeline_stages/{i}");
        if !seen.insert(draft.name.clone()) {
            let detail = format!("two stages are called `{}`: rename one", draft.name);
            problems.push(Problem::new(format!("{at}/name"), "duplicate", detail));
        }
        let found = problems.len();
        if let Some(stage) = stage(draft, problems) {
            nul(&Value::Map(crate::configuration::stage_fields(&stage)), "", problems);
            stages.push(stage);
        }
        place(problems, found, &at);
    }
    stages
}

/// Puts the problems found since `found` under a pointer.
fn place(problems: &mut Vec<Problem>, found: usize, at: &str) {
    let inner = problems.split_off(found);
    problems.extend(inner.into_iter().map(|problem| problem.under(at)));
}

fn stage(draft: StageDraft, problems: &mut Vec<Problem>) -> Option<LlmStage> {
    let name = Name::try_new(draft.name)
        .map_err(|e| problems.push(Problem::new("/name", "invalid_name", e.to_string())));
    parameters(&draft.parameters, problems);
    let messages = few_shot(&draft.messages, problems);
    let format = draft.response_format.as_ref().map(stage::response_format).transpose();
    let format = format.map_err(|e| problems.push(Problem::new("/response_format", "wrong_value", e)));
    Some(LlmStage {
        name: name.ok()?,
        endpoint: draft.endpoint,
        model: draft.model,
        system: draft.system,
        messages,
        prompt: draft.prompt,
        parameters: draft.parameters,
        response_format: format.ok()?.unwrap_or_default(),
        extra: draft.extra,
    })
}

fn parameters(parameters: &Map, problems: &mut Vec<Problem>) {
    for (name, value) in parameters {
        let pointer = format!("/parameters/{}", segment(name));
        match Parameter::parse(name) {
            None => {
                let known = listed(Parameter::ALL.iter().map(|parameter| parameter.as_str()));
                let detail = format!(
                    "`{name}` is no parameter: there are {known}. Other fields of the request go under `extra`"
                );
                problems.push(Problem::new(pointer, "unknown_parameter", detail));
            }
            Some(parameter) => {
                if let Err(detail) = stage::check_parameter(parameter, value) {
                    problems.push(Problem::new(pointer, "wrong_value", detail));
                }
            }
        }
    }
}

fn few_shot(drafts: &[Value], problems: &mut Vec<Problem>) -> Vec<Message> {
    let mut messages = Vec::new();
    for (i, draft) in drafts.iter().enumerate() {
        if let Some(message) = stage::message(draft) {
            messages.push(message);
        } else {
            let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
            let detail = format!("a message is {{role, content}} with role {}", roles.join(", "));
            problems.push(Problem::new(format!("/messages/{i}"), "wrong_value", detail));
        }
    }
    messages
}

fn scoring(drafts: Vec<ScoringDraft>, stages: &[LlmStage], problems: &mut Vec<Problem>) -> Vec<ScoringEntry> {
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

fn scoring_entry(
    draft: ScoringDraft,
    stages: &[LlmStage],
    problems: &mut Vec<Problem>,
) -> Option<ScoringEntry> {
    let weight = draft.weight.unwrap_or(1.0);
    if !(weight.is_finite() && weight >= 0.0) {
        problems.push(Problem::new("/weight", "out_of_range", "a weight is a number from 0 up"));
    }
    let stage = draft.stage.as_deref().map(|name| stages.iter().find(|stage| stage.name.as_str() == name));
    if let Some(None) = stage {
        let known = listed(stages.iter().map(|stage| stage.name.as_str()));
        let detail = format!("there is no stage of this name: there are {known}");
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
    stages: &[LlmStage],
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
