//! Finds problems of stages.

use std::collections::BTreeSet;

use super::check::place;
use super::{ChunkDraft, LlmDraft, RetrieveDraft, StageDraft, StageKindDraft, http};
use crate::call::{Message, Role};
use crate::name::Name;
use crate::problem::{Problem, listed, nul, segment, unknown};
use crate::space::Parameter;
use crate::stage::{self, ChunkInput, ChunkStage, LlmStage, RetrieveStage, Stage, StageKind};
use crate::text_unit::TextUnit;
use crate::value::{Map, Value};

pub(super) fn check(drafts: Vec<StageDraft>, problems: &mut Vec<Problem>) -> Vec<Stage> {
    let mut seen = BTreeSet::new();
    let mut stages: Vec<Stage> = Vec::new();
    for (i, draft) in drafts.into_iter().enumerate() {
        let at = format!("/pipeline_stages/{i}");
        if !seen.insert(draft.name.clone()) {
            let detail = format!("two stages are called `{}`: rename one", draft.name);
            problems.push(Problem::new(format!("{at}/name"), "duplicate", detail));
        }
        let found = problems.len();
        if let Some(stage) = stage(draft, &stages, problems) {
            nul(&Value::Map(stage.fields()), "", problems);
            stages.push(stage);
        }
        place(problems, found, &at);
    }
    stages
}

fn stage(draft: StageDraft, earlier: &[Stage], problems: &mut Vec<Problem>) -> Option<Stage> {
    let name = name(draft.name, "/name", problems);
    let kind = match draft.kind {
        StageKindDraft::Llm(draft) => llm(draft, problems).map(StageKind::Llm),
        StageKindDraft::Chunk(draft) => chunk(draft, problems).map(StageKind::Chunk),
        StageKindDraft::Http(draft) => Some(StageKind::Http(http::check(draft, problems))),
        StageKindDraft::Retrieve(draft) => retrieve(draft, earlier, problems).map(StageKind::Retrieve),
    };
    Some(Stage { name: name?, kind: kind? })
}

fn name(text: String, pointer: &str, problems: &mut Vec<Problem>) -> Option<Name> {
    let name = Name::try_new(text);
    name.map_err(|error| problems.push(Problem::new(pointer, "invalid_name", error.to_string()))).ok()
}

fn llm(draft: LlmDraft, problems: &mut Vec<Problem>) -> Option<LlmStage> {
    parameters(&draft.parameters, problems);
    let messages = few_shot(&draft.messages, problems);
    let format = draft.response_format.as_ref().map(stage::response_format).transpose();
    let format = format.map_err(|e| problems.push(Problem::new("/response_format", "wrong_value", e)));
    Some(LlmStage {
        endpoint: draft.endpoint,
        model: draft.model,
        system: draft.system,
        messages,
        prompt: draft.prompt,
        parameters: draft.parameters,
        response_format: format.ok()?.unwrap_or_default(),
        keep_think: draft.strip_think == Some(false),
        extra: draft.extra,
    })
}

fn chunk(draft: ChunkDraft, problems: &mut Vec<Problem>) -> Option<ChunkStage> {
    let (size, overlap) = (draft.chunk_size, draft.chunk_overlap.unwrap_or(0));
    if size == 0 {
        problems.push(Problem::new(
            "/chunk_size",
            "out_of_range",
            "chunk_size takes a whole number from 1 up",
        ));
    } else if overlap >= size {
        let detail = format!("chunk_overlap {overlap} has to be less than chunk_size {size}");
        problems.push(Problem::new("/chunk_overlap", "out_of_range", detail));
    }
    let unit = draft.unit.as_deref().map_or(Some(TextUnit::default()), TextUnit::parse);
    if unit.is_none() {
        let detail = format!("unit takes {}", listed(TextUnit::WORDS.into_iter()));
        problems.push(Problem::new("/unit", "wrong_value", detail));
    }
    Some(ChunkStage { input: ChunkInput::parse(draft.input), unit: unit?, size, overlap })
}

fn retrieve(draft: RetrieveDraft, earlier: &[Stage], problems: &mut Vec<Problem>) -> Option<RetrieveStage> {
    if !earlier.iter().any(|stage| stage.name.as_str() == draft.from) {
        let detail = unknown("earlier stage", &draft.from, earlier.iter().map(|stage| stage.name.as_str()));
        problems.push(Problem::new("/from", "unknown_stage", detail));
    }
    if draft.top_k == 0 {
        problems.push(Problem::new("/top_k", "out_of_range", "top_k takes a whole number from 1 up"));
    }
    Some(RetrieveStage {
        from: name(draft.from, "/from", problems)?,
        query: draft.query.unwrap_or_else(|| RetrieveStage::DEFAULT_QUERY.to_owned()),
        endpoint: draft.endpoint,
        model: draft.model,
        top_k: draft.top_k,
    })
}

fn parameters(parameters: &Map, problems: &mut Vec<Problem>) {
    for (name, value) in parameters {
        let pointer = format!("/parameters/{}", segment(name));
        match Parameter::parse(name) {
            None => {
                let known = Parameter::ALL.iter().map(|parameter| parameter.as_str());
                let unknown = unknown("parameter", name, known);
                let detail = format!("{unknown}. Put other fields of the request under `extra`");
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
