//! Scores that change after a run has ended: ratings, scores made outside, and scoring all runs again.

use std::sync::Arc;

use domain::access::Writer;
use domain::call::thinking_apart;
use domain::id::{ExperimentId, RunId};
use domain::scoring::rating::{HUMAN_RATING, Rating, RatingValue};
use domain::scoring::{AskedModel, Scorer, ScoringDraft, ScoringEntry};
use domain::time::Timestamp;

use crate::engine::{Engine, RatingRefusal};
use crate::page::Page;
use crate::ports::{
    Bell, EnginePorts, ExperimentStore, FactStore, RescoringStore, ResultRow, RunStore, RunSummary,
    StoreError, UnratedOutput,
};
use crate::refusal::{Refusal, Resource};

/// The ports that the use cases need.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    pub bell: Arc<dyn Bell>,
    pub experiments: Arc<dyn ExperimentStore>,
    pub facts: Arc<dyn FactStore>,
    pub rescorings: Arc<dyn RescoringStore>,
    pub runs: Arc<dyn RunStore>,
}

impl Ports {
    /// Those that an engine has too.
    #[must_use]
    pub fn of_engine(ports: &EnginePorts) -> Self {
        Self {
            bell: Arc::clone(&ports.bell),
            experiments: Arc::clone(&ports.experiments),
            facts: Arc::clone(&ports.facts),
            rescorings: Arc::clone(&ports.rescorings),
            runs: Arc::clone(&ports.runs),
        }
    }
}

/// The use cases of scores.
pub struct Scores {
    ports: Ports,
    engine: Arc<Engine>,
}

/// A rating as it is asked for.
#[derive(Debug, Clone)]
pub struct RatingRequest {
    /// The sample; `None` for all samples of the run.
    pub sample: Option<u32>,
    /// What is said.
    pub value: RatingValue,
    /// A comment on it.
    pub comment: Option<String>,
}

/// What scoring the runs of an experiment again takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RescoringCost {
    /// Runs.
    pub runs: u64,
    /// Calls of judges and embedding models that the change asks for, at most.
    pub judge_calls: u64,
    /// Requests to services that score.
    pub http_calls: u64,
}

/// An output that waits for a rating.
#[derive(Debug, Clone)]
pub struct ReviewItem {
    /// Its run.
    pub run: RunId,
    /// Its sample.
    pub sample: u32,
    /// The text of the last stage.
    pub output: String,
}

impl Scores {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(ports: Ports, engine: Arc<Engine>) -> Self {
        Self { ports, engine }
    }

    /// Rates a run that has ended, or one of its samples; the run with its new scores.
    ///
    /// # Errors
    /// Where there is no such run or sample, or the run has no outputs to rate.
    pub async fn rate(&self, by: &Writer, run: RunId, request: RatingRequest) -> Result<RunSummary, Refusal> {
        let gone = || Refusal::NotFound(Resource::Run);
        let known = self.ports.runs.run(run).await?.ok_or_else(gone)?;
        let RatingRequest { sample, value, comment } = request;
        self.check_name(&known, &value).await?;
        // The store's clock says when.
        let at = Timestamp::from_micros(i64::MAX);
        let rating = Rating { sample, by: by.name().to_owned(), value, comment, at };
        match self.engine.rate(by, run, rating).await {
            Ok(()) => self.ports.runs.run(run).await?.ok_or_else(gone),
            Err(RatingRefusal::Store(error)) => Err(error.into()),
            Err(RatingRefusal::NoSample) => {
                let detail = "this run has no such sample, or has not come to it";
                Err(Refusal::invalid("/sample_index", "unknown_sample", detail))
            }
            Err(RatingRefusal::NotRatable) => {
                let detail =
                    format!("the run is {}: rate it once it has ended with outputs", known.state.status());
                Err(Refusal::conflict("not_ratable", detail))
            }
            Err(RatingRefusal::Busy) => {
                Err(Refusal::conflict("conflict", "others keep rating this run: try again"))
            }
        }
    }

