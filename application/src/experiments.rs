//! Makes, finds, changes and deletes experiments.

use std::sync::Arc;

use domain::access::Writer;
use domain::call::Digest;
use domain::experiment::{Definition, Draft, check_names};
use domain::id::{ExperimentId, ProjectId, SampleSetId};
use domain::problem::Problem;
use domain::sample::{self, Sample};
use thiserror::Error;

use crate::digest::sha256;
use crate::model_defaults::ModelDefaults;
use crate::page::Page;
use crate::ports::{
    ChangeOutcome, ChangeableWhen, Deletion, ExperimentChange, ExperimentFilter, ExperimentOverview,
    ExperimentStore, ExperimentSummary, Ids, NewExperiment, NewProject, NewSamples, Offload, ProjectStore,
    SettingStore, StoreError, offloaded,
};
use crate::refusal::{Refusal, Resource};
use crate::scoring::Evaluator;

/// How often a replacement is tried while others change the same experiment.
const REPLACE_TRIES: u32 = 20;

/// Samples that stand in an experiment's detail.
const SHOWN: usize = 20;

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
    store: Arc<dyn ExperimentStore>,
    projects: Arc<dyn ProjectStore>,
    settings: Arc<dyn SettingStore>,
    ids: Arc<dyn Ids>,
    offload: Arc<dyn Offload>,
}

impl Experiments {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(
        experiments: Arc<dyn ExperimentStore>,
        projects: Arc<dyn ProjectStore>,
        settings: Arc<dyn SettingStore>,
        ids: Arc<dyn Ids>,
        offload: Arc<dyn Offload>,
    ) -> Self {
        Self { store: experiments, projects, settings, ids, offload }
    }

    /// The oldest project with this name; a new one where there is none.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn project(&self, _by: &Writer, name: &str) -> Result<ProjectId, StoreError> {
        let id = ProjectId::new(self.ids.next());
        let new = NewProject { id, name: name.to_owned(), description: None, owner: None };
        self.projects.project_named(new).await
    }

    /// The experiment that a document stands for: the one that was made of it before, or a new one.
    ///
    /// # Errors
    /// Everything that is wrong with the document; nothing is stored then.
    pub async fn of_document(
        &self,
        by: &Writer,
        project: ProjectId,
        document: Digest,
        draft: Draft,
    ) -> Result<ExperimentId, ExperimentError> {
        if let Some(known) = self.store.by_document(project, document).await? {
            return Ok(known);
        }
        self.create(by, project, Some(document), draft).await
    }

    /// Makes an experiment.
    ///
    /// # Errors
    /// Everything that is wrong with the draft; nothing is stored then.
    pub async fn create(
        &self,
        _by: &Writer,
        project: ProjectId,
        document_digest: Option<Digest>,
        draft: Draft,
    ) -> Result<ExperimentId, ExperimentError> {
        let checked = self.checked(draft).await?.map_err(ExperimentError::Problems)?;
        let ValidDraft { mut draft, samples_digest, .. } = checked;
        let samples = self.new_samples(std::mem::take(&mut draft.samples), samples_digest);
        let id = ExperimentId::new(self.ids.next());
        self.store.insert(NewExperiment { id, project, draft, samples, document_digest }).await?;
        Ok(id)
    }

    /// Makes an experiment in a project that has to be there.
    ///
    /// # Errors
    /// Everything that is wrong with the draft, the project included; nothing is stored then.
    pub async fn create_in(
        &self,
        by: &Writer,
        project: ProjectId,
        draft: Draft,
    ) -> Result<ExperimentOverview, Refusal> {
        if self.projects.stored_project(project).await?.is_none() {
            let detail = format!("unknown project {project}: create one first");
            return Err(Refusal::invalid("/project_id", "unknown_project", detail));
        }
        let id = self.create(by, project, None, draft).await?;
        self.overview(id).await
    }

    /// Replaces an experiment's document; without samples it keeps those it has. Once it has been tried only its names, its
    /// scoring and its space change, so that its runs still belong to what it says: with another scoring they are scored
    /// again, and the space changes only between sweeps.
    ///
    /// # Errors
    /// Where there is no such experiment, the draft does not make sense, or it changes what has to stay.
    pub async fn replace(
        &self,
        by: &Writer,
        id: ExperimentId,
        draft: Draft,
        with_samples: bool,
    ) -> Result<ExperimentOverview, Refusal> {
        for _ in 0..REPLACE_TRIES {
            let known =
                self.store.overview(id, usize::MAX).await?.ok_or(Refusal::NotFound(Resource::Experiment))?;
            let mut whole = draft.clone().in_place_of(&known.draft);
            if !with_samples {
                whole.samples.clone_from(&known.draft.samples);
            }
            let checked = self.checked(whole).await?.map_err(Refusal::Invalid)?;
            let ValidDraft { draft: mut whole, samples_digest, .. } = checked;
            let only = changeable_when(&known.draft, &whole);
            let rescored_by = (known.draft.scoring != whole.scoring).then(|| by.name().to_owned());
            let samples = std::mem::take(&mut whole.samples);
            let samples = (samples != known.draft.samples).then(|| self.new_samples(samples, samples_digest));
            let revision = known.revision;
            let change = ExperimentChange { id, draft: whole, samples, only, rescored_by, revision };
            match self.store.change(change).await? {
                ChangeOutcome::Changed => return self.overview(id).await,
                ChangeOutcome::Refused => return Err(unchangeable(only)),
                ChangeOutcome::Stale => {}
            }
        }
        Err(Refusal::conflict(
            "conflict",
            "others keep changing this experiment: load it again, then try again",
        ))
    }

    /// Deletes an experiment with its runs. Answers stay in the cache.
    ///
    /// # Errors
    /// Where there is none, or a sweep of it is active.
    pub async fn delete(&self, _by: &Writer, id: ExperimentId) -> Result<(), Refusal> {
        match self.store.delete_experiment(id).await? {
            Deletion::Deleted => Ok(()),
            Deletion::Missing => Err(Refusal::NotFound(Resource::Experiment)),
            Deletion::InUse => {
                Err(Refusal::conflict("sweep_active", "its sweep is running or paused: stop it first"))
            }
        }
    }

    /// A page of experiments, newest first.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn list(
        &self,
        filter: ExperimentFilter,
        limit: usize,
    ) -> Result<Page<ExperimentSummary>, Refusal> {
        Ok(Page::of(self.store.summaries(filter, limit + 1).await?, limit))
    }

    /// An experiment with its document and its first samples.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn overview(&self, id: ExperimentId) -> Result<ExperimentOverview, Refusal> {
        self.store.overview(id, SHOWN).await?.ok_or(Refusal::NotFound(Resource::Experiment))
    }

    async fn checked(&self, draft: Draft) -> Result<Result<ValidDraft, Vec<Problem>>, StoreError> {
        let defaults = ModelDefaults::load(&*self.settings).await?;
        Ok(ValidDraft::of(draft, &defaults, &*self.offload).await)
    }

    fn new_samples(&self, samples: Vec<Sample>, digest: Digest) -> NewSamples {
        NewSamples { samples, set: SampleSetId::new(self.ids.next()), digest }
    }
}

