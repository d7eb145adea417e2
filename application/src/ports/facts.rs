use std::sync::Arc;

use async_trait::async_trait;
use domain::experiment::Definition;
use domain::id::{ExperimentId, ProjectId, SampleSetId, SweepId};
use domain::space::Size;
use domain::stage::Stage;

use super::StoreError;

/// The revisions of an experiment. Whatever was loaded under other revisions is out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExperimentForm {
    /// Rises with each change of its document.
    pub revision: i64,
    /// Rises with each change of how outputs are scored.
    pub scoring_rev: i64,
}

/// The names in an experiment's document, and the size of its space.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outline {
    /// The stages, in order.
    pub stages: Vec<String>,
    /// What scores are called, with their weights, in the order of [`Definition::scorers`].
    pub scorers: Vec<(String, f64)>,
    /// The dimensions of the space, by name.
    pub dimensions: Vec<String>,
    /// The number of points of the space; `None` if it is infinite.
    pub points: Option<u64>,
}

impl Outline {
    /// The outline of a document.
    #[must_use]
    pub fn of(definition: &Definition) -> Self {
        let space = definition.space();
        let points = match space.size() {
            Size::Points(points) => u64::try_from(points).ok(),
            Size::Continuous { .. } | Size::TooMany => None,
        };
        Self {
            stages: definition.stages().iter().map(|stage| stage.name.as_str().to_owned()).collect(),
            scorers: definition.scorers(),
            dimensions: space.dimensions().map(|dimension| dimension.name.as_str().to_owned()).collect(),
            points,
        }
    }
}

/// What is known of an experiment without its document.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentFacts {
    /// Its id.
    pub id: ExperimentId,
    /// Its project.
    pub project: ProjectId,
    /// Its samples' set.
    pub sample_set: SampleSetId,
    /// How many samples runs are scored on.
    pub samples: u32,
    /// How often each sample is asked.
    pub repeats: u32,
    /// The form it has.
    pub form: ExperimentForm,
    /// Its names. Of an experiment all dimensions that its runs have values for, too.
    pub outline: Arc<Outline>,
}

/// Reads facts of experiments without their documents, which may be large.
#[async_trait]
pub trait FactStore: Send + Sync {
    /// What is known of an experiment.
    async fn facts(&self, id: ExperimentId) -> Result<Option<ExperimentFacts>, StoreError>;

    /// An experiment's stages, as its document says them.
    async fn stages(&self, id: ExperimentId) -> Result<Option<Vec<Stage>>, StoreError>;

    /// What is known of the experiment of a sweep, with the space that the sweep goes through.
    async fn facts_of_sweep(&self, id: SweepId) -> Result<Option<ExperimentFacts>, StoreError>;
}
