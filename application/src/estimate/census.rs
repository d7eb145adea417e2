//! Counts the calls of a sweep, with their tokens and cost, as an estimate walks its configurations.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use domain::call::{Call, Digest};
use domain::endpoint::Limits;
use domain::id::EndpointId;
use domain::money::NanoDollars;
use domain::pipeline::Pipeline;
use domain::pricing::{Price, Tokens};
use domain::service::ServiceOrigin;

use super::Estimate;
use super::busy_time::BusyTime;
use super::scorers::ScorerCensus;
use crate::catalog::Catalog;
use crate::list_prices::price_of;
use crate::ports::{MeasuredCalls, StoredAnswer};
use crate::walk::{AskedCalls, StageEnd, WalkRecord};

/// Tokens of an answer where nothing bounds it.
const UNBOUNDED_ANSWER: u64 = 256;

/// What was found out about the calls of a sweep.
#[derive(Debug, Default)]
pub(super) struct CallCensus {
    /// Repetitions of samples that were looked at.
    walks: u64,
    calls: u64,
    hashes: HashSet<Digest>,
    /// Calls that nobody has made yet.
    fresh: BTreeMap<FreshKind, FreshCalls>,
    /// Calls whose prompts rest on answers that are not there yet, by the limit of their output tokens.
    undetermined: BTreeMap<Option<u64>, u64>,
    answered: u64,
    answered_latency_ms: u64,
    answered_output: u64,
}

/// Fresh calls that cost alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FreshKind {
    pub(super) server: Server,
    max_tokens: Option<u64>,
}

/// What answers calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Server {
    Model { endpoint: EndpointId, model: String },
    Service(ServiceOrigin),
}

/// What is busy with calls: its limits hold for all of its models.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Busy {
    Endpoint(EndpointId),
    Service(ServiceOrigin),
}

impl Server {
    fn busy(&self) -> Busy {
        match self {
            Self::Model { endpoint, .. } => Busy::Endpoint(*endpoint),
            Self::Service(origin) => Busy::Service(origin.clone()),
        }
    }
}

#[derive(Debug, Default)]
struct FreshCalls {
    calls: u64,
    input_tokens: u64,
    limits: Limits,
    price: Option<Price>,
    /// What such calls took when they were made.
    measured: Option<MeasuredCalls>,
}

impl FreshCalls {
    /// What all of them cost: at the rates of a call of average length where prices depend on it.
    fn cost(&self, price: &Price, used: Tokens) -> NanoDollars {
        if price.tiers.is_empty() {
            return price.cost(used.into());
        }
        let calls = self.calls.max(1);
        let one = Tokens { input: used.input / calls, output: used.output / calls };
        let nanos = price.cost(one.into()).nanos().saturating_mul(i64::try_from(calls).unwrap_or(i64::MAX));
        NanoDollars::new(nanos)
    }
}

/// What answers a call that nobody has made yet, what it bears and what it costs. A service is not paid for by the token.
fn fresh_server(catalog: &Catalog, call: &Call) -> Option<(Server, Limits, Option<Price>)> {
    if let Some(origin) = call.service() {
        let concurrency = NonZeroU32::new(ServiceOrigin::CONCURRENCY)?;
        let limits = Limits { concurrency, ..Limits::default() };
        let price = Price::flat(NanoDollars::ZERO, NanoDollars::ZERO);
        return Some((Server::Service(origin.clone()), limits, Some(price)));
    }
    let (endpoint, model) = (catalog.by_identity(call.endpoint()?)?, call.model()?);
    let server = Server::Model { endpoint: endpoint.id, model: model.to_owned() };
    let price = price_of(endpoint, model).map(|price| Price::clone(&price));
    Some((server, endpoint.limits, price))
}

impl CallCensus {
    /// Counts the calls of one repetition of a sample.
    pub(super) fn count(
        &mut self,
        pipeline: &Pipeline,
        catalog: &Catalog,
        record: &WalkRecord,
        asked: AskedCalls,
    ) {
        self.walks += 1;
        for (index, stage) in pipeline.stages().iter().enumerate() {
            match record.stages.get(index).map(|stage| &stage.end) {
                Some(StageEnd::Passed) => self.count_answers(&record.stages[index].answers),
                Some(StageEnd::Unanswered) => {}
                // The sample fails here, and nothing more is asked for it.
                Some(StageEnd::Failed(_)) => {
                    self.count_answers(&record.stages[index].answers);
                    break;
                }
                Some(StageEnd::Undetermined(_)) | None => {
                    self.calls += 1;
                    *self.undetermined.entry(stage.max_tokens()).or_default() += 1;
                }
            }
        }
        self.count_asked(catalog, asked);
    }

    /// Counts the calls of the scorers for it.
    pub(super) fn count_scoring(&mut self, catalog: &Catalog, scoring: ScorerCensus) {
        for max_tokens in scoring.undetermined {
            self.calls += 1;
            *self.undetermined.entry(Some(max_tokens)).or_default() += 1;
        }
        self.count_asked(catalog, scoring.asked);
    }

    fn count_asked(&mut self, catalog: &Catalog, asked: AskedCalls) {
        self.calls += asked.calls;
        for call in asked.fresh {
            let server = fresh_server(catalog, &call.call);
            if let Some((server, limits, price)) = server
                && self.hashes.insert(call.hash)
            {
                self.count_fresh(&call.call, server, || FreshCalls {
                    limits,
                    price,
                    ..FreshCalls::default()
                });
            }
        }
    }

