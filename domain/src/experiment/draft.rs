//! An experiment as somebody wrote it down.

use std::collections::BTreeMap;

use super::{Definition, check};
use crate::problem::Problem;
use crate::sample::Sample;
use crate::scoring::ScoringDraft;
use crate::space::Levels;
use crate::value::{Map, Value};

/// An experiment as somebody wrote it down: of the right form, but not yet found to make sense.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// The samples.
    pub samples: Vec<Sample>,
    /// A corpus that templates see as `documents`.
    pub documents: Vec<Value>,
    /// The pipeline.
    pub stages: Vec<StageDraft>,
    /// How outputs are judged.
    pub scoring: Vec<ScoringDraft>,
    /// The names of the samples' own checks, sorted. What is known of the samples where they are left out.
    pub check_names: Vec<String>,
    /// What may vary.
    pub space: BTreeMap<String, DimensionDraft>,
    /// How often each sample is asked.
    pub repeats: u32,
    /// The share of samples that no choice is made on.
    pub holdout: f64,
}

/// A stage as somebody wrote it down.
#[derive(Debug, Clone, PartialEq)]
pub struct StageDraft {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: StageKindDraft,
}

/// What a stage does, as somebody wrote it down.
#[derive(Debug, Clone, PartialEq)]
pub enum StageKindDraft {
    /// It asks a chat model.
    Llm(LlmDraft),
    /// It cuts texts into chunks.
    Chunk(ChunkDraft),
    /// It finds the texts most similar to a query.
    Retrieve(RetrieveDraft),
}

/// An `llm` stage as somebody wrote it down.
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
    /// The form of answer asked for.
    pub response_format: Option<Value>,
    /// Whether what the model thinks at the beginning of its text is kept apart; it is where absent.
    pub strip_think: Option<bool>,
    /// Further fields of the request.
    pub extra: Map,
}

/// A `chunk` stage as somebody wrote it down.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChunkDraft {
    /// A template, or `documents`; the sample's input where absent.
    pub input: Option<String>,
    /// What sizes are counted in; characters where absent.
    pub unit: Option<String>,
    /// The length of a chunk.
    pub chunk_size: u32,
    /// How much consecutive chunks have in common; nothing where absent.
    pub chunk_overlap: Option<u32>,
}

/// A `retrieve` stage as somebody wrote it down.
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

impl StageDraft {
    /// A stage that asks a chat model.
    #[must_use]
    pub fn llm(name: &str, draft: LlmDraft) -> Self {
        Self { name: name.to_owned(), kind: StageKindDraft::Llm(draft) }
    }

    /// The draft of an `llm` stage, where it is one.
    #[must_use]
    pub const fn as_llm(&self) -> Option<&LlmDraft> {
        match &self.kind {
            StageKindDraft::Llm(draft) => Some(draft),
            StageKindDraft::Chunk(_) | StageKindDraft::Retrieve(_) => None,
        }
    }
}

/// A dimension as somebody wrote it down.
#[derive(Debug, Clone, PartialEq)]
pub struct DimensionDraft {
    /// `STAGE.FIELD`; a template variable where absent.
    pub target: Option<String>,
    /// Its value where it is inactive.
    pub default: Option<Value>,
    /// What it can be.
    pub levels: Levels,
    /// When it is active: for each dimension named, one of these values.
    pub when: BTreeMap<String, Vec<Value>>,
}

impl Draft {
    /// The draft without its samples, of which there may be many.
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

    /// The draft without its name and description: what its runs rest on.
    #[must_use]
    pub fn without_names(&self) -> Self {
        Self { name: String::new(), description: None, ..self.clone() }
    }

    /// Finds everything that is wrong with the draft, its samples included; what it defines, where nothing is.
    ///
    /// # Errors
    /// Each problem with its place in the document; of very many the first hundred.
    pub fn check(&self) -> Result<Definition, Vec<Problem>> {
        check::check(self)
    }

    /// What the draft defines, apart from its samples.
    ///
    /// # Errors
    /// Each problem with its place in the document.
    pub fn define(self) -> Result<Definition, Vec<Problem>> {
        check::define(self)
    }
}
