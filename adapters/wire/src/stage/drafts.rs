//! Documents of stages as drafts, and back.

use domain::experiment::{ChunkDraft, HttpDraft, LlmDraft, RetrieveDraft, StageDraft, StageKindDraft};
use domain::problem::Problem;

use super::{StageDocument, StageKindDocument};
use crate::value::{Any, from_map, into_map};

impl StageDocument {
    pub(super) fn into_llm(self, problems: &mut Vec<Problem>) -> Option<LlmDraft> {
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

    pub(super) fn into_chunk(self, problems: &mut Vec<Problem>) -> Option<ChunkDraft> {
        let chunk_size = required("chunk_size", self.chunk_size, problems)?;
        Some(ChunkDraft { input: self.input, unit: self.unit, chunk_size, chunk_overlap: self.chunk_overlap })
    }

    pub(super) fn into_retrieve(self, problems: &mut Vec<Problem>) -> Option<RetrieveDraft> {
        let from = required("from", self.from, problems);
        let top_k = required("top_k", self.top_k, problems);
        let (query, endpoint, model) = (self.query, self.endpoint, self.model);
        Some(RetrieveDraft { from: from?, query, endpoint, model, top_k: top_k? })
    }

    pub(super) fn into_http(self, problems: &mut Vec<Problem>) -> Option<HttpDraft> {
        Some(HttpDraft {
            url: required("url", self.url, problems)?,
            headers: self.headers,
            body: self.body.map(|body| body.0),
            output: self.output,
            timeout_s: self.timeout_s,
            cache: self.cache,
        })
    }

    fn of_http_draft(draft: &HttpDraft) -> Self {
        Self {
            kind: StageKindDocument::Http,
            url: Some(draft.url.clone()),
            headers: draft.headers.clone(),
            body: draft.body.clone().map(Any),
            output: draft.output.clone(),
            timeout_s: draft.timeout_s,
            cache: draft.cache,
            ..Self::default()
        }
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
            StageKindDraft::Http(draft) => Self { name: named.name, ..Self::of_http_draft(draft) },
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
}

fn required<T>(name: &str, value: Option<T>, problems: &mut Vec<Problem>) -> Option<T> {
    if value.is_none() {
        problems.push(Problem::new(format!("/{name}"), "missing", format!("missing field `{name}`")));
    }
    value
}
