//! Takes one sample through the stages, as often as it is repeated, and has its outputs judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::call::{Call, Digest};
use domain::endpoint::Endpoint;
use domain::money::NanoDollars;
use domain::pipeline::{CompiledStage, Pipeline, Progress};
use domain::pricing::Tokens;
use domain::run::Place;
use domain::statistics::mean;
use domain::template::TemplateError;
use domain::value::Value;
use futures::future::join_all;

use super::caller::{Answer, Ask, Blocked, Caller};
use super::loaded::Loaded;
use crate::digest::sha256;
use crate::json::output;
use crate::ports::{
    Block, ClaimedRun, Reservation, RunLease, ScoreRow, StageError, StageResultRow, StoredAnswer, offloaded,
};

/// Bytes of an answer that are read at once.
const LONG: usize = 64 << 10;

/// What the samples of a run have in common.
pub(super) struct Examination<'a> {
    pub(super) caller: &'a Arc<Caller>,
    pub(super) run: &'a ClaimedRun,
    pub(super) loaded: &'a Arc<Loaded>,
    pub(super) pipeline: &'a Arc<Pipeline>,
    pub(super) endpoints: &'a [Arc<Endpoint>],
    pub(super) halt: &'a Arc<AtomicBool>,
}

/// What one sample came to.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) sample: u32,
    /// The mean of the weighted scores of its repetitions; NaN where none has one.
    pub(super) score: f64,
    /// No repetition got through every stage.
    pub(super) failed: bool,
    pub(super) results: Vec<StageResultRow>,
    pub(super) scores: Vec<ScoreRow>,
    usage: Usage,
}

/// What its answers took.
#[derive(Debug, Clone, Copy)]
struct Usage {
    tokens: Tokens,
    paid: Tokens,
    cost: Option<NanoDollars>,
    paid_cost: Option<NanoDollars>,
    latency_ms: u64,
    calls: u64,
    hits: u64,
}

/// One repetition.
struct Attempt {
    results: Vec<StageResultRow>,
    scores: Vec<ScoreRow>,
    score: Option<f64>,
    failed: bool,
    usage: Usage,
}