    /// A score from outside bears a name that no scorer of another kind has.
    async fn check_name(&self, run: &RunSummary, value: &RatingValue) -> Result<(), Refusal> {
        let RatingValue::Posted { scorer, .. } = value else { return Ok(()) };
        let stored = self.ports.experiments.experiment(run.experiment).await?;
        let stored = stored.ok_or(Refusal::NotFound(Resource::Experiment))?;
        let taken = stored.definition.scoring().iter().find(|entry| entry.name == *scorer);
        let is_other = |entry: &&ScoringEntry| *entry.scorer.outline() != Scorer::External;
        if scorer == HUMAN_RATING || taken.as_ref().is_some_and(is_other) {
            let detail = format!(
                "`{scorer}` is scored by the experiment itself: give the entry `{{scorer: external, name: {scorer}}}`, or \
                 another name"
            );
            return Err(Refusal::invalid("/scorer_name", "not_external", detail));
        }
        Ok(())
    }

    /// Asks for the runs of an experiment to be scored again with the scorers that it has.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn rescore(&self, by: &Writer, experiment: ExperimentId) -> Result<(), Refusal> {
        self.ports.rescorings.ask_rescoring(experiment, by.name()).await?;
        self.ports.bell.ring();
        Ok(())
    }

    /// What scoring the runs of an experiment again with these entries takes: entries that ask models as before find their
    /// answers in the cache.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn cost(
        &self,
        experiment: ExperimentId,
        before: &[ScoringDraft],
        after: &[ScoringDraft],
    ) -> Result<RescoringCost, Refusal> {
        let stored = self.ports.experiments.experiment(experiment).await?;
        let stored = stored.ok_or(Refusal::NotFound(Resource::Experiment))?;
        let mut cost = RescoringCost::default();
        let (mut last, mut outputs) = (None, 0);
        loop {
            let runs = self.ports.runs.list(experiment, last, RUNS_AT_ONCE).await?;
            let Some(newest) = runs.last() else { break };
            last = Some(newest.id);
            for run in runs.iter().filter(|run| run.state.status().is_ranked()) {
                cost.runs += 1;
                let samples = u64::from(run.done.saturating_sub(run.failed));
                outputs += samples * u64::from(stored.definition.repeats());
            }
        }
        for draft in after {
            let Ok(entry) = ScoringEntry::try_new(draft, stored.definition.stages()) else { continue };
            let is_new = !before.iter().any(|known| asks_alike(known, draft));
            match (entry.scorer.outline().asked_model(), entry.scorer.outline()) {
                (Some(AskedModel::Judge(_) | AskedModel::Embedding(_)), _) if is_new => {
                    cost.judge_calls += outputs;
                }
                (_, Scorer::Service(_)) => cost.http_calls += outputs,
                _ => {}
            }
        }
        Ok(cost)
    }

    /// Outputs of the runs on an experiment's leaderboard that no person has rated.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn review(
        &self,
        experiment: ExperimentId,
        after: Option<(RunId, u32)>,
        limit: usize,
    ) -> Result<Page<ReviewItem>, Refusal> {
        let facts = self.ports.facts.facts(experiment).await?;
        let facts = facts.ok_or(Refusal::NotFound(Resource::Experiment))?;
        let last_stage = u32::try_from(facts.outline.stages.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let found = self.ports.rescorings.unrated(experiment, last_stage, after, limit + 1).await?;
        let page = Page::of(found, limit);
        let mut items = Vec::with_capacity(page.items.len());
        for UnratedOutput { run, sample } in page.items {
            let output = self.output(run, sample, last_stage).await?;
            items.push(ReviewItem { run, sample, output });
        }
        Ok(Page { items, more: page.more })
    }

    /// The text of a sample's last stage.
    async fn output(&self, run: RunId, sample: u32, stage: u32) -> Result<String, StoreError> {
        let after = stage.checked_sub(1).map_or((sample, 0, u32::MAX), |before| (sample, 1, before));
        let row = self.ports.runs.results(run, Some(after), 1).await?.pop();
        let text = row.and_then(|ResultRow { reply, .. }| {
            reply?.completion().map(|completion| thinking_apart(&completion.text).1.to_owned())
        });
        Ok(text.unwrap_or_default())
    }
}

/// Runs that are counted at once.
const RUNS_AT_ONCE: usize = 500;

/// Whether two entries ask a model the same.
fn asks_alike(one: &ScoringDraft, other: &ScoringDraft) -> bool {
    one.scorer == other.scorer
        && one.options == other.options
        && one.extract == other.extract
        && one.stage == other.stage
}
