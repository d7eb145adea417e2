//! Experiments: a pipeline, samples, scoring, and a parameter space.

mod check;
mod demands;
mod draft;
mod fit;
mod http;
pub mod limits;
mod reserved;
mod scoring;
mod stages;
mod status;
mod templates;

pub use draft::{
    ChunkDraft, DimensionDraft, Draft, HttpDraft, LlmDraft, RetrieveDraft, StageDraft, StageKindDraft,
};
pub use scoring::check_names;
pub use status::ExperimentStatus;

use std::collections::BTreeMap;

use crate::problem::{Problem, segment};
use crate::scoring::ScoringEntry;
use crate::space::{Space, Target};
use crate::stage::Stage;
use crate::value::{Map, Value};

/// A valid experiment, without its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    name: String,
    description: Option<String>,
    documents: Value,
    stages: Vec<Stage>,
    scoring: Vec<ScoringEntry>,
    check_names: Vec<String>,
    space: Space,
    repeats: u32,
}

/// The fields that the values of a point are assigned to. A run stores its own copy, so that later changes of the
/// space do not affect it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// The field for each value. Values without one are visible to templates only.
    pub targets: BTreeMap<String, Target>,
    /// What templates see of inactive dimensions without a target.
    pub defaults: Map,
}

/// Stages with a point's values in their fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The stages.
    pub stages: Vec<Stage>,
    /// The `params` of templates.
    pub params: Map,
    /// Those `params` that are dimensions without a target.
    pub free: Map,
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

    /// The `documents` of templates.
    #[must_use]
    pub const fn documents(&self) -> &Value {
        &self.documents
    }

    /// The pipeline.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The scoring entries.
    #[must_use]
    pub fn scoring(&self) -> &[ScoringEntry] {
        &self.scoring
    }

    /// The names of all scores, with their weights, in the order in which they are stored: first the scoring entries,
    /// then the samples' own checks whose names no entry has. The weights of those are given by the samples.
    #[must_use]
    pub fn scorers(&self) -> Vec<(String, f64)> {
        let is_entry = |name: &&String| self.scoring.iter().any(|entry| entry.name == **name);
        let entries = self.scoring.iter().map(|entry| (entry.name.clone(), entry.weight));
        let checks = self.check_names.iter().filter(|name| !is_entry(name));
        entries.chain(checks.map(|name| (name.clone(), 0.0))).collect()
    }

    /// The parameter space.
    #[must_use]
    pub const fn space(&self) -> &Space {
        &self.space
    }

    /// Repetitions of each sample, from 1.
    #[must_use]
    pub const fn repeats(&self) -> u32 {
        self.repeats
    }

    /// The index of the stage that a scoring entry judges.
    #[must_use]
    pub fn judged_stage(&self, entry: &ScoringEntry) -> usize {
        let named = entry.stage.as_ref();
        let found = named.and_then(|name| self.stages.iter().position(|stage| stage.name == *name));
        found.unwrap_or(self.stages.len() - 1)
    }

    /// The fields that the values of a point are assigned to, according to the dimensions of the space.
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

    /// Assigns the values of a point to their fields.
    ///
    /// # Errors
    /// A field does not accept its value. This does not happen for points of the experiment's own space.
    pub fn apply(&self, values: &Map, places: &Places) -> Result<Applied, Problem> {
        apply(self.stages.clone(), values, places)
    }
}

/// Reads stages from their drafts.
///
/// # Errors
/// Each problem with its place in the document.
pub fn stages(drafts: Vec<StageDraft>) -> Result<Vec<Stage>, Vec<Problem>> {
    let mut problems = Vec::new();
    let stages = stages::check(drafts, &mut problems);
    if problems.is_empty() { Ok(stages) } else { Err(problems) }
}

/// Assigns the values of a point to fields of stages.
///
/// # Errors
/// A field does not accept its value.
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
