//! Lists runs, shows what one came to, and makes single ones.

mod point;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use domain::access::Writer;
use domain::id::{ExperimentId, RunId};
use domain::stage::Stage;
use domain::value::Map;

pub use self::traces::{ResultPlace, Trace};
use crate::catalog::{self, Catalog};
use crate::digest::sha256;
use crate::once::Reservation;
use crate::ports::{
    Bell, Commit, CommitError, EndpointStore, EnginePorts, ExperimentFacts, ExperimentStore, FactStore, Ids,
    Journal, Outline, RunListing, RunQuery, RunStore, RunSummary, SettingStore, SingleRun, StageBinding,
    Timer,
};
use crate::refusal::{Refusal, Resource};

/// What the use cases need from the world.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    pub bell: Arc<dyn Bell>,
    pub endpoints: Arc<dyn EndpointStore>,
    pub experiments: Arc<dyn ExperimentStore>,
    pub facts: Arc<dyn FactStore>,
    pub ids: Arc<dyn Ids>,
    pub journal: Arc<dyn Journal>,
    pub runs: Arc<dyn RunStore>,
    pub settings: Arc<dyn SettingStore>,
    pub timer: Arc<dyn Timer>,
}

impl Ports {
    /// Those that an engine has too.
    #[must_use]
    pub fn of_engine(ports: &EnginePorts) -> Self {
        Self {
            bell: Arc::clone(&ports.bell),
            endpoints: Arc::clone(&ports.endpoints),
            experiments: Arc::clone(&ports.experiments),
            facts: Arc::clone(&ports.facts),
            ids: Arc::clone(&ports.ids),
            journal: Arc::clone(&ports.journal),
            runs: Arc::clone(&ports.runs),
            settings: Arc::clone(&ports.settings),
            timer: Arc::clone(&ports.timer),
        }
    }
}

/// A run with the stages as they were configured.
#[derive(Debug, Clone)]
pub struct RunDetail {
    /// The run.
    pub run: RunSummary,
    /// Its stages.
    pub stages: Vec<StageDetail>,
    /// Results of stages so far.
    pub results: u64,
}

/// A stage as a run configured it.
#[derive(Debug, Clone)]
pub struct StageDetail {
    /// The stage, with the values of the run's point in its fields.
    pub stage: Stage,
    /// Where its calls go; `None` where it makes none.
    pub binding: Option<StageBinding>,
    /// The label of its endpoint, where that still exists.
    pub endpoint: Option<String>,
}

/// The use cases of runs.
pub struct Runs {
    ports: Ports,
}

/// How often a run is configured anew while others change its experiment.
const START_TRIES: u32 = 20;

/// How often a run that somebody waits for is looked at.
const POLL_EVERY: Duration = Duration::from_millis(50);

