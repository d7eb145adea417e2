//! Works out the new scores of one run.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use domain::pipeline::Pipeline;
use domain::run::tally::{Layout, StoredScore, rescored};
use domain::run::{Asker, Payer, RunEnd};
use domain::scoring::rating::Rating;
use domain::scoring::{sample_weights, weighted};
use futures::stream::{self, StreamExt as _};

use super::super::Engine;
use super::super::caller::Blocked;
use super::super::ending::Announcement;
use super::super::loaded::LoadedExperiment;
use super::super::sample_cache::LoadedSample;
use super::super::scorer_calls::{ScorerCalls, ScorerPayer};
use super::outputs::RecalledSample;
use super::scores::{RepetitionScores, by_place, entries, grouped, vector};
use crate::catalog::Catalog;
use crate::ports::{
    NewRating, NewScores, ReplacedScores, RescoringClaim, ScoreRow, ScoredRun, StoreError, StoredAnswer,
    StoredOutput, Usage,
};
use crate::scoring::Evidence;

/// Results that are read at once.
const PAGE: usize = 2_000;
/// Samples whose judges are asked side by side.
const SAMPLES_AT_ONCE: usize = 16;

/// What is scored, and on whose behalf.
#[derive(Clone, Copy)]
pub(super) struct ScoringScope<'a> {
    /// The rescoring that it belongs to.
    pub(super) claim: Option<&'a RescoringClaim>,
    /// Only these scorers, by their numbers.
    pub(super) only: Option<&'a [u32]>,
    /// Only this sample.
    pub(super) sample: Option<u32>,
    /// The rating that new scores follow from.
    pub(super) rating: Option<&'a NewRating>,
}

/// What a run is scored with.
struct Scoring<'a> {
    engine: &'a Arc<Engine>,
    run: &'a ScoredRun,
    scope: ScoringScope<'a>,
    loaded: &'a Arc<LoadedExperiment>,
    pipeline: &'a Arc<Pipeline>,
    catalog: &'a Catalog,
    ratings: &'a [Rating],
    /// Values of the scorers that are left alone.
    kept: HashMap<(u32, u32), Vec<StoredScore>>,
    halt: Arc<AtomicBool>,
}

impl Engine {
    /// The new scores of a run; `None` where it has no pipeline any more.
    pub(super) async fn new_scores(
        self: &Arc<Self>,
        run: ScoredRun,
        scope: ScoringScope<'_>,
    ) -> Result<Option<NewScores>, Blocked> {
        let Some(loaded) = self.load(run.experiment, run.form).await.map_err(Blocked::Store)? else {
            return Ok(None);
        };
        let pipeline = match loaded.pipeline(&run.config) {
            Ok(pipeline) => Arc::new(pipeline),
            Err(error) => {
                tracing::warn!(run = %run.id, message = error.message, "a run cannot be scored again");
                return Ok(None);
            }
        };
        let catalog = self.scorer_catalog(&loaded).await.map_err(Blocked::Store)?;
        let mut ratings = self.ports.rescorings.ratings(run.id).await.map_err(Blocked::Store)?;
        ratings.extend(scope.rating.map(|new| new.rating.clone()));
        let kept = match scope.only {
            None => Vec::new(),
            Some(_) => self.ports.rescorings.stored_scores(run.id).await.map_err(Blocked::Store)?,
        };
        let scoring = Scoring {
            engine: self,
            run: &run,
            scope,
            loaded: &loaded,
            pipeline: &pipeline,
            catalog: &catalog,
            ratings: &ratings,
            kept: by_place(kept.iter().filter(|score| scope.leaves_alone(score.scorer))),
            halt: Arc::new(AtomicBool::new(self.is_stopping())),
        };
        let repetitions = scoring.repetitions().await?;
        scoring.finish(repetitions, kept).await.map(Some)
    }
}