impl Examination<'_> {
    /// Examines a sample; its repetitions go side by side.
    pub(super) async fn sample(&self, index: u32, sample: Value) -> Result<Examined, Blocked> {
        let reference = sample.as_map().and_then(|fields| fields.get("reference")).cloned();
        let repeats = 1..=self.loaded.definition().repeats();
        let attempts = repeats.map(|repeat| {
            let place = Place { run: self.run.lease.run, sample: index, repeat, stage: 0 };
            self.attempt(place, Progress::new(sample.clone()), reference.as_ref())
        });
        let attempts: Vec<Attempt> = join_all(attempts).await.into_iter().collect::<Result<_, _>>()?;
        Ok(Examined::of(index, attempts))
    }

    async fn attempt(
        &self,
        place: Place,
        mut progress: Progress,
        reference: Option<&Value>,
    ) -> Result<Attempt, Blocked> {
        let mut attempt = Attempt::new();
        for (stage, compiled) in self.pipeline.stages().iter().enumerate() {
            if self.halt.load(Ordering::Relaxed) {
                return Err(Blocked::Stopping);
            }
            let place = Place { stage: u32::try_from(stage).unwrap_or(u32::MAX), ..place };
            match self.stage(place, stage, &progress).await? {
                Ok(answer) => {
                    attempt.answered(place, &answer);
                    match self.output(stage, &answer).await {
                        Ok(output) => progress.passed(compiled.name(), output),
                        Err(error) => return Ok(attempt.stopped_by(place, error)),
                    }
                }
                Err(error) => return Ok(attempt.stopped_by(place, error)),
            }
        }
        let judged = self.loaded.judge(place, &progress, reference).await;
        Ok(Attempt { scores: judged.rows, score: judged.score, ..attempt })
    }

    /// The answer of one stage; the outer error gives the run back, the inner one fails the sample.
    async fn stage(
        &self,
        place: Place,
        stage: usize,
        progress: &Progress,
    ) -> Result<Result<Arc<StoredAnswer>, StageError>, Blocked> {
        let (call, hash) = match self.call(place, stage, progress).await {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        let Some(endpoint) = self.endpoints.get(stage).cloned() else {
            return Ok(Err(stage_error("configuration", "this stage has no endpoint".to_owned())));
        };
        let reserve =
            self.run.budgeted.then(|| reservation(&call, &endpoint, &self.pipeline.stages()[stage]));
        let halt = Arc::clone(self.halt);
        let ask = Ask { call, hash, endpoint, place, sweep: self.run.sweep, reserve, halt };
        match self.caller.answer(ask).await {
            Answer::Stored(answer) => Ok(Ok(answer)),
            Answer::Failed(failure) => Ok(Err(stage_error(failure.kind.as_str(), failure.message))),
            Answer::Blocked(blocked) => Err(blocked),
        }
    }

    /// The call of a stage with its hash; a long one is put together where that keeps nobody waiting.
    async fn call(
        &self,
        place: Place,
        stage: usize,
        progress: &Progress,
    ) -> Result<(Call, Digest), StageError> {
        let documents = self.loaded.definition().documents();
        if let Some(call) = self.pipeline.quick_call(stage, progress, documents, place.repeat) {
            let hash = sha256(&call.canonical());
            return Ok((call, hash));
        }
        let (pipeline, loaded) = (Arc::clone(self.pipeline), Arc::clone(self.loaded));
        let (progress, repeat) = (progress.clone(), place.repeat);
        let render = move || {
            let call = pipeline.call(stage, &progress, loaded.definition().documents(), repeat)?;
            let hash = sha256(&call.canonical());
            Ok((call, hash))
        };
        match offloaded(self.loaded.offload(), render).await {
            Some(rendered) => {
                rendered.map_err(|error: TemplateError| stage_error("template", error.to_string()))
            }
            None => Err(stage_error("template", "rendering broke down".to_owned())),
        }
    }

    /// What later stages and scorers see of an answer; a long one is read where that keeps nobody waiting.
    async fn output(&self, stage: usize, answer: &Arc<StoredAnswer>) -> Result<Value, StageError> {
        let compiled = &self.pipeline.stages()[stage];
        if answer.completion.text.len() <= LONG || !compiled.answers_json() {
            return Ok(output(compiled, &answer.completion));
        }
        let (pipeline, answer) = (Arc::clone(self.pipeline), Arc::clone(answer));
        let read = move || output(&pipeline.stages()[stage], &answer.completion);
        let read = offloaded(self.loaded.offload(), read).await;
        read.ok_or_else(|| stage_error("malformed", "reading the answer broke down".to_owned()))
    }
}

/// The most that a call can use up. Sweeps with a budget start only where every stage has a bound.
fn reservation(call: &Call, endpoint: &Endpoint, stage: &CompiledStage) -> Reservation {
    let output = stage.max_tokens().or(endpoint.max_output_tokens.map(u64::from)).unwrap_or(0);
    let tokens = call.token_bound(output);
    let most = Tokens { input: tokens.saturating_sub(output), output };
    let cost = endpoint.prices.get(&call.model).map_or(NanoDollars::ZERO, |price| price.cost(most));
    Reservation { tokens, cost }
}

fn stage_error(kind: &str, message: String) -> StageError {
    StageError { kind: kind.to_owned(), message }
}

fn row(place: Place, answer: Option<(&StoredAnswer, bool)>, error: Option<StageError>) -> StageResultRow {
    StageResultRow {
        sample: place.sample,
        repeat: place.repeat,
        stage: place.stage,
        answer: answer.map(|(answer, _)| answer.id),
        paid: answer.is_some_and(|(_, paid)| paid),
        error,
    }
}

impl Attempt {
    const fn new() -> Self {
        Self { results: Vec::new(), scores: Vec::new(), score: None, failed: false, usage: Usage::NONE }
    }

