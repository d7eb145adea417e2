//! Stages in documents: one object whose kind determines its fields.

mod drafts;

use std::collections::BTreeMap;

use domain::experiment::{StageDraft, StageKindDraft};
use domain::problem::Problem;
use domain::secret::Secret;
use domain::stage::{HttpStage, LlmStage, Stage, StageKind};
use domain::value::Value;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Any, AnyMap, from_map};

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
    /// Calls a service of the user's own.
    Http,
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
    /// http: the URL that a POST request is sent to, a template. In the configuration of a run also the URL of the stage's
    /// endpoint when the run was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// http: the values of headers, templates, by their names. Stored ones are shown as `***`; a `***` that comes back leaves
    /// them as they are, unless the URL goes elsewhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub headers: BTreeMap<String, String>,
    /// http: the body: a text, which is a template, or JSON whose texts are templates; `{input, output, context}` where
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Any>,
    /// http: a JSON pointer to the output in the answer; the whole answer where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// http: how long an exchange may take, in seconds from 1 to 600; 30 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
    /// http: whether equal calls share their answer; `true` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<bool>,
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
const HTTP: &[&str] = &["url", "headers", "body", "output", "timeout_s", "cache"];

impl StageKindDocument {
    const fn word(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Chunk => "chunk",
            Self::Retrieve => "retrieve",
            Self::Http => "http",
        }
    }

    const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Llm => LLM,
            Self::Chunk => CHUNK,
            Self::Retrieve => RETRIEVE,
            Self::Http => HTTP,
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
            StageKindDocument::Http => self.into_http(&mut problems).map(StageKindDraft::Http),
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
            ("url", self.url.is_some()),
            ("headers", !self.headers.is_empty()),
            ("body", self.body.is_some()),
            ("output", self.output.is_some()),
            ("timeout_s", self.timeout_s.is_some()),
            ("cache", self.cache.is_some()),
        ];
        let (kind, fields) = (self.kind.word(), self.kind.fields());
        let misplaced = given.into_iter().filter(|(name, given)| *given && !fields.contains(name));
        let problem = |(name, _)| {
            let detail = format!("stages of kind {kind} have no `{name}`: they have {}", fields.join(", "));
            Problem::new(format!("/{name}"), "unexpected_field", detail)
        };
        misplaced.map(problem).collect()
    }

    /// The same with masks in the place of headers' values, which may be keys.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        self.headers.values_mut().for_each(|value| Secret::MASK.clone_into(value));
        self
    }

    fn of_http(stage: &HttpStage) -> Self {
        Self {
            kind: StageKindDocument::Http,
            url: Some(stage.url.clone()),
            headers: stage.headers.clone(),
            body: stage.body.to_value().map(Any),
            output: stage.output.clone(),
            timeout_s: Some(stage.timeout_s),
            cache: (!stage.cache).then_some(false),
            ..Self::default()
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
            StageKind::Http(stage) => Self { name: named.name, ..Self::of_http(stage) },
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

#[cfg(test)]
mod tests;
