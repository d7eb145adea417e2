//! Says what a sweep would come to before it starts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::call::{Call, Digest};
use domain::endpoint::Endpoint;
use domain::experiment::Definition;
use domain::id::ExperimentId;
use domain::money::NanoDollars;
use domain::pipeline::{Pipeline, Progress};
use domain::pricing::{Tokens, estimated_tokens};
use domain::random::shuffled;
use domain::space::{Point, Size};
use domain::strategy::{Ask, SweepView, guide};
use domain::value::Value;

use crate::catalog::Catalog;
use crate::digest::sha256;
use crate::json::output;
use crate::ports::{CallStore, EndpointStore, ExperimentStore, StoredAnswer, StoredExperiment};
use crate::refusal::Refusal;
use crate::sweeps::{self, SweepError, SweepRequest};

/// Calls that are looked at one by one; of more a part is.
const EXACT: u128 = 100_000;
/// Calls looked up at once.
const CHUNK: usize = 500;
/// Configurations of a large sweep that are looked at.
const CONFIGURATIONS: usize = 100;
/// Samples of a large sweep that are looked at.
const SAMPLES: usize = 100;
/// Tokens of an answer where nothing bounds it.
const UNBOUNDED_ANSWER: u64 = 256;
/// Seeds the choice of the part that is looked at.
const SEED: u64 = 0x6573_7469_6d61_7465;

/// What a sweep would come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Configurations, where there are fewer than 2^53 of them.
    pub configurations: Option<u64>,
    /// Their number in words or digits.
    pub configurations_text: String,
    /// Calls that its runs need.
    pub calls: u64,
    /// Those that the cache answers, or an equal call of the same sweep.
    pub cached_calls: u64,
    /// Tokens that it would pay for.
    pub tokens: u64,
    /// What it would cost, where every price is known.
    pub cost: Option<NanoDollars>,
    /// How long it would take, in seconds, where the cache tells how long such calls take.
    pub seconds: Option<f64>,
    /// Only a part of the calls was looked at.
    pub sampled: bool,
}

/// The use cases of estimates.
pub struct Estimates {
    calls: Arc<dyn CallStore>,
    endpoints: Arc<dyn EndpointStore>,
    experiments: Arc<dyn ExperimentStore>,
}

/// What was seen of the calls that were looked at.
#[derive(Debug, Default)]
struct Seen {
    calls: u64,
    fresh: HashSet<Digest>,
    tokens: u64,
    cost: Option<NanoDollars>,
    answered: u64,
    answered_latency_ms: u64,
    answered_output: u64,
    /// Fresh calls by endpoint, with what each bears.
    load: HashMap<String, (u64, u32)>,
}

impl Estimates {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(
        calls: Arc<dyn CallStore>,
        endpoints: Arc<dyn EndpointStore>,
        experiments: Arc<dyn ExperimentStore>,
    ) -> Self {
        Self { calls, endpoints, experiments }
    }

    /// Says what a sweep of an experiment would come to; nothing is stored or called.
    ///
    /// # Errors
    /// Where it could not start.
    pub async fn estimate(
        &self,
        experiment: ExperimentId,
        request: &SweepRequest,
    ) -> Result<Estimate, Refusal> {
        let stored = self.experiments.experiment(experiment).await?.ok_or(SweepError::NoExperiment)?;
        let catalog = Catalog::new(self.endpoints.all().await?);
        let definition = &stored.definition;
        sweeps::check(&catalog, definition, request)?;
        let size = size(definition, request.limits.max_runs);
        let each =
            u128::from(stored.samples) * u128::from(definition.repeats()) * definition.stages().len() as u128;
        let calls = size.saturating_mul(each);
        let whole = calls <= EXACT;
        let points = points(definition, request, size, if whole { usize::MAX } else { CONFIGURATIONS });
        let samples = samples(stored.samples, if whole { usize::MAX } else { SAMPLES });
        let mut seen = Seen { cost: Some(NanoDollars::ZERO), ..Seen::default() };
        for point in points {
            self.look(&stored, &catalog, point, &samples, &mut seen).await?;
        }
        Ok(seen.scaled_to(size, calls, !whole))
    }

