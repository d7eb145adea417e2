//! Takes the repeats of a sample through the stages for a run, and scores their outputs.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::endpoint::Endpoint;
use domain::pipeline::{Pipeline, SampleProgress};
use domain::run::{Asker, ErrorKind, Origins, Payer, StageError};
use domain::statistics::mean;

use super::caller::{Blocked, Caller};
use super::loaded::LoadedExperiment;
use super::run_answers::RunAnswers;
use super::sample_cache::LoadedSample;
use super::scorer_calls::{ScorerCalls, ScorerPayer, is_paid_by};
use crate::catalog::Catalog;
use crate::indexes::CorpusIndex;
use crate::ports::{AnswerId, Block, ClaimedRun, Recall, RunLease, ScoreRow, StageResultRow, Usage};
use crate::scoring::Evidence;
use crate::walk::{StageEnd, StageRecord, Walk};

/// What all samples of a run share.
pub(super) struct Examination<'a> {
    pub(super) caller: &'a Arc<Caller>,
    pub(super) run: &'a ClaimedRun,
    pub(super) loaded: &'a Arc<LoadedExperiment>,
    pub(super) pipeline: &'a Arc<Pipeline>,
    /// The endpoint of each stage's calls; `None` where it calls no model.
    pub(super) endpoints: &'a [Option<Arc<Endpoint>>],
    /// The endpoints that scorers can ask.
    pub(super) catalog: &'a Catalog,
    pub(super) halt: &'a Arc<AtomicBool>,
}

/// The results of one sample: its answers, scores and metrics, over all repeats.
#[derive(Debug)]
pub(super) struct EvaluatedSample {
    pub(super) sample: u32,
    /// The mean of the weighted scores of its repetitions; NaN where none has one.
    pub(super) score: f64,
    /// No repetition got through every stage.
    pub(super) failed: bool,
    pub(super) results: Vec<StageResultRow>,
    pub(super) scores: Vec<ScoreRow>,
    usage: Usage,
    /// Who answered it.
    pub(super) origins: Origins,
}

/// One repetition of a sample.
#[derive(Debug)]
pub(super) struct Attempt {
    sample: u32,
    results: Vec<StageResultRow>,
    scores: Vec<ScoreRow>,
    score: Option<f64>,
    failed: bool,
    usage: Usage,
    origins: Origins,
}

impl Examination<'_> {
    /// Examines one repetition of a sample.
    pub(super) async fn attempt(
        &self,
        sample: u32,
        repeat: u32,
        loaded: LoadedSample,
    ) -> Result<Attempt, Blocked> {
        if self.halt.load(Ordering::Relaxed) {
            return Err(Blocked::Stopping);
        }
        let walk = Walk {
            pipeline: self.pipeline,
            definition: self.loaded.definition(),
            offload: self.loaded.offload(),
        };
        let answers = RunAnswers { examination: self, sample, repeat };
        let record = walk.through(SampleProgress::new(loaded.value), repeat, &answers).await?;
        let mut attempt = Attempt::new(sample);
        let measured = record.measured();
        for (stage, of_stage) in (0..).zip(record.stages) {
            let recall = self.recall(stage as usize, &record.progress, &of_stage);
            attempt.add(answers.payer(stage), of_stage, recall);
        }
        if !attempt.failed {
            let evidence = Evidence {
                pipeline: self.pipeline,
                progress: &record.progress,
                expected: &loaded.expected,
                place: (sample, repeat),
                measured,
                ratings: &[],
            };
            self.score(evidence, &mut attempt).await?;
        }
        Ok(attempt)
    }

    /// What a stage's output is made from again, where it takes more than one answer.
    fn recall(&self, stage: usize, progress: &SampleProgress, record: &StageRecord) -> Option<Recall> {
        let name = self.pipeline.stages().get(stage)?.name();
        let output = self.pipeline.recallable(stage, progress.output(name)?)?;
        let (latency, cost) = record.taken();
        Some(Recall { output, latency, cost })
    }

    /// Scores the outputs of an attempt; the run pays for what scorers ask.
    async fn score(&self, evidence: Evidence<'_>, attempt: &mut Attempt) -> Result<(), Blocked> {
        let (sample, repeat) = evidence.place;
        let ClaimedRun { lease, sweep, budgeted, .. } = *self.run;
        let (run, scoring) = (lease.run, self.loaded.form().scoring_rev);
        let payer = ScorerPayer { run, sample, repeat, sweep, budgeted, scoring, halt: self.halt };
        let calls = ScorerCalls::new(self.caller, self.catalog, payer);
        let judgement = self.loaded.judge(evidence, &calls).await?;
        (attempt.scores, attempt.score) = (judgement.rows, judgement.score);
        attempt.usage = attempt.usage.and(calls.usage(is_paid_by));
        Ok(())
    }
}

