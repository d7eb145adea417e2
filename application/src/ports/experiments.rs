use std::sync::Arc;

use async_trait::async_trait;
use domain::call::Digest;
use domain::experiment::{Definition, Draft};
use domain::id::{ExperimentId, ProjectId, SampleSetId};
use domain::sample::Sample;

use super::StoreError;

/// An experiment to be stored.
#[derive(Debug, Clone)]
pub struct NewExperiment {
    /// Its id.
    pub id: ExperimentId,
    /// Its project.
    pub project: ProjectId,
    /// What it is, as it was written down and found to make sense; its samples apart.
    pub draft: Draft,
    /// Its samples; a set with the same digest is shared.
    pub samples: Vec<Sample>,
    /// The id of the sample set, where it is new.
    pub sample_set: SampleSetId,
    /// The SHA-256 of the samples' canonical text.
    pub samples_digest: Digest,
    /// The SHA-256 of the document it came from: the same file is the same experiment.
    pub document_digest: Option<Digest>,
}

/// An experiment as it is stored.
#[derive(Debug, Clone)]
pub struct StoredExperiment {
    /// Its id.
    pub id: ExperimentId,
    /// Its project.
    pub project: ProjectId,
    /// What it is.
    pub definition: Arc<Definition>,
    /// Its samples' set.
    pub sample_set: SampleSetId,
    /// What the order of samples hangs on.
    pub samples_digest: Digest,
    /// How many samples there are.
    pub samples: u32,
}

/// Keeps projects, experiments and their samples.
#[async_trait]
pub trait ExperimentStore: Send + Sync {
    /// The project with this name, made with the given id where there is none.
    async fn project(&self, name: &str, id: ProjectId) -> Result<ProjectId, StoreError>;

    /// Stores an experiment with its samples, whole or not at all.
    async fn insert(&self, experiment: NewExperiment) -> Result<(), StoreError>;

    /// An experiment.
    async fn experiment(&self, id: ExperimentId) -> Result<Option<StoredExperiment>, StoreError>;

    /// The experiment that was made from the document with this digest.
    async fn by_document(
        &self,
        project: ProjectId,
        digest: Digest,
    ) -> Result<Option<ExperimentId>, StoreError>;

    /// Experiments with this name in any project, newest first.
    async fn by_name(&self, name: &str) -> Result<Vec<ExperimentId>, StoreError>;

    /// The samples of a set at these indices, in that order.
    async fn samples(&self, set: SampleSetId, indices: &[u32]) -> Result<Vec<Sample>, StoreError>;
}