impl ScoringScope<'_> {
    fn leaves_alone(&self, scorer: u32) -> bool {
        self.only.is_some_and(|only| !only.contains(&scorer))
    }
}

impl Scoring<'_> {
    /// The scores of each repetition that got through all stages, by sample and repetition.
    async fn repetitions(&self) -> Result<Vec<RepetitionScores>, Blocked> {
        let mut scored = Vec::new();
        let mut after = self.scope.sample.map(|sample| (sample, 0, 0));
        let mut left: Vec<StoredOutput> = Vec::new();
        loop {
            let page = self.engine.ports.rescorings.outputs(self.run.id, after, PAGE).await;
            let page = page.map_err(Blocked::Store)?;
            after = page.last().map(|output| (output.sample, output.repeat, output.stage));
            let is_last = page.len() < PAGE || self.is_past(after);
            left.extend(page.into_iter().filter(|output| self.concerns(output.sample)));
            let mut groups = grouped(std::mem::take(&mut left));
            if !is_last {
                // The last repetition may go on with the next page.
                left = groups.pop().unwrap_or_default();
            }
            scored.extend(self.score_groups(groups).await?);
            if is_last {
                return Ok(scored);
            }
        }
    }

    fn concerns(&self, sample: u32) -> bool {
        self.scope.sample.is_none_or(|only| only == sample)
    }

    fn is_past(&self, place: Option<(u32, u32, u32)>) -> bool {
        self.scope.sample.zip(place).is_some_and(|(only, (sample, ..))| sample > only)
    }

    async fn score_groups(&self, groups: Vec<Vec<StoredOutput>>) -> Result<Vec<RepetitionScores>, Blocked> {
        let mut indices: Vec<u32> = groups.iter().map(|group| group[0].sample).collect();
        indices.dedup();
        let samples: HashMap<u32, LoadedSample> =
            self.engine.loaded_samples(self.loaded, &indices).await.map_err(Blocked::Store)?;
        let scoring = groups.iter().filter_map(|group| Some((group, samples.get(&group[0].sample)?)));
        let scoring = scoring.map(|(group, sample)| self.score_repetition(sample, group));
        let scoring: Vec<_> = scoring.collect();
        let mut scored = stream::iter(scoring).buffered(SAMPLES_AT_ONCE);
        let (mut all, mut stopped) = (Vec::new(), None);
        // Each is waited for, because its calls are paid.
        while let Some(repetition) = scored.next().await {
            match repetition {
                Ok(repetition) => all.extend(repetition),
                Err(blocked) => {
                    self.halt.store(true, std::sync::atomic::Ordering::Relaxed);
                    stopped = stopped.or(Some(blocked));
                }
            }
        }
        stopped.map_or(Ok(all), Err)
    }

    async fn score_repetition(
        &self,
        loaded: &LoadedSample,
        stored: &[StoredOutput],
    ) -> Result<Option<RepetitionScores>, Blocked> {
        let place = (stored[0].sample, stored[0].repeat);
        let recalled = self
            .engine
            .recalled((self.loaded, self.pipeline), self.run.id, loaded.value.clone(), stored)
            .await;
        let Some(RecalledSample { progress, measured }) = recalled.map_err(Blocked::Store)? else {
            return Ok(None);
        };
        let evidence = Evidence {
            pipeline: self.pipeline,
            progress: &progress,
            expected: &loaded.expected,
            place,
            measured,
            ratings: self.ratings,
        };
        let calls = ScorerCalls::new(&self.engine.caller, self.catalog, self.payer(place));
        let rows = self.loaded.judge_by(self.scope.only, evidence, &calls).await?;
        let mut values: Vec<StoredScore> = rows.iter().map(ScoreRow::stored).collect();
        values.extend(self.kept.get(&place).into_iter().flatten());
        let weights = sample_weights(self.loaded.weights(), &loaded.expected.checks);
        let score = weighted(&entries(&weights, &values));
        let usage = calls.usage(|answer, payer| self.is_paid(answer, payer));
        Ok(Some(RepetitionScores { sample: place.0, rows, values, score, usage }))
    }

    fn payer(&self, (sample, repeat): (u32, u32)) -> ScorerPayer<'_> {
        let (run, scoring) = (self.run.id, self.loaded.form().scoring_rev);
        ScorerPayer { run, sample, repeat, sweep: None, budgeted: false, scoring, halt: &self.halt }
    }

    /// Whether an answer was paid for by this scoring: by the run, for a scorer, since what it paid was counted last.
    fn is_paid(&self, answer: &StoredAnswer, payer: Payer) -> bool {
        let is_own = |paid: Payer| paid.run == payer.run && matches!(paid.asker, Asker::Scorer(_));
        answer.paid_by.is_some_and(is_own) && answer.id > self.run.counted_answer
    }

    async fn finish(
        &self,
        repetitions: Vec<RepetitionScores>,
        kept: Vec<StoredScore>,
    ) -> Result<NewScores, Blocked> {
        let (run, scope) = (self.run, self.scope);
        let order = self.loaded.order(0..run.done).ok_or_else(|| {
            let detail = "the run has more samples than its experiment".to_owned();
            Blocked::Store(StoreError::Corrupt(detail))
        })?;
        let before = match scope.sample {
            None => vec![f64::NAN; order.len()],
            Some(_) => self.vector().await.map_err(Blocked::Store)?,
        };
        let vector = vector(order, scope.sample, &repetitions, before);
        let usage = repetitions.iter().fold(Usage::NONE, |sum, one| sum.and(one.usage));
        let (rows, values): (Vec<_>, Vec<_>) =
            repetitions.into_iter().map(|repetition| (repetition.rows, repetition.values)).unzip();
        // Of the samples that are not scored now everything stays.
        let others = kept.into_iter().filter(|score| !self.concerns(score.sample));
        let values = values.into_iter().flatten().chain(others).collect();
        let (blocks, end) = (self.blocks(order, &vector), self.end(vector, values));
        let told = Announcement { experiment: run.experiment, run: run.id, values: &run.config.values };
        Ok(NewScores {
            run: run.id,
            version: run.version,
            scoring_rev: self.loaded.form().scoring_rev,
            rescoring: scope.claim.map(|claim| (claim.experiment, claim.epoch)),
            rating: scope.rating.cloned(),
            replaced: scope.only.map_or(ReplacedScores::All, |only| ReplacedScores::Of {
                scorers: only.to_vec(),
                sample: scope.sample,
            }),
            rows: rows.into_iter().flatten().collect(),
            blocks,
            lead: scope.rating.and_then(|_| told.lead(&end)),
            end,
            usage,
        })
    }

    fn end(&self, vector: Vec<f64>, values: Vec<StoredScore>) -> RunEnd {
        let (scorers, repeats) = (self.loaded.scorers(), self.loaded.definition().repeats());
        let layout = Layout { scorers, stages: &self.loaded.stage_names(), repeats };
        rescored(layout, self.run.status, self.loaded.whole_run(), (vector, values))
    }

    async fn vector(&self) -> Result<Vec<f64>, StoreError> {
        let mut vectors = self.engine.ports.runs.vectors(&[self.run.id]).await?;
        Ok(vectors.pop().map(|vector| vector.scores).unwrap_or_default())
    }

    /// The blocks that have changed, by number.
    fn blocks(&self, order: &[u32], vector: &[f64]) -> Vec<(u32, Vec<f64>)> {
        let mut from = 0;
        let mut changed = Vec::new();
        for (no, upto) in (0..).zip(&self.run.blocks) {
            let range = from..(*upto as usize).min(vector.len());
            from = range.end;
            let concerned = order.get(range.clone()).unwrap_or_default();
            if concerned.iter().any(|sample| self.concerns(*sample)) {
                changed.push((no, vector[range].to_vec()));
            }
        }
        changed
    }
}
