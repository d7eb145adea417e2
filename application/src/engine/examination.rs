//! Takes the repeats of a sample through the stages for a run, and scores their outputs.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::call::{Call, CallFailure, FailureKind};
use domain::endpoint::Endpoint;
use domain::money::NanoDollars;
use domain::pipeline::{Corpus, Pipeline, SampleProgress};
use domain::pricing::Tokens;
use domain::run::{Asker, ErrorKind, Origins, Payer, RunError, StageError};
use domain::statistics::mean;

use super::caller::{Blocked, CallAnswer, CallRequest, Caller};
use super::loaded::LoadedExperiment;
use super::sample_cache::LoadedSample;
use crate::indexes::{CorpusIndex, IndexReply, IndexScope};
use crate::list_prices::price_of;
use crate::ports::{
    AnswerId, Block, ClaimedRun, Offload, Reservation, RunLease, ScoreRow, StageResultRow, StoredAnswer,
    Usage,
};
use crate::walk::{Answers, HashedCall, Replies, StageEnd, StageRecord, Walk, make_index};

/// What all samples of a run share.
pub(super) struct Examination<'a> {
    pub(super) caller: &'a Arc<Caller>,
    pub(super) run: &'a ClaimedRun,
    pub(super) loaded: &'a Arc<LoadedExperiment>,
    pub(super) pipeline: &'a Arc<Pipeline>,
    /// Where the calls of each stage go; `None` where it makes none.
    pub(super) endpoints: &'a [Option<Arc<Endpoint>>],
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

/// Answers the calls of one repeat through the engine's caller; the run is the payer.
struct RunAnswers<'a> {
    examination: &'a Examination<'a>,
    sample: u32,
    repeat: u32,
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
        for (stage, record) in (0..).zip(record.stages) {
            attempt.add(answers.payer(stage), record);
        }
        if !attempt.failed {
            let place = (sample, repeat);
            let judged = self.loaded.judge(place, self.pipeline, &record.progress, &loaded.expected);
            let judgement = judged.await;
            (attempt.scores, attempt.score) = (judgement.rows, judgement.score);
        }
        Ok(attempt)
    }
}

impl RunAnswers<'_> {
    const fn payer(&self, stage: u32) -> Payer {
        let (run, sample, repeat) = (self.examination.run.lease.run, self.sample, self.repeat);
        Payer { run, sample, repeat, asker: Asker::Stage(stage), call: 0 }
    }

    fn misconfigured(&self, stage: usize, failure: CallFailure) -> RunError {
        let stage = self.examination.loaded.stage_names().get(stage).map(|name| (*name).to_owned());
        RunError { kind: failure.kind.into(), message: failure.message, stage, sample: None }
    }

    fn requests(&self, stage: usize, calls: Vec<HashedCall>, endpoint: &Arc<Endpoint>) -> Vec<CallRequest> {
        let Examination { run, halt, .. } = self.examination;
        let payer = self.payer(u32::try_from(stage).unwrap_or(u32::MAX));
        let requests = (0..).zip(calls).map(|(number, call)| CallRequest {
            reserve: run.budgeted.then(|| reservation(&call.call, endpoint)),
            call,
            endpoint: Arc::clone(endpoint),
            payer: Some(Payer { call: number, ..payer }),
            sweep: run.sweep,
            halt: Arc::clone(halt),
        });
        requests.collect()
    }
}

impl Answers for RunAnswers<'_> {
    type Stop = Blocked;

    async fn answer(&self, stage: usize, calls: Vec<HashedCall>) -> Result<Replies, Blocked> {
        let Examination { caller, endpoints, halt, .. } = self.examination;
        if halt.load(Ordering::Relaxed) {
            return Err(Blocked::Stopping);
        }
        let Some(Some(endpoint)) = endpoints.get(stage) else {
            let error = StageError::new(ErrorKind::Configuration, "this stage has no endpoint");
            return Ok(Replies::Failed(Vec::new(), error));
        };
        let (mut answers, mut failure) = (Vec::with_capacity(calls.len()), None);
        for answer in caller.answer_all(self.requests(stage, calls, endpoint)).await {
            match answer {
                CallAnswer::Stored(answer) => answers.push(answer),
                CallAnswer::Failed(failed) if failed.kind == FailureKind::Misconfigured => {
                    return Err(Blocked::Misconfigured(self.misconfigured(stage, failed)));
                }
                CallAnswer::Failed(failed) => failure = failure.or(Some(failed)),
                CallAnswer::Blocked(blocked) => return Err(blocked),
            }
        }
        Ok(match failure {
            None => Replies::Complete(answers),
            Some(failure) => Replies::Failed(answers, StageError::new(failure.kind, failure.message)),
        })
    }

    async fn index(
        &self,
        stage: usize,
        corpus: Corpus,
        offload: &dyn Offload,
    ) -> Result<IndexReply, Blocked> {
        let Examination { caller, run, .. } = self.examination;
        let scope = run.sweep.map_or(IndexScope::Run(run.lease.run), IndexScope::Sweep);
        let key = (scope, corpus.key().to_owned());
        caller.indexes().get_or_make(&key, make_index(self, stage, corpus, offload)).await
    }
}

/// The most that a call can use up. Sweeps with a budget start only where every stage has a bound.
fn reservation(call: &Call, endpoint: &Endpoint) -> Reservation {
    let output = call.max_tokens().or(endpoint.max_output_tokens.map(u64::from)).unwrap_or(0);
    let tokens = call.token_bound(output);
    let most = Tokens { input: tokens.saturating_sub(output), output };
    let cost = price_of(endpoint, call.model()).map_or(NanoDollars::ZERO, |price| price.most(most));
    Reservation { tokens, cost }
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
    fn add(&mut self, payer: Payer, record: StageRecord) {
        let own = |answer: &Arc<StoredAnswer>| {
            answer.paid_by.is_some_and(|paid| Payer { call: payer.call, ..paid } == payer)
        };
        let corpus = record.corpus.as_deref();
        let mut seen: HashSet<AnswerId> =
            corpus.map_or(&[][..], |corpus| corpus.paid_by(payer)).iter().copied().collect();
        for answer in &record.answers {
            self.usage = self.usage.and(Usage::of(answer, own(answer) && seen.insert(answer.id)));
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
            paid: record.answers.first().is_some_and(own),
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
