//! Experiments in memory: what every run of one needs.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::experiment::Definition;
use domain::id::{ExperimentId, SampleSetId};
use domain::pipeline::Pipeline;
use domain::run::tally::{Ending, Layout, Tally};
use domain::run::{ErrorKind, RunEnd, RunError};

use super::sample_cache::SampleCache;
use crate::catalog;
use crate::ports::{ExperimentForm, Offload, RunConfig, ScoreRow, StoredExperiment};
use crate::scoring::{self, Evaluator, Evidence, RepeatScores, ScorerAnswers, ScorerResult};

/// An experiment with its templates parsed and its scorers compiled.
pub(super) struct LoadedExperiment {
    experiment: StoredExperiment,
    order: Vec<u32>,
    evaluator: Evaluator,
    offload: Arc<dyn Offload>,
    samples: SampleCache,
}

/// Experiments kept in memory, each in the form that it was loaded in.
#[derive(Default)]
pub(super) struct LoadedExperiments(Mutex<HashMap<(ExperimentId, ExperimentForm), Arc<LoadedExperiment>>>);

impl LoadedExperiments {
    const MOST: usize = 32;

    /// The experiment of this form, if it is in memory.
    pub(super) fn get(
        &self,
        experiment: ExperimentId,
        form: ExperimentForm,
    ) -> Option<Arc<LoadedExperiment>> {
        self.all().get(&(experiment, form)).cloned()
    }

    /// Keeps an experiment in memory and returns it.
    pub(super) fn keep(&self, loaded: LoadedExperiment) -> Arc<LoadedExperiment> {
        let loaded = Arc::new(loaded);
        let mut all = self.all();
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert((loaded.experiment.id, loaded.experiment.form()), Arc::clone(&loaded));
        loaded
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(ExperimentId, ExperimentForm), Arc<LoadedExperiment>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The scores of one repeat of a sample, as they are stored.
pub(super) struct SampleJudgement {
    pub(super) rows: Vec<ScoreRow>,
    pub(super) score: Option<f64>,
}

impl LoadedExperiment {
    pub(super) fn new(experiment: StoredExperiment, ports: scoring::Ports) -> Self {
        let order = experiment.order();
        let offload = Arc::clone(&ports.offload);
        let evaluator = Evaluator::new(Arc::clone(&experiment.definition), ports);
        Self { experiment, order, evaluator, offload, samples: SampleCache::default() }
    }

    pub(super) const fn definition(&self) -> &Arc<Definition> {
        &self.experiment.definition
    }

    pub(super) const fn sample_set(&self) -> SampleSetId {
        self.experiment.sample_set
    }

    /// How many samples a whole run has.
    pub(super) const fn whole_run(&self) -> u32 {
        self.experiment.samples
    }

    /// The form that it has been loaded in.
    pub(super) const fn form(&self) -> ExperimentForm {
        self.experiment.form()
    }

    /// The scorers with their weights, by number.
    pub(super) fn weights(&self) -> &[(String, f64)] {
        self.evaluator.scorers()
    }

    /// The scorers whose values come from people or other programs under this name, by number; checks of samples may be
    /// such scorers too.
    pub(super) fn rated_scorers(&self, name: &str) -> Vec<u32> {
        self.evaluator.rated(name)
    }

    /// The samples that are kept in memory.
    pub(super) const fn samples(&self) -> &SampleCache {
        &self.samples
    }

    /// The port for long computations.
    pub(super) fn offload(&self) -> &dyn Offload {
        &*self.offload
    }

    /// Places in the order in which runs take the samples; `None` where there are fewer samples.
    pub(super) fn order(&self, places: Range<u32>) -> Option<&[u32]> {
        self.order.get(places.start as usize..places.end as usize)
    }

    /// The names of the scoring entries.
    pub(super) fn scorers(&self) -> &[String] {
        self.evaluator.names()
    }

    pub(super) fn stage_names(&self) -> Vec<&str> {
        self.definition().stages().iter().map(|stage| stage.name.as_str()).collect()
    }

    /// The end of a run with this tally.
    pub(super) fn end(&self, tally: Tally, ending: Ending) -> RunEnd {
        let (scorers, repeats) = (self.scorers(), self.definition().repeats());
        tally.end(Layout { scorers, stages: &self.stage_names(), repeats }, ending)
    }

    /// A run's pipeline, or why it has none.
    pub(super) fn pipeline(&self, config: &RunConfig) -> Result<Pipeline, RunError> {
        let error = |kind, message, stage| RunError { kind, message, stage, sample: None };
        let configuration = catalog::restore(self.definition(), config)
            .map_err(|problem| error(ErrorKind::Configuration, problem.to_string(), None))?;
        Pipeline::try_new(&configuration).map_err(|(stage, wrong)| {
            let stage = self.stage_names().get(stage).map(|name| (*name).to_owned());
            error(wrong.kind, wrong.message, stage)
        })
    }

    /// Whether scorers may ask models: checks of samples are known only once the samples are read.
    pub(super) fn may_ask_models(&self) -> bool {
        self.evaluator.asks() || self.scorers().len() > self.definition().scoring().len()
    }

    /// Scores the outputs of one repeat of a sample. Long computations go through the offload port.
    pub(super) async fn judge<A: ScorerAnswers>(
        &self,
        evidence: Evidence<'_>,
        answers: &A,
    ) -> Result<SampleJudgement, A::Stop> {
        let RepeatScores { entries, score } = self.evaluator.judge(evidence, answers).await?;
        Ok(SampleJudgement { rows: rows(evidence.place, entries), score })
    }

    /// The same by some of the scorers only, where `only` says which; without the weighted mean.
    pub(super) async fn judge_by<A: ScorerAnswers>(
        &self,
        only: Option<&[u32]>,
        evidence: Evidence<'_>,
        answers: &A,
    ) -> Result<Vec<ScoreRow>, A::Stop> {
        let Some(only) = only else { return Ok(self.judge(evidence, answers).await?.rows) };
        Ok(rows(evidence.place, self.evaluator.judge_by(only, evidence, answers).await?))
    }
}

fn rows((sample, repeat): (u32, u32), results: Vec<ScorerResult>) -> Vec<ScoreRow> {
    let row = |result: ScorerResult| ScoreRow {
        sample,
        repeat,
        scorer: result.scorer,
        judgement: result.judgement,
    };
    results.into_iter().map(row).collect()
}
