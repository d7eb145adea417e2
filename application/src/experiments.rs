//! Makes and finds experiments.

use std::sync::Arc;

use domain::call::Digest;
use domain::experiment::{Definition, Draft};
use domain::id::{ExperimentId, ProjectId, SampleSetId};
use domain::problem::Problem;
use domain::sample;
use thiserror::Error;

use crate::digest::sha256;
use crate::ports::{ExperimentStore, Ids, NewExperiment, StoreError};
use crate::scoring::Evaluator;

/// Why an experiment was not made.
#[derive(Debug, Error)]
pub enum ExperimentError {
    /// The document does not make sense.
    #[error("the experiment has {} problem(s)", .0.len())]
    Problems(Vec<Problem>),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The use cases of experiments.
pub struct Experiments {
    experiments: Arc<dyn ExperimentStore>,
    ids: Arc<dyn Ids>,
}

impl Experiments {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(experiments: Arc<dyn ExperimentStore>, ids: Arc<dyn Ids>) -> Self {
        Self { experiments, ids }
    }

    /// The project with this name; a new one where there is none.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn project(&self, name: &str) -> Result<ProjectId, StoreError> {
        self.experiments.project(name, ProjectId::new(self.ids.next())).await
    }

    /// The experiment that a document stands for: the one that was made of it before, or a new one.
    ///
    /// # Errors
    /// Everything that is wrong with the document; nothing is stored then.
    pub async fn of_document(
        &self,
        project: ProjectId,
        document: Digest,
        draft: Draft,
    ) -> Result<ExperimentId, ExperimentError> {
        if let Some(known) = self.experiments.by_document(project, document).await? {
            return Ok(known);
        }
        self.create(project, Some(document), draft).await
    }

    /// Makes an experiment.
    ///
    /// # Errors
    /// Everything that is wrong with the draft; nothing is stored then.
    pub async fn create(
        &self,
        project: ProjectId,
        document_digest: Option<Digest>,
        mut draft: Draft,
    ) -> Result<ExperimentId, ExperimentError> {
        check(&draft).map_err(ExperimentError::Problems)?;
        let samples = std::mem::take(&mut draft.samples);
        let id = ExperimentId::new(self.ids.next());
        let samples_digest = sha256(&sample::canonical(&samples));
        let sample_set = SampleSetId::new(self.ids.next());
        let new = NewExperiment { id, project, draft, samples, sample_set, samples_digest, document_digest };
        self.experiments.insert(new).await?;
        Ok(id)
    }
}

/// Finds everything that is wrong with a draft; what it defines, where nothing is.
///
/// # Errors
/// Each problem with its place in the document.
pub fn check(draft: &Draft) -> Result<Definition, Vec<Problem>> {
    let definition = draft.check()?;
    let problems = Evaluator::check(&definition);
    if problems.is_empty() { Ok(definition) } else { Err(problems) }
}
