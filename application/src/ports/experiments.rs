use std::sync::Arc;

use async_trait::async_trait;
use domain::call::Digest;
use domain::experiment::{Definition, Draft, ExperimentStatus};
use domain::id::{ExperimentId, ProjectId, RunId, SampleSetId, SweepId};
use domain::sample::{self, Sample};
use domain::strategy::Reason;
use domain::time::Timestamp;

use super::facts::ExperimentForm;
use super::{Deletion, StoreError};

/// An experiment to be stored.
#[derive(Debug, Clone)]
pub struct NewExperiment {
    /// Its id.
    pub id: ExperimentId,
    /// Its project.
    pub project: ProjectId,
    /// What it is, as it was written down and found to make sense; its samples apart.
    pub draft: Draft,
    /// Its samples.
    pub samples: NewSamples,
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
    /// How many samples runs are scored on.
    pub samples: u32,
    /// How many more samples are held out.
    pub held_out: u32,
    /// Rises with each change of its document.
    pub revision: i64,
    /// Rises with each change of how outputs are scored.
    pub scoring_rev: i64,
}

impl StoredExperiment {
    /// The samples that runs are scored on, by their indices, in the order in which runs take them.
    #[must_use]
    pub fn order(&self) -> Vec<u32> {
        let mut order = sample::order(self.samples_digest.seed(), self.samples + self.held_out);
        order.truncate(self.samples as usize);
        order
    }

    /// The form it has.
    #[must_use]
    pub const fn form(&self) -> ExperimentForm {
        ExperimentForm { revision: self.revision, scoring_rev: self.scoring_rev }
    }
}

/// What lists show of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentSummary {
    /// Its id.
    pub id: ExperimentId,
    /// Its project.
    pub project: ProjectId,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Its status.
    pub status: ExperimentStatus,
    /// Why its newest sweep came to its own end, where it did.
    pub finish_reason: Option<Reason>,
    /// The leading run and its score.
    pub best: Option<(RunId, f64)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or its status last changed.
    pub updated_at: Timestamp,
}

/// How many runs stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each is a status of runs")]
pub struct RunCounts {
    pub pending: u64,
    pub running: u64,
    pub completed: u64,
    pub failed: u64,
    pub cached: u64,
    pub pruned: u64,
    pub cancelled: u64,
}

/// An experiment with the document it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentOverview {
    /// What lists show.
    pub summary: ExperimentSummary,
    /// The document, with no more samples than were asked for.
    pub draft: Draft,
    /// How many samples there are.
    pub samples: u32,
    /// Rises with each change of its document.
    pub revision: i64,
    /// Its runs.
    pub runs: RunCounts,
}

/// Which experiments are wanted, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExperimentFilter {
    /// Those of one project.
    pub project: Option<ProjectId>,
    /// Those that are older than this one.
    pub before: Option<ExperimentId>,
}

/// New samples of an experiment.
#[derive(Debug, Clone)]
pub struct NewSamples {
    /// The samples; a set with the same digest is shared.
    pub samples: Vec<Sample>,
    /// The id of the set, where it is new.
    pub set: SampleSetId,
    /// The SHA-256 of the samples' canonical text.
    pub digest: Digest,
}

/// What becomes of an experiment.
#[derive(Debug, Clone)]
pub struct ExperimentChange {
    /// The experiment.
    pub id: ExperimentId,
    /// What it becomes; its samples apart.
    pub draft: Draft,
    /// Its samples, where they change.
    pub samples: Option<NewSamples>,
    /// When it may change so.
    pub only: ChangeableWhen,
    /// Who changes how outputs are scored, where that changes: its runs are then scored again.
    pub rescored_by: Option<String>,
    /// The revision that the change was made from.
    pub revision: i64,
}

/// What came of changing an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// It is changed.
    Changed,
    /// It is not there, or not as it has to be for this change.
    Refused,
    /// Somebody else has changed it since the revision that the change was made from.
    Stale,
}

/// What a change of an experiment asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeableWhen {
    /// Nothing: its names may change at any time.
    Always,
    /// That none of its sweeps is running or paused.
    Idle,
    /// That it has neither sweeps nor runs yet.
    Untried,
}

/// Keeps experiments and their samples.
#[async_trait]
pub trait ExperimentStore: Send + Sync {
    /// Experiments as lists show them, newest first, at most `limit`.
    async fn summaries(
        &self,
        filter: ExperimentFilter,
        limit: usize,
    ) -> Result<Vec<ExperimentSummary>, StoreError>;

    /// An experiment with its document and at most `samples` of its samples.
    async fn overview(
        &self,
        id: ExperimentId,
        samples: usize,
    ) -> Result<Option<ExperimentOverview>, StoreError>;

    /// Changes an experiment, whole or not at all.
    async fn change(&self, change: ExperimentChange) -> Result<ChangeOutcome, StoreError>;

    /// Deletes an experiment with all it holds, unless a sweep of it is active.
    async fn delete_experiment(&self, id: ExperimentId) -> Result<Deletion, StoreError>;

    /// Stores an experiment with its samples, whole or not at all.
    async fn insert(&self, experiment: NewExperiment) -> Result<(), StoreError>;

    /// The experiment of a sweep, with the space that the sweep goes through.
    async fn of_sweep(&self, sweep: SweepId) -> Result<Option<StoredExperiment>, StoreError>;

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
