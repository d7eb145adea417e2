//! Stages in documents: one object whose kind determines its fields.

use std::collections::BTreeMap;

use domain::experiment::{ChunkDraft, LlmDraft, RetrieveDraft, StageDraft, StageKindDraft};
use domain::problem::Problem;
use domain::stage::{LlmStage, Stage, StageKind};
use domain::value::Value;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Any, AnyMap, from_map, into_map};

/// The kinds of stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "StageKind", rename_all = "snake_case")]
#[schemars(rename = "StageKind")]
pub enum StageKindDocument {
    /// Asks a chat model.
    #[default]
    Llm,
    /// Cuts a text, or the experiment's documents, into chunks.
    Chunk,
    /// Finds the texts most similar to a query.
    Retrieve,
}

/// A stage. Its kind determines its fields.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Stage", deny_unknown_fields)]
#[schemars(rename = "Stage")]
pub struct StageDocument {
    /// Its name in templates and dimensions.
    pub name: String,
    /// What it does.
    pub kind: StageKindDocument,
    /// llm, retrieve: the label of its endpoint; the default one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// llm, retrieve: its model; the default one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// llm: the system prompt, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// llm: few-shot messages, each `{role, content}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[oai(default)]
    pub messages: Vec<Any>,
    /// llm: the prompt, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// llm: inference parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub parameters: AnyMap,
    /// llm: `text`, `json` or `{json_schema, strict?}`. `strict` says whether the server has to hold the model to the
    /// schema; where absent it is sent as true for schemas that qualify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Any>,
    /// llm: whether a leading `<think>…</think>` is separated from the output; `true` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strip_think: Option<bool>,
    /// llm: further fields of the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub extra: AnyMap,
    /// chunk: the text to cut, a template, or `documents`; the sample's input where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// chunk: the unit of sizes: `characters` (the default), `words` or `tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// chunk: the length of a chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_size: Option<u32>,
    /// chunk: the overlap of consecutive chunks; 0 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_overlap: Option<u32>,
    /// retrieve: the earlier stage whose output is the list of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// retrieve: the query, a template; the sample's input where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// retrieve: how many texts it keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
}

const LLM: &[&str] = &[
    "endpoint",
    "model",
    "system",
    "messages",
    "prompt",
    "parameters",
    "response_format",
    "strip_think",
    "extra",
];
const CHUNK: &[&str] = &["input", "unit", "chunk_size", "chunk_overlap"];
const RETRIEVE: &[&str] = &["from", "query", "endpoint", "model", "top_k"];

impl StageKindDocument {
    const fn word(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Chunk => "chunk",
            Self::Retrieve => "retrieve",
        }
    }

    const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Llm => LLM,
            Self::Chunk => CHUNK,
            Self::Retrieve => RETRIEVE,
        }
    }
}

impl StageDocument {
    /// The draft of the stage.
    ///
    /// # Errors
    /// Fields that its kind does not have, and required fields that are missing, with their places in the stage.
    pub fn into_draft(self) -> Result<StageDraft, Vec<Problem>> {
        let mut problems = self.misplaced();
        let name = self.name.clone();
        let kind = match self.kind {
            StageKindDocument::Llm => self.into_llm(&mut problems).map(StageKindDraft::Llm),
            StageKindDocument::Chunk => self.into_chunk(&mut problems).map(StageKindDraft::Chunk),
            StageKindDocument::Retrieve => self.into_retrieve(&mut problems).map(StageKindDraft::Retrieve),
        };
        match kind {
            Some(kind) if problems.is_empty() => Ok(StageDraft { name, kind }),
            _ => Err(problems),
        }
    }

    /// Fields that a stage of this kind does not have.
    fn misplaced(&self) -> Vec<Problem> {
        let given = [
            ("endpoint", self.endpoint.is_some()),
            ("model", self.model.is_some()),
            ("system", self.system.is_some()),
            ("messages", !self.messages.is_empty()),
            ("prompt", self.prompt.is_some()),
            ("parameters", !self.parameters.is_empty()),
            ("response_format", self.response_format.is_some()),
            ("strip_think", self.strip_think.is_some()),
            ("extra", !self.extra.is_empty()),
            ("input", self.input.is_some()),
            ("unit", self.unit.is_some()),
            ("chunk_size", self.chunk_size.is_some()),
            ("chunk_overlap", self.chunk_overlap.is_some()),
            ("from", self.from.is_some()),
            ("query", self.query.is_some()),
            ("top_k", self.top_k.is_some()),
        ];
        let (kind, fields) = (self.kind.word(), self.kind.fields());
        let misplaced = given.into_iter().filter(|(name, given)| *given && !fields.contains(name));
        let problem = |(name, _)| {
            let detail = format!("stages of kind {kind} have no `{name}`: they have {}", fields.join(", "));
            Problem::new(format!("/{name}"), "unexpected_field", detail)
        };
        misplaced.map(problem).collect()
    }

    fn into_llm(self, problems: &mut Vec<Problem>) -> Option<LlmDraft> {
        Some(LlmDraft {
            endpoint: self.endpoint,
            model: self.model,
            system: self.system,
            messages: self.messages.into_iter().map(|message| message.0).collect(),
            prompt: required("prompt", self.prompt, problems)?,
            parameters: into_map(self.parameters),
            response_format: self.response_format.map(|format| format.0),
            strip_think: self.strip_think,
            extra: into_map(self.extra),
        })
    }

    fn into_chunk(self, problems: &mut Vec<Problem>) -> Option<ChunkDraft> {
        let chunk_size = required("chunk_size", self.chunk_size, problems)?;
        Some(ChunkDraft { input: self.input, unit: self.unit, chunk_size, chunk_overlap: self.chunk_overlap })
    }

