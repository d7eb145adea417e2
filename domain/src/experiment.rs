//! What is tried, on what, how it is judged, and what may vary.

mod check;
mod demands;
mod draft;
mod fit;
pub mod limits;
mod reserved;
mod scoring;
mod stages;
mod status;
mod templates;

pub use draft::{ChunkDraft, DimensionDraft, Draft, LlmDraft, RetrieveDraft, StageDraft, StageKindDraft};
pub use scoring::check_names;
pub use status::ExperimentStatus;

use std::collections::BTreeMap;

use crate::problem::{Problem, segment};
use crate::scoring::ScoringEntry;
use crate::space::{Space, Target};
use crate::stage::Stage;
use crate::value::{Map, Value};

/// An experiment that makes sense, without its samples.
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

    /// What scores can be called, with their weights, in the order that they are stored in: the scoring entries, then the
    /// checks of samples that bear no entry's name, which count as each sample says.
    #[must_use]
    pub fn scorers(&self) -> Vec<(String, f64)> {
        let is_entry = |name: &&String| self.scoring.iter().any(|entry| entry.name == **name);
        let entries = self.scoring.iter().map(|entry| (entry.name.clone(), entry.weight));
        let checks = self.check_names.iter().filter(|name| !is_entry(name));
        entries.chain(checks.map(|name| (name.clone(), 0.0))).collect()
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