    /// Looks at the calls of one configuration.
    async fn look(
        &self,
        stored: &StoredExperiment,
        catalog: &Catalog,
        point: Point,
        samples: &[u32],
        seen: &mut Seen,
    ) -> Result<(), Refusal> {
        let definition = &stored.definition;
        let configured = catalog.configure(definition, point.values().clone());
        let (configuration, _) = configured.map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let pipeline = configuration.pipeline().map_err(|(stage, wrong)| {
            Refusal::invalid(format!("/pipeline_stages/{stage}"), "template", wrong.to_string())
        })?;
        for chunk in samples.chunks(CHUNK) {
            let found = self.experiments.samples(stored.sample_set, chunk).await?;
            let progress = chunk.iter().zip(found).map(|(i, sample)| Progress::new(sample.for_templates(*i)));
            let progress: Vec<Progress> = progress.collect();
            for repeat in 1..=definition.repeats() {
                let looked = Looked { definition, pipeline: &pipeline, catalog, repeat };
                self.chunk(looked, progress.clone(), seen).await?;
            }
        }
        Ok(())
    }

    /// Takes samples through the stages as far as the cache knows the answers.
    async fn chunk(
        &self,
        looked: Looked<'_>,
        progress: Vec<Progress>,
        seen: &mut Seen,
    ) -> Result<(), Refusal> {
        let mut progress: Vec<Option<Progress>> = progress.into_iter().map(Some).collect();
        for (index, stage) in looked.pipeline.stages().iter().enumerate() {
            let calls: Vec<_> =
                progress.iter().map(|of| of.as_ref().and_then(|of| looked.call(index, of))).collect();
            let hashes: Vec<Digest> = calls.iter().flatten().map(|(_, hash, _)| *hash).collect();
            let mut answers = self.calls.peek(hashes).await?.into_iter();
            for (place, call) in progress.iter_mut().zip(calls) {
                seen.calls += 1;
                let Some((call, hash, endpoint)) = call else {
                    seen.unknown(stage.max_tokens());
                    *place = None;
                    continue;
                };
                match answers.next().flatten() {
                    Some(answer) => {
                        seen.answered_before(&answer);
                        if let Some(place) = place {
                            place.passed(stage.name(), output(stage, &answer.completion));
                        }
                    }
                    None => {
                        let input = input_tokens(&call);
                        seen.fresh_call(hash, input, stage.max_tokens(), endpoint, &call.model);
                        *place = None;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A configuration that is being looked at.
#[derive(Clone, Copy)]
struct Looked<'a> {
    definition: &'a Definition,
    pipeline: &'a Pipeline,
    catalog: &'a Catalog,
    repeat: u32,
}

impl<'a> Looked<'a> {
    fn call(self, stage: usize, progress: &Progress) -> Option<(Call, Digest, &'a Endpoint)> {
        let documents: &Value = self.definition.documents();
        let call = self.pipeline.call(stage, progress, documents, self.repeat).ok()?;
        let hash = sha256(&call.canonical());
        let endpoint = self.catalog.by_identity(&call.endpoint)?;
        Some((call, hash, endpoint))
    }
}

impl Seen {
    fn answered_before(&mut self, answer: &StoredAnswer) {
        self.answered += 1;
        self.answered_output += answer.completion.tokens.output;
        let latency = answer.completion.latency.as_millis();
        self.answered_latency_ms += u64::try_from(latency).unwrap_or_default();
    }

    fn fresh_call(
        &mut self,
        hash: Digest,
        input: u64,
        max_tokens: Option<u64>,
        endpoint: &Endpoint,
        model: &str,
    ) {
        if !self.fresh.insert(hash) {
            return;
        }
        let tokens = Tokens { input, output: self.answer_tokens(max_tokens) };
        self.tokens += tokens.total();
        let price = endpoint.prices.get(model).map(|price| price.cost(tokens));
        self.cost = self.cost.zip(price).map(|(sum, price)| sum + price);
        let load = self.load.entry(endpoint.label.clone());
        load.or_insert((0, endpoint.limits.concurrency.get())).0 += 1;
    }

    /// A call whose prompt rests on an answer that is not there yet.
    fn unknown(&mut self, max_tokens: Option<u64>) {
        let tokens = self.answer_tokens(max_tokens);
        self.tokens += 2 * tokens;
        self.cost = self.cost.filter(|_| tokens == 0);
    }

    /// What an answer takes: as much as those did that are known, else as much as it may.
    fn answer_tokens(&self, max_tokens: Option<u64>) -> u64 {
        let usual = self.answered_output.checked_div(self.answered);
        usual.or(max_tokens).unwrap_or(UNBOUNDED_ANSWER).min(max_tokens.unwrap_or(u64::MAX))
    }

    fn scaled_to(self, size: u128, calls: u128, sampled: bool) -> Estimate {
        let share = if self.calls == 0 { 0.0 } else { calls as f64 / self.calls as f64 };
        let scale = |count: u64| if sampled { scaled(count, share) } else { count };
        let to_make: u64 = self.fresh.len() as u64;
        let cached = self.calls.saturating_sub(to_make);
        let unknown_latency = self.answered == 0;
        let latency = self.answered_latency_ms as f64 / self.answered.max(1) as f64 / 1_000.0;
        let slowest = self.load.values().map(|(calls, bears)| *calls as f64 / f64::from(*bears));
        let rounds = slowest.fold(0.0, f64::max) * if sampled { share } else { 1.0 };
        let cost = self.cost.map(|cost| {
            let nanos = u64::try_from(cost.nanos()).unwrap_or_default();
            NanoDollars::new(i64::try_from(scale(nanos)).unwrap_or(i64::MAX))
        });
        Estimate {
            configurations: u64::try_from(size).ok().filter(|count| *count < 1 << 53),
            configurations_text: size.to_string(),
            calls: u64::try_from(calls).unwrap_or(u64::MAX),
            cached_calls: scale(cached),
            tokens: scale(self.tokens),
            cost,
            seconds: if to_make == 0 { Some(0.0) } else { (!unknown_latency).then_some(rounds * latency) },
            sampled,
        }
    }
}

/// About what a call's prompt takes: a quarter of the bytes that its token bound counts.
fn input_tokens(call: &Call) -> u64 {
    let messages: u64 = call.messages.iter().map(|message| estimated_tokens(&message.content)).sum();
    messages + call.attached_bytes().div_ceil(4)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, and never negative"
)]
fn scaled(count: u64, share: f64) -> u64 {
    (count as f64 * share) as u64
}

/// How many configurations a sweep would try. A sweep of an endless space has a limit.
fn size(definition: &Definition, limit: Option<u64>) -> u128 {
    let points = match definition.space().size() {
        Size::Points(points) => points,
        _ => u128::MAX,
    };
    limit.map_or(points, |limit| points.min(u128::from(limit)))
}

/// Configurations that the sweep would try: the first ones, at most so many.
fn points(definition: &Definition, request: &SweepRequest, size: u128, most: usize) -> Vec<Point> {
    let want = usize::try_from(size).unwrap_or(usize::MAX).min(most);
    let view = SweepView {
        space: definition.space(),
        samples: 1,
        // Without a seed of its own any will do: all are alike.
        seed: request.seed.unwrap_or(SEED),
        asked: 0,
        limit: request.limits.max_runs,
        trials: &[],
    };
    // The first points of a grid have much in common: of a large one any others say more.
    let kind = match request.kind {
        domain::sweep::SweepKind::Grid { .. } if size > want as u128 => {
            domain::sweep::SweepKind::Grid { shuffle: true }
        }
        kind => kind,
    };
    match guide(kind).ask(&view, want) {
        Ask::Evaluate(work) => work.into_iter().map(|work| work.point).collect(),
        Ask::Wait | Ask::Done(_) => Vec::new(),
    }
}

/// Samples to look at, in the set's own order.
fn samples(count: u32, most: usize) -> Vec<u32> {
    if count as usize <= most {
        return (0..count).collect();
    }
    let mut chosen = shuffled(SEED, count as usize);
    chosen.truncate(most);
    chosen.sort_unstable();
    chosen
}
