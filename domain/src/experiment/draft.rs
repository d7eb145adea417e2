//! Drafts of experiments: what a person wrote, with valid types, but not checked otherwise.

use std::collections::BTreeMap;

use super::{Definition, check};
use crate::problem::Problem;
use crate::sample::Sample;
use crate::scoring::ScoringDraft;
use crate::secret::Secret;
use crate::service::ServiceOrigin;
use crate::space::Levels;
use crate::value::{Map, Value};

/// An experiment with valid types that is not checked otherwise.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// The samples.
    pub samples: Vec<Sample>,
    /// A corpus, the `documents` of templates.
    pub documents: Vec<Value>,
    /// The pipeline.
    pub stages: Vec<StageDraft>,
    /// The scoring entries.
    pub scoring: Vec<ScoringDraft>,
    /// The sorted names of the samples' own checks, for drafts without their samples.
    pub check_names: Vec<String>,
    /// The parameter space.
    pub space: BTreeMap<String, DimensionDraft>,
    /// Repetitions of each sample.
    pub repeats: u32,
    /// The share of samples that are held out of all choices.
    pub holdout: f64,
}

/// The draft of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageDraft {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: StageKindDraft,
}

/// The draft of what a stage does.
#[derive(Debug, Clone, PartialEq)]
pub enum StageKindDraft {
    /// Asks a chat model.
    Llm(LlmDraft),
    /// Cuts texts into chunks.
    Chunk(ChunkDraft),
    /// Finds the texts most similar to a query.
    Retrieve(RetrieveDraft),
    /// Calls a service of the user's own.
    Http(HttpDraft),
}

/// The draft of an `llm` stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LlmDraft {
    /// Its endpoint's label.
    pub endpoint: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its system prompt.
    pub system: Option<String>,
    /// Its few-shot messages, a list of `{role, content}`.
    pub messages: Vec<Value>,
    /// Its prompt.
    pub prompt: String,
    /// Its inference parameters.
    pub parameters: Map,
    /// The requested form of the answer.
    pub response_format: Option<Value>,
    /// Whether reasoning at the beginning of the answer is separated from it; `true` where absent.
    pub strip_think: Option<bool>,
    /// Further fields of the request.
    pub extra: Map,
}

/// The draft of a `chunk` stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChunkDraft {
    /// A template, or `documents`; the sample's input where absent.
    pub input: Option<String>,
    /// The unit of sizes; characters where absent.
    pub unit: Option<String>,
    /// The length of a chunk.
    pub chunk_size: u32,
    /// The overlap of consecutive chunks; 0 where absent.
    pub chunk_overlap: Option<u32>,
}

/// The draft of a `retrieve` stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RetrieveDraft {
    /// The stage whose output is the list of texts.
    pub from: String,
    /// The query's template; the sample's input where absent.
    pub query: Option<String>,
    /// Its endpoint's label.
    pub endpoint: Option<String>,
    /// Its embedding model.
    pub model: Option<String>,
    /// How many texts it keeps.
    pub top_k: u32,
}

/// The draft of an `http` stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HttpDraft {
    /// Its URL, a template.
    pub url: String,
    /// The values of headers, templates, by their names.
    pub headers: BTreeMap<String, String>,
    /// The body: a template, or JSON whose texts are templates; `{input, output, context}` where absent.
    pub body: Option<Value>,
    /// The JSON pointer to the output in the answer.
    pub output: Option<String>,
    /// How long an exchange may take, in seconds; 30 where absent.
    pub timeout_s: Option<u32>,
    /// Whether equal calls share their answer; `true` where absent.
    pub cache: Option<bool>,
}

impl HttpDraft {
    fn keep_headers(&mut self, known: &Self) {
        let origins = [&self.url, &known.url].map(|url| ServiceOrigin::parse(url));
        let is_same = self.url == known.url || origins[0].is_ok() && origins[0] == origins[1];
        for (name, value) in self.headers.iter_mut().filter(|(_, value)| is_same && *value == Secret::MASK) {
            if let Some(kept) = known.headers.get(name) {
                value.clone_from(kept);
            }
        }
    }
}

impl StageDraft {
    /// A stage that asks a chat model.
    #[must_use]
    pub fn llm(name: &str, draft: LlmDraft) -> Self {
        Self { name: name.to_owned(), kind: StageKindDraft::Llm(draft) }
    }

    /// The draft of an `llm` stage, if it is one.
    #[must_use]
    pub const fn as_llm(&self) -> Option<&LlmDraft> {
        match &self.kind {
            StageKindDraft::Llm(draft) => Some(draft),
            StageKindDraft::Chunk(_) | StageKindDraft::Retrieve(_) | StageKindDraft::Http(_) => None,
        }
    }
}

/// The draft of a dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct DimensionDraft {
    /// `STAGE.FIELD`; a template variable where absent.
    pub target: Option<String>,
    /// The value of its field while it is inactive.
    pub default: Option<Value>,
    /// Its possible values.
    pub levels: Levels,
    /// The condition under which it is active: for each named dimension, one of these values.
    pub when: BTreeMap<String, Vec<Value>>,
}

impl Draft {
    /// The draft without its samples.
    #[must_use]
    pub fn without_samples(&self) -> Self {
        Self {
            name: self.name.clone(),
            description: self.description.clone(),
            samples: Vec::new(),
            documents: self.documents.clone(),
            stages: self.stages.clone(),
            scoring: self.scoring.clone(),
            check_names: self.check_names.clone(),
            space: self.space.clone(),
            repeats: self.repeats,
            holdout: self.holdout,
        }
    }

    /// The draft without its name and description, which do not affect runs.
    #[must_use]
    pub fn without_names(&self) -> Self {
        Self { name: String::new(), description: None, ..self.clone() }
    }

    /// The draft in the place of a known one. Where it has [`Secret::MASK`] for the value of a header, the known value stays, as
    /// long as the stage or scorer goes to the same service.
    #[must_use]
    pub fn in_place_of(mut self, known: &Self) -> Self {
        for stage in &mut self.stages {
            let of = known.stages.iter().find(|known| known.name == stage.name);
            if let (StageKindDraft::Http(draft), Some(StageKindDraft::Http(known))) =
                (&mut stage.kind, of.map(|known| &known.kind))
            {
                draft.keep_headers(known);
            }
        }
        for entry in &mut self.scoring {
            if let Some(known) = known.scoring.iter().find(|known| known.name() == entry.name()) {
                entry.keep_secrets(known);
            }
        }
        self
    }

    /// Checks the draft with its samples, and returns its definition.
    ///
    /// # Errors
    /// All problems with their places in the document; at most the first hundred.
    pub fn check(&self) -> Result<Definition, Vec<Problem>> {
        check::check(self)
    }

    /// Checks the draft without its samples, and returns its definition.
    ///
    /// # Errors
    /// All problems with their places in the document.
    pub fn define(self) -> Result<Definition, Vec<Problem>> {
        check::define(self)
    }
}
