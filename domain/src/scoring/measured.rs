//! Judges how long an output took, and what it cost.

use std::time::Duration;

use super::options::Options;
use super::{Judgement, Score, ScorerError};
use crate::money::NanoDollars;
use crate::value::Value;

/// What the calls of one output took, with the original figures of those that a cache answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// The time of all calls, one after the other; `None` if no call was made.
    pub latency: Option<Duration>,
    /// Their cost; `None` if some price is not known.
    pub cost: Option<NanoDollars>,
}

/// The latency up to which an output is worth 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyTarget {
    target_ms: f64,
}

/// The cost of a sample up to which an output is worth 1, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostTarget {
    target: f64,
}

impl LatencyTarget {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        options.positive("target_ms").map(|target_ms| Self { target_ms })
    }

    /// min(1, target / latency). `None` if no call was made.
    #[must_use]
    pub fn evaluate(self, measured: Measured) -> Option<Judgement> {
        let latency_ms = measured.latency?.as_secs_f64() * 1_000.0;
        let judgement = Judgement::new(within(self.target_ms, latency_ms));
        Some(judgement.with("latency_ms", Value::number(latency_ms.round())))
    }
}

impl CostTarget {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        options.positive("target").map(|target| Self { target })
    }

    /// min(1, target / cost). `None` if no call was made.
    ///
    /// # Errors
    /// The price of a call is not known.
    pub fn evaluate(self, measured: Measured) -> Result<Option<Judgement>, ScorerError> {
        if measured.latency.is_none() {
            return Ok(None);
        }
        let unknown = "the cost is not known: give the endpoint a price for each of its models";
        let cost = measured.cost.ok_or_else(|| ScorerError::new(unknown))?.dollars();
        Ok(Some(Judgement::new(within(self.target, cost)).with("cost", Value::number(cost))))
    }
}

fn within(target: f64, actual: f64) -> Score {
    if actual <= target { Score::ONE } else { Score::try_new(target / actual).unwrap_or(Score::ZERO) }
}