/// Why an experiment does not change now.
fn unchangeable(only: ChangeableWhen) -> Refusal {
    match only {
        ChangeableWhen::Always => Refusal::NotFound(Resource::Experiment),
        ChangeableWhen::Idle => Refusal::conflict(
            "sweep_active",
            "a sweep is going through this parameter space: stop it or let it end, then change the space",
        ),
        ChangeableWhen::Untried => Refusal::conflict(
            "experiment_has_runs",
            "this experiment has been tried: only its name, description, scoring and parameter space can change, so make a \
             new experiment",
        ),
    }
}

/// When an experiment may change from one document to another; how outputs are scored may change at any time.
fn changeable_when(from: &Draft, to: &Draft) -> ChangeableWhen {
    let (from, to) = (from.without_names(), to.without_names());
    let from = Draft { scoring: to.scoring.clone(), ..from };
    if from == to {
        ChangeableWhen::Always
    } else if (Draft { space: to.space.clone(), ..from }) == to {
        ChangeableWhen::Idle
    } else {
        ChangeableWhen::Untried
    }
}

/// A draft that passed every check.
pub(crate) struct ValidDraft {
    pub(crate) draft: Draft,
    pub(crate) definition: Definition,
    samples_digest: Digest,
}

impl ValidDraft {
    /// Checks a draft elsewhere: a large one takes seconds. Each stage needs a model, its own or the default one.
    pub(crate) async fn of(
        draft: Draft,
        defaults: &ModelDefaults,
        offload: &dyn Offload,
    ) -> Result<Self, Vec<Problem>> {
        let defaults = defaults.clone();
        let checked = offloaded(offload, move || {
            let definition = check(&draft)?;
            let unnamed = defaults.unnamed_models(&definition);
            if !unnamed.is_empty() {
                return Err(unnamed);
            }
            let draft = Draft { check_names: check_names(&draft.samples), ..draft };
            let samples_digest = sha256(&sample::canonical(&draft.samples));
            Ok(Self { draft, definition, samples_digest })
        });
        let broke_down = || Err(vec![Problem::new("", "check_failed", "checking this document broke down")]);
        checked.await.unwrap_or_else(broke_down)
    }
}

/// Finds everything that is wrong with a draft; what it defines, where nothing is.
///
/// # Errors
/// Each problem with its place in the document.
pub fn check(draft: &Draft) -> Result<Definition, Vec<Problem>> {
    let definition = draft.check()?;
    let problems = Evaluator::check(&definition, &draft.samples);
    if problems.is_empty() { Ok(definition) } else { Err(problems) }
}

impl From<ExperimentError> for Refusal {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::Problems(problems) => Self::Invalid(problems),
            ExperimentError::Store(error) => Self::Store(error),
        }
    }
}