impl Runs {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// A page of an experiment's runs.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn list(&self, query: RunQuery) -> Result<RunListing<RunSummary>, Refusal> {
        Ok(self.ports.runs.page(query).await?)
    }

    /// A run.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn run(&self, id: RunId) -> Result<RunSummary, Refusal> {
        self.ports.runs.run(id).await?.ok_or(Refusal::NotFound(Resource::Run))
    }

    /// A run with its stages as they were configured.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn detail(&self, id: RunId) -> Result<RunDetail, Refusal> {
        let run = self.run(id).await?;
        let facts = self.facts(run.experiment).await?;
        let stages = self.applied(&run).await?;
        let all = self.ports.endpoints.all().await?;
        let label = |id| all.iter().find(|known| known.id == id).map(|known| known.label.clone());
        let bindings = run.config.stages.iter().cloned().chain(std::iter::repeat(None));
        let stages = stages.into_iter().zip(bindings).map(|(stage, binding)| {
            let endpoint = binding.as_ref().and_then(|binding| label(binding.endpoint));
            StageDetail { stage, binding, endpoint }
        });
        let stages: Vec<StageDetail> = stages.collect();
        let each = u64::from(facts.repeats) * stages.len() as u64;
        let results = u64::from(run.done) * each;
        Ok(RunDetail { run, stages, results })
    }

    /// What is known of an experiment without its document.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn facts(&self, experiment: ExperimentId) -> Result<ExperimentFacts, Refusal> {
        self.ports.facts.facts(experiment).await?.ok_or(Refusal::NotFound(Resource::Experiment))
    }

    /// The same, with the scorers by the numbers that the scores of a run go by: until it is scored again, those are the
    /// ones that it was scored with.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn facts_of_run(&self, run: &RunSummary) -> Result<ExperimentFacts, Refusal> {
        let facts = self.facts(run.experiment).await?;
        if run.scores.is_empty() {
            return Ok(facts);
        }
        let weight = |name: &str| {
            let known = facts.outline.scorers.iter().find(|(known, _)| known == name);
            known.map_or(0.0, |(_, weight)| *weight)
        };
        let scorers = run.scores.iter().map(|total| (total.name.clone(), weight(&total.name)));
        let outline = Outline { scorers: scorers.collect(), ..Outline::clone(&facts.outline) };
        Ok(ExperimentFacts { outline: Arc::new(outline), ..facts })
    }

    /// Makes a run of its own at a point, which may lie beyond the space's ranges; where a value is missing the stage's
    /// own stands.
    ///
    /// # Errors
    /// Where a name is no dimension's, a value is of the wrong type, or a stage's endpoint is not there.
    pub async fn start(
        &self,
        _by: &Writer,
        experiment: ExperimentId,
        values: Map,
        reservation: Option<&Reservation>,
    ) -> Result<RunId, Refusal> {
        for _ in 0..START_TRIES {
            let single = self.configured(experiment, values.clone()).await?;
            let id = single.id;
            // Somebody wants to know whether what was refused before is accepted now.
            for binding in single.config.stages.iter().flatten() {
                self.ports.endpoints.close_breaker(binding.endpoint).await?;
            }
            let mark = reservation.map(|reservation| reservation.mark(id.bits()));
            match self.ports.journal.commit(Commit { single: Some(single), mark, ..Commit::default() }).await
            {
                Ok(_) => {
                    self.ports.bell.ring();
                    return Ok(id);
                }
                Err(CommitError::Store(error)) => return Err(error.into()),
                // The experiment was changed meanwhile.
                Err(CommitError::Conflict | CommitError::SweepActive) => {}
            }
        }
        Err(Refusal::conflict("conflict", "others keep changing this experiment: try again"))
    }

    /// A run at a point of an experiment as it is now.
    async fn configured(&self, experiment: ExperimentId, values: Map) -> Result<SingleRun, Refusal> {
        let stored = self.ports.experiments.experiment(experiment).await?;
        let stored = stored.ok_or_else(|| {
            Refusal::invalid("/experiment_id", "unknown_experiment", "there is no such experiment")
        })?;
        point::check(&stored.definition, &values).map_err(Refusal::Invalid)?;
        let catalog = Catalog::load(&*self.ports.endpoints, &*self.ports.settings).await?;
        let configured = catalog.configure(&stored.definition, values);
        let (configuration, config) = configured.map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let id = RunId::new(self.ports.ids.next());
        let config_hash = sha256(&configuration.canonical());
        let revision = stored.revision;
        Ok(SingleRun { id, experiment, revision, config_hash, config, asked: stored.samples })
    }

    /// The run once it is over, or as it is after `patience`.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn wait(&self, id: RunId, patience: Duration) -> Result<RunSummary, Refusal> {
        let mut left = patience;
        loop {
            let run = self.run(id).await?;
            if run.state.ended_at().is_some() || left.is_zero() {
                return Ok(run);
            }
            let span = POLL_EVERY.min(left);
            self.ports.timer.sleep(span).await;
            left = left.saturating_sub(span);
        }
    }

    /// The stages of a run with its values in their fields. Runs of early releases leave it to the space where those go.
    async fn applied(&self, run: &RunSummary) -> Result<Vec<Stage>, Refusal> {
        let gone = || Refusal::NotFound(Resource::Experiment);
        let applied = if let Some(places) = &run.config.places {
            let stages = self.ports.facts.stages(run.experiment).await?.ok_or_else(gone)?;
            domain::experiment::apply(stages, &run.config.values, places)
        } else {
            let stored = self.ports.experiments.experiment(run.experiment).await?.ok_or_else(gone)?;
            catalog::applied(&stored.definition, &run.config)
        };
        Ok(applied.map_err(|problem| Refusal::Invalid(vec![problem]))?.stages)
    }
}
