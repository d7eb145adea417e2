//! What is tried, on what, how it is judged, and what may vary.

mod check;
mod demands;
mod fit;
pub mod limits;
mod reserved;
mod stages;
mod templates;

use std::collections::BTreeMap;

use crate::problem::{Problem, segment};
use crate::sample::Sample;
use crate::scoring::ScoringEntry;
use crate::space::{Levels, Space, Target};
use crate::stage::Stage;
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

/// A scoring entry as somebody wrote it down.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoringDraft {
    /// Its name; the scorer's where absent.
    pub name: Option<String>,
    /// The scorer.
    pub scorer: String,
    /// Its weight; 1 where absent.
    pub weight: Option<f64>,
    /// The stage whose output it judges; the last where absent.
    pub stage: Option<String>,
    /// The scorer's options.
    pub options: Map,
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

/// An experiment that makes sense, without its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    name: String,
    description: Option<String>,
    documents: Value,
    stages: Vec<Stage>,
    scoring: Vec<ScoringEntry>,
    space: Space,
    repeats: u32,
}

/// Where the values of a point go. What is kept of it with a run outlives a change of the space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// The field that each value decides; values without one are seen by templates only.
    pub targets: BTreeMap<String, Target>,
    /// What templates see of inactive dimensions without a target.
    pub defaults: Map,
}

/// The stages with a point's values in their fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The stages.
    pub stages: Vec<Stage>,
    /// What templates see as `params`.
    pub params: Map,
    /// Of those the dimensions without a target.
    pub free: Map,
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

impl Definition {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What templates see as `documents`.
    #[must_use]
    pub const fn documents(&self) -> &Value {
        &self.documents
    }

    /// The pipeline.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// How outputs are judged.
    #[must_use]
    pub fn scoring(&self) -> &[ScoringEntry] {
        &self.scoring
    }

    /// What may vary.
    #[must_use]
    pub const fn space(&self) -> &Space {
        &self.space
    }

    /// How often each sample is asked, from 1.
    #[must_use]
    pub const fn repeats(&self) -> u32 {
        self.repeats
    }

    /// The stage that a scoring entry judges, by its index.
    #[must_use]
    pub fn judged_stage(&self, entry: &ScoringEntry) -> usize {
        let named = entry.stage.as_ref();
        let found = named.and_then(|name| self.stages.iter().position(|stage| stage.name == *name));
        found.unwrap_or(self.stages.len() - 1)
    }

    /// Where the values of a point go, as the dimensions of the space say.
    #[must_use]
    pub fn places(&self, values: &Map) -> Places {
        let mut places = Places::default();
        for dimension in self.space.dimensions() {
            let name = dimension.name.as_str();
            match (&dimension.target, &dimension.default) {
                (Some(target), _) if values.contains_key(name) => {
                    places.targets.insert(name.to_owned(), target.clone());
                }
                (None, Some(default)) if !values.contains_key(name) => {
                    places.defaults.insert(name.to_owned(), default.clone());
                }
                _ => {}
            }
        }
        places
    }

    /// Puts the values of a point into their places.
    ///
    /// # Errors
    /// A value that its field cannot take. Points of the experiment's own space have none.
    pub fn apply(&self, values: &Map, places: &Places) -> Result<Applied, Problem> {
        apply(self.stages.clone(), values, places)
    }
}

/// The stages that somebody wrote down.
///
/// # Errors
/// Each problem with its place in the document.
pub fn stages(drafts: Vec<StageDraft>) -> Result<Vec<Stage>, Vec<Problem>> {
    let mut problems = Vec::new();
    let stages = stages::check(drafts, &mut problems);
    if problems.is_empty() { Ok(stages) } else { Err(problems) }
}

/// Puts the values of a point into their places in stages.
///
/// # Errors
/// A value that its field cannot take.
pub fn apply(mut stages: Vec<Stage>, values: &Map, places: &Places) -> Result<Applied, Problem> {
    let mut free = places.defaults.clone();
    for (name, value) in values {
        let Some(target) = places.targets.get(name) else {
            free.insert(name.clone(), value.clone());
            continue;
        };
        if let Some(stage) = stages.iter_mut().find(|stage| stage.name == target.stage) {
            stage.set(&target.field, value).map_err(|detail| {
                Problem::new(format!("/values/{}", segment(name)), "wrong_value", detail)
            })?;
        }
    }
    let mut params = values.clone();
    params.extend(places.defaults.clone());
    Ok(Applied { stages, params, free })
}

#[cfg(test)]
mod large_tests;
#[cfg(test)]
mod tests;