    fn into_retrieve(self, problems: &mut Vec<Problem>) -> Option<RetrieveDraft> {
        let from = required("from", self.from, problems);
        let top_k = required("top_k", self.top_k, problems);
        let (query, endpoint, model) = (self.query, self.endpoint, self.model);
        Some(RetrieveDraft { from: from?, query, endpoint, model, top_k: top_k? })
    }

    /// The document of a draft.
    #[must_use]
    pub fn of_draft(draft: &StageDraft) -> Self {
        let named = Self { name: draft.name.clone(), ..Self::default() };
        match &draft.kind {
            StageKindDraft::Llm(draft) => Self {
                kind: StageKindDocument::Llm,
                endpoint: draft.endpoint.clone(),
                model: draft.model.clone(),
                system: draft.system.clone(),
                messages: draft.messages.iter().cloned().map(Any).collect(),
                prompt: Some(draft.prompt.clone()),
                parameters: from_map(&draft.parameters),
                response_format: draft.response_format.clone().map(Any),
                strip_think: draft.strip_think,
                extra: from_map(&draft.extra),
                ..named
            },
            StageKindDraft::Chunk(draft) => Self {
                kind: StageKindDocument::Chunk,
                input: draft.input.clone(),
                unit: draft.unit.clone(),
                chunk_size: Some(draft.chunk_size),
                chunk_overlap: draft.chunk_overlap,
                ..named
            },
            StageKindDraft::Retrieve(draft) => Self {
                kind: StageKindDocument::Retrieve,
                from: Some(draft.from.clone()),
                query: draft.query.clone(),
                endpoint: draft.endpoint.clone(),
                model: draft.model.clone(),
                top_k: Some(draft.top_k),
                ..named
            },
        }
    }

    fn of_llm(stage: &LlmStage) -> Self {
        let message = |message: &domain::call::Message| Any(message.to_value());
        let format = stage.response_format.to_value();
        Self {
            kind: StageKindDocument::Llm,
            endpoint: stage.endpoint.clone(),
            model: stage.model.clone(),
            system: stage.system.clone(),
            messages: stage.messages.iter().map(message).collect(),
            prompt: Some(stage.prompt.clone()),
            parameters: from_map(&stage.parameters),
            response_format: (format != Value::from("text")).then_some(Any(format)),
            strip_think: stage.keep_think.then_some(false),
            extra: from_map(&stage.extra),
            ..Self::default()
        }
    }

    /// The document of a stage.
    #[must_use]
    pub fn of_stage(stage: &Stage) -> Self {
        let named = Self { name: stage.name.as_str().to_owned(), ..Self::default() };
        match &stage.kind {
            StageKind::Llm(stage) => Self { name: named.name, ..Self::of_llm(stage) },
            StageKind::Chunk(stage) => Self {
                kind: StageKindDocument::Chunk,
                input: Some(stage.input.as_str().to_owned()),
                unit: Some(stage.unit.as_str().to_owned()),
                chunk_size: Some(stage.size),
                chunk_overlap: Some(stage.overlap),
                ..named
            },
            StageKind::Retrieve(stage) => Self {
                kind: StageKindDocument::Retrieve,
                from: Some(stage.from.as_str().to_owned()),
                query: Some(stage.query.clone()),
                endpoint: stage.endpoint.clone(),
                model: stage.model.clone(),
                top_k: Some(stage.top_k),
                ..named
            },
        }
    }
}

fn required<T>(name: &str, value: Option<T>, problems: &mut Vec<Problem>) -> Option<T> {
    if value.is_none() {
        problems.push(Problem::new(format!("/{name}"), "missing", format!("missing field `{name}`")));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StageDraft, Vec<Problem>> {
        serde_saphyr::from_str::<StageDocument>(text).unwrap().into_draft()
    }

    #[test]
    fn a_stage_has_the_fields_of_its_kind() {
        for (stage, wrong) in [
            ("{name: a, kind: llm, prompt: x}", &[][..]),
            ("{name: a, kind: llm}", &[("/prompt", "missing")]),
            ("{name: a, kind: llm, prompt: x, top_k: 3}", &[("/top_k", "unexpected_field")]),
            ("{name: a, kind: chunk, chunk_size: 3, unit: words}", &[]),
            (
                "{name: a, kind: chunk, prompt: x}",
                &[("/prompt", "unexpected_field"), ("/chunk_size", "missing")],
            ),
            ("{name: a, kind: retrieve, from: b, top_k: 3, model: m}", &[]),
            ("{name: a, kind: retrieve}", &[("/from", "missing"), ("/top_k", "missing")]),
        ] {
            let problems = read(stage).err().unwrap_or_default();
            let found: Vec<_> =
                problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
            assert_eq!(found, wrong, "{stage}");
        }
    }

    #[test]
    fn stages_survive_the_way_into_a_draft_and_back() {
        for text in [
            "{name: a, kind: llm, prompt: x, system: s, parameters: {temperature: 0.5}, extra: {k: 1}}",
            "{name: a, kind: llm, prompt: x, response_format: {json_schema: {type: object}, strict: false}}",
            "{name: a, kind: chunk, input: documents, unit: words, chunk_size: 200, chunk_overlap: 20}",
            "{name: a, kind: retrieve, from: b, query: q, endpoint: e, model: m, top_k: 3}",
        ] {
            let document: StageDocument = serde_saphyr::from_str(text).unwrap();
            let draft = document.clone().into_draft().unwrap();
            assert_eq!(StageDocument::of_draft(&draft), document, "{text}");
        }
    }

    #[test]
    fn unknown_kinds_are_refused() {
        let stage = serde_saphyr::from_str::<StageDocument>("{name: a, kind: rerank}").unwrap_err();
        assert!(stage.to_string().contains("llm"), "{stage}");
    }
}