    /// A stage has an answer. It is cached exactly when another place paid for it.
    fn answered(&mut self, place: Place, answer: &StoredAnswer) {
        let paid = answer.paid_by == place;
        self.results.push(row(place, Some((answer, paid)), None));
        self.usage = self.usage.and(Usage::of(answer, paid));
    }

    /// The sample cannot go on.
    fn stopped_by(mut self, place: Place, error: StageError) -> Self {
        self.results.push(row(place, None, Some(error)));
        self.failed = true;
        self
    }
}

impl Usage {
    const NONE: Self = Self {
        tokens: Tokens { input: 0, output: 0 },
        paid: Tokens { input: 0, output: 0 },
        cost: Some(NanoDollars::ZERO),
        paid_cost: Some(NanoDollars::ZERO),
        latency_ms: 0,
        calls: 0,
        hits: 0,
    };

    fn of(answer: &StoredAnswer, paid: bool) -> Self {
        let tokens = answer.completion.tokens;
        let latency_ms = u64::try_from(answer.completion.latency.as_millis()).unwrap_or(u64::MAX);
        let whole = Self { tokens, cost: answer.cost, latency_ms, ..Self::NONE };
        if paid {
            Self { paid: tokens, paid_cost: answer.cost, calls: 1, ..whole }
        } else {
            Self { hits: 1, ..whole }
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            tokens: self.tokens + other.tokens,
            paid: self.paid + other.paid,
            cost: sum(self.cost, other.cost),
            paid_cost: sum(self.paid_cost, other.paid_cost),
            latency_ms: self.latency_ms.saturating_add(other.latency_ms),
            calls: self.calls + other.calls,
            hits: self.hits + other.hits,
        }
    }
}

/// Both together, where both are known.
fn sum(one: Option<NanoDollars>, other: Option<NanoDollars>) -> Option<NanoDollars> {
    Some(one? + other?)
}

impl Examined {
    fn of(sample: u32, attempts: Vec<Attempt>) -> Self {
        let failed = attempts.iter().all(|attempt| attempt.failed);
        let scored: Vec<f64> = attempts.iter().filter_map(|attempt| attempt.score).collect();
        let score = mean(&scored).unwrap_or(f64::NAN);
        let mut examined =
            Self { sample, score, failed, results: Vec::new(), scores: Vec::new(), usage: Usage::NONE };
        for attempt in attempts {
            examined.results.extend(attempt.results);
            examined.scores.extend(attempt.scores);
            examined.usage = examined.usage.and(attempt.usage);
        }
        examined
    }

    /// The first error of a stage.
    pub(super) fn first_error(&self) -> Option<(u32, &StageError)> {
        self.results.iter().find_map(|row| Some((row.stage, row.error.as_ref()?)))
    }

    /// Adds it to a block, which takes its rows.
    pub(super) fn add_to(self, block: &mut Block) {
        let usage = self.usage;
        block.results.extend(self.results);
        block.scores.extend(self.scores);
        block.vector.push(self.score);
        block.failures += u32::from(self.failed);
        block.tokens += usage.tokens;
        block.paid += usage.paid;
        block.cost = sum(block.cost, usage.cost);
        block.paid_cost = sum(block.paid_cost, usage.paid_cost);
        block.latency_ms = block.latency_ms.saturating_add(usage.latency_ms);
        block.calls += usage.calls;
        block.hits += usage.hits;
    }
}

impl Block {
    /// A block of no samples yet.
    pub(super) const fn empty(
        lease: RunLease,
        sweep: Option<domain::id::SweepId>,
        no: u32,
        upto: u32,
    ) -> Self {
        Self {
            lease,
            sweep,
            no,
            upto,
            results: Vec::new(),
            scores: Vec::new(),
            vector: Vec::new(),
            tokens: Tokens { input: 0, output: 0 },
            paid: Tokens { input: 0, output: 0 },
            cost: Some(NanoDollars::ZERO),
            paid_cost: Some(NanoDollars::ZERO),
            latency_ms: 0,
            calls: 0,
            hits: 0,
            failures: 0,
            end: None,
            completed: None,
            lead: None,
        }
    }
}