    fn count_answers(&mut self, answers: &[Arc<StoredAnswer>]) {
        for answer in answers {
            let latency = answer.reply.latency.as_millis();
            self.answered += 1;
            self.answered_output += answer.reply.tokens.output;
            self.answered_latency_ms += u64::try_from(latency).unwrap_or_default();
        }
    }

    fn count_fresh(&mut self, call: &Call, server: Server, none: impl FnOnce() -> FreshCalls) {
        let kind = FreshKind { server, max_tokens: call.max_tokens() };
        let fresh = self.fresh.entry(kind).or_insert_with(none);
        fresh.calls += 1;
        fresh.input_tokens += call.estimated_input();
    }

    /// The kinds of fresh calls.
    pub(super) fn kinds(&self) -> Vec<FreshKind> {
        self.fresh.keys().cloned().collect()
    }

    /// Such calls took so much when they were made.
    pub(super) fn measure(&mut self, kind: &FreshKind, measured: Option<MeasuredCalls>) {
        if let Some(fresh) = self.fresh.get_mut(kind) {
            fresh.measured = measured;
        }
    }

    /// What an answer takes: as much as such answers did, else as those that are known, else as much as it may.
    fn answer_tokens(&self, max_tokens: Option<u64>, measured: Option<MeasuredCalls>) -> u64 {
        let usual = measured.map(|calls| calls.output_tokens);
        let usual = usual.or_else(|| self.answered_output.checked_div(self.answered));
        usual.or(max_tokens).unwrap_or(UNBOUNDED_ANSWER).min(max_tokens.unwrap_or(u64::MAX))
    }

    /// The tokens that would be paid for, and their cost where it is known.
    fn bill(&self) -> (u64, Option<NanoDollars>) {
        let (mut tokens, mut cost) = (0_u64, Some(NanoDollars::ZERO));
        for (kind, fresh) in &self.fresh {
            let output = fresh.calls.saturating_mul(self.answer_tokens(kind.max_tokens, fresh.measured));
            let used = Tokens { input: fresh.input_tokens, output };
            tokens = tokens.saturating_add(used.total());
            cost = cost.zip(fresh.price.as_ref()).map(|(sum, price)| sum + fresh.cost(price, used));
        }
        for (max_tokens, calls) in &self.undetermined {
            let each = self.answer_tokens(*max_tokens, None);
            tokens = tokens.saturating_add(calls.saturating_mul(2 * each));
            cost = cost.filter(|_| each == 0);
        }
        (tokens, cost)
    }

    /// Seconds that the fresh calls take at the endpoint that is busy for the longest; `None` where it is not known how long
    /// some of them take. Calls that rest on answers which are not there yet are taken to be like the others.
    fn seconds(&self) -> Option<f64> {
        let mut busy: BTreeMap<Busy, BusyTime> = BTreeMap::new();
        for (kind, fresh) in &self.fresh {
            let time = busy.entry(kind.server.busy()).or_insert_with(|| BusyTime::new(fresh.limits));
            let output = fresh.calls.saturating_mul(self.answer_tokens(kind.max_tokens, fresh.measured));
            time.exchanges += fresh.calls as f64 * self.latency(fresh)?;
            time.calls += fresh.calls as f64;
            time.tokens += fresh.input_tokens.saturating_add(output) as f64;
        }
        let longest = busy.values().map(BusyTime::seconds).fold(0.0, f64::max);
        let known: u64 = self.fresh.values().map(|fresh| fresh.calls).sum();
        let undetermined: u64 = self.undetermined.values().sum();
        if known == 0 && undetermined > 0 {
            return None;
        }
        Some(longest * (1.0 + undetermined as f64 / known.max(1) as f64))
    }

    /// Seconds that an exchange takes: as such calls did, else as those that the cache knows.
    fn latency(&self, fresh: &FreshCalls) -> Option<f64> {
        let known = || {
            let millis = self.answered_latency_ms as f64 / self.answered as f64;
            (self.answered > 0).then_some(millis / 1_000.0)
        };
        fresh.measured.map(|measured| measured.latency.as_secs_f64()).or_else(known)
    }

    /// The estimate of a sweep of `size` configurations, whose samples are taken through the stages `walks` times in all.
    pub(super) fn scaled_to(self, size: u128, walks: u128) -> Estimate {
        let sampled = walks > u128::from(self.walks);
        let share = if self.walks == 0 { 0.0 } else { walks as f64 / self.walks as f64 };
        let scale = |count: u64| if sampled { scaled(count, share) } else { count };
        let calls = u128::from(self.calls).saturating_mul(walks) / u128::from(self.walks.max(1));
        let to_make = self.hashes.len() as u64;
        let cached = self.calls.saturating_sub(to_make);
        let seconds = self.seconds().map(|seconds| seconds * if sampled { share } else { 1.0 });
        let (tokens, cost) = self.bill();
        let cost = cost.map(|cost| {
            let nanos = u64::try_from(cost.nanos()).unwrap_or_default();
            NanoDollars::new(i64::try_from(scale(nanos)).unwrap_or(i64::MAX))
        });
        Estimate {
            configurations: u64::try_from(size).ok().filter(|count| *count < 1 << 53),
            configurations_text: size.to_string(),
            calls: u64::try_from(calls).unwrap_or(u64::MAX),
            cached_calls: scale(cached),
            tokens: scale(tokens),
            cost,
            seconds,
            sampled,
            warnings: Vec::new(),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, and never negative"
)]
fn scaled(count: u64, share: f64) -> u64 {
    (count as f64 * share) as u64
}