impl Attempt {
    fn new(sample: u32) -> Self {
        Self {
            sample,
            results: Vec::new(),
            scores: Vec::new(),
            score: None,
            failed: false,
            usage: Usage::NONE,
            origins: Origins::default(),
        }
    }

    /// Adds a stage's result. An answer is cached exactly when another payer paid for it; a stage that makes the same call
    /// twice pays once.
    fn add(&mut self, payer: Payer, record: StageRecord, recall: Option<Recall>) {
        let corpus = record.corpus.as_deref();
        let mut seen: HashSet<AnswerId> =
            corpus.map_or(&[][..], |corpus| corpus.paid_by(payer)).iter().copied().collect();
        for answer in &record.answers {
            let paid = is_paid_by(answer, payer) && seen.insert(answer.id);
            self.usage = self.usage.and(Usage::of(answer, paid));
        }
        self.usage = corpus.map_or(self.usage, |corpus| self.usage.and(corpus.usage(payer)));
        if let Asker::Stage(stage) = payer.asker {
            let answers = record.answers.iter().map(|answer| &answer.reply);
            let all = answers.chain(corpus.into_iter().flat_map(CorpusIndex::origins));
            all.for_each(|reply| self.origins.add(stage, reply));
        }
        let error = match record.end {
            StageEnd::Passed => None,
            StageEnd::Failed(error) | StageEnd::Undetermined(error) => Some(error),
            StageEnd::Unanswered => Some(StageError::new(ErrorKind::Internal, "its calls were not answered")),
        };
        self.failed |= error.is_some();
        let Asker::Stage(stage) = payer.asker else { return };
        self.results.push(StageResultRow {
            sample: payer.sample,
            repeat: payer.repeat,
            stage,
            answer: record.answers.first().map(|answer| answer.id),
            paid: record.answers.first().is_some_and(|answer| is_paid_by(answer, payer)),
            recall,
            error,
        });
    }
}

impl EvaluatedSample {
    /// A sample from its repetitions, of which there is at least one.
    pub(super) fn of(attempts: Vec<Attempt>) -> Self {
        let sample = attempts.first().map_or(0, |attempt| attempt.sample);
        let failed = attempts.iter().all(|attempt| attempt.failed);
        let scored: Vec<f64> = attempts.iter().filter_map(|attempt| attempt.score).collect();
        let score = mean(&scored).unwrap_or(f64::NAN);
        let mut examined = Self {
            sample,
            score,
            failed,
            results: Vec::new(),
            scores: Vec::new(),
            usage: Usage::NONE,
            origins: Origins::default(),
        };
        for attempt in attempts {
            examined.results.extend(attempt.results);
            examined.scores.extend(attempt.scores);
            examined.usage = examined.usage.and(attempt.usage);
            examined.origins.merge(&attempt.origins);
        }
        examined
    }

    /// The first error of a stage.
    pub(super) fn first_error(&self) -> Option<(u32, &StageError)> {
        self.results.iter().find_map(|row| Some((row.stage, row.error.as_ref()?)))
    }

    /// Adds it to a block, which takes its rows.
    pub(super) fn add_to(self, block: &mut Block) {
        block.usage = block.usage.and(self.usage);
        block.results.extend(self.results);
        block.scores.extend(self.scores);
        block.vector.push(self.score);
        block.failures += u32::from(self.failed);
    }
}

impl Block {
    /// A block of no samples yet.
    pub(super) fn empty(lease: RunLease, sweep: Option<domain::id::SweepId>, no: u32, upto: u32) -> Self {
        Self {
            lease,
            sweep,
            no,
            upto,
            results: Vec::new(),
            scores: Vec::new(),
            vector: Vec::new(),
            usage: Usage::NONE,
            origins: Origins::default(),
            failures: 0,
            ending: None,
        }
    }
}
