//! What a fake server counts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Counts since the start or the last reset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Requests for completions.
    pub calls: u64,
    /// Distinct bodies of those.
    pub distinct: u64,
    /// Prompt tokens that were reported.
    pub input_tokens: u64,
    /// Completion tokens that were reported.
    pub output_tokens: u64,
    /// Requests in flight now.
    pub in_flight: u64,
    /// The most requests in flight at once.
    pub max_in_flight: u64,
    /// Requests for completions by model.
    pub models: BTreeMap<String, u64>,
    /// Requests for embeddings.
    pub embedding_requests: u64,
    /// Texts that were embedded.
    pub embedded_texts: u64,
    /// Distinct pairs of a model and an embedded text.
    pub distinct_texts: u64,
}

/// A request for a completion.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// When it came.
    pub at: Instant,
    /// The tokens that were reported for it.
    pub tokens: u64,
}

/// The counts with the data that they are computed from.
#[derive(Default)]
pub(super) struct Tally {
    counts: Counts,
    arrivals: Vec<Arrival>,
    bodies: HashSet<u64>,
    texts: HashSet<(String, String)>,
    faults: HashMap<u64, u32>,
}

impl Tally {
    /// Counts a request for a completion. Returns its number among them.
    pub(super) fn begin(&mut self) -> usize {
        self.counts.calls += 1;
        self.begin_exchange();
        self.arrivals.push(Arrival { at: Instant::now(), tokens: 0 });
        self.arrivals.len() - 1
    }

    /// Every request for a completion, in the order of arrival.
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.clone()
    }

    /// Counts a request for embeddings.
    pub(super) fn begin_embedding(&mut self) {
        self.counts.embedding_requests += 1;
        self.begin_exchange();
    }

    fn begin_exchange(&mut self) {
        self.counts.in_flight += 1;
        self.counts.max_in_flight = self.counts.max_in_flight.max(self.counts.in_flight);
    }

    /// Counts texts embedded by this model.
    pub(super) fn texts(&mut self, model: &str, texts: &[String]) {
        self.counts.embedded_texts += texts.len() as u64;
        self.texts.extend(texts.iter().map(|text| (model.to_owned(), text.clone())));
    }

    /// Counts a request as ended: answered, or its client left.
    pub(super) fn end(&mut self) {
        self.counts.in_flight -= 1;
    }

    /// Counts a body with this hash, for this model.
    pub(super) fn body(&mut self, hash: u64, model: &str) {
        self.bodies.insert(hash);
        match self.counts.models.get_mut(model) {
            Some(count) => *count += 1,
            None => drop(self.counts.models.insert(model.to_owned(), 1)),
        }
    }

    /// Tokens are reported for the completion with this number.
    pub(super) fn report_for(&mut self, number: usize, input: u64, output: u64) {
        if let Some(arrival) = self.arrivals.get_mut(number) {
            arrival.tokens += input + output;
        }
        self.report(input, output);
    }

    /// Counts reported tokens.
    pub(super) fn report(&mut self, input: u64, output: u64) {
        self.counts.input_tokens += input;
        self.counts.output_tokens += output;
    }

    /// How often the body with this hash has had its fault so far. Counts it once more.
    pub(super) fn fault(&mut self, hash: u64) -> u32 {
        let times = self.faults.entry(hash).or_default();
        *times += 1;
        *times
    }

    pub(super) fn counts(&self) -> Counts {
        let (distinct, distinct_texts) = (self.bodies.len() as u64, self.texts.len() as u64);
        Counts { distinct, distinct_texts, ..self.counts.clone() }
    }

    pub(super) fn reset(&mut self) {
        let in_flight = self.counts.in_flight;
        *self = Self {
            counts: Counts { in_flight, max_in_flight: in_flight, ..Counts::default() },
            ..Self::default()
        };
    }
}
