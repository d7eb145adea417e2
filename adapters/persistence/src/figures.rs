//! What lists of runs are sorted and filtered by: metrics of ended runs that can be ranked, and the values of
//! dimensions. Each is stored as a row, in an index that pages are read from.

use std::borrow::Cow;

use application::ports::Metric;
use domain::id::{ExperimentId, RunId};
use domain::money::NanoDollars;
use domain::run::ScorerTotal;
use domain::value::{Map, Number, Value};
use sea_orm::Value as Bound;

use crate::dialect::{id, maybe_real, text};

pub(crate) const METRICS: &str = "INSERT INTO run_metric (run_id, name, experiment_id, value)";
pub(crate) const AGAIN: &str = "ON CONFLICT (run_id, name) DO UPDATE SET value = excluded.value";
pub(crate) const VALUES: &str = "INSERT INTO run_value (run_id, name, experiment_id, value)";

/// The name of a metric in its table.
pub(crate) fn metric_name(metric: &Metric) -> Cow<'static, str> {
    Cow::Borrowed(match metric {
        Metric::Score => "score",
        Metric::Cost => "cost_estimate",
        Metric::Latency => "latency_ms",
        Metric::CostPerSample => "cost_per_sample",
        Metric::LatencyPerSample => "latency_per_sample",
        Metric::Scorer(name) => return Cow::Owned(format!("scores.{name}")),
    })
}

/// The metrics of a run that ended.
pub(crate) struct Figures<'a> {
    pub(crate) run: RunId,
    pub(crate) experiment: ExperimentId,
    pub(crate) score: Option<f64>,
    pub(crate) scores: &'a [ScorerTotal],
    pub(crate) cost: Option<NanoDollars>,
    pub(crate) latency_ms: u64,
    /// How many answers were requested: samples times repetitions.
    pub(crate) asked: u64,
}

impl Figures<'_> {
    /// The rows of the metrics. An unknown metric has no row.
    pub(crate) fn rows(&self) -> Vec<Vec<Bound>> {
        let (cost, latency) = (self.cost.map(NanoDollars::dollars), self.latency_ms as f64);
        let each = |total: f64| (self.asked > 0).then(|| total / self.asked as f64);
        let known = [
            (Metric::Score, self.score),
            (Metric::Cost, cost),
            (Metric::Latency, Some(latency)),
            (Metric::CostPerSample, cost.and_then(each)),
            (Metric::LatencyPerSample, each(latency)),
        ];
        let scores = self.scores.iter().map(|total| (Metric::Scorer(total.name.clone()), total.value));
        let all = known.into_iter().chain(scores);
        all.filter_map(|(metric, value)| Some(self.row(&metric, value?))).collect()
    }

    fn row(&self, metric: &Metric, value: f64) -> Vec<Bound> {
        let name = text(metric_name(metric));
        vec![id(self.run.bits()), name, id(self.experiment.bits()), maybe_real(Some(value))]
    }
}

/// The rows of the values of a run's dimensions.
pub(crate) fn value_rows(run: RunId, experiment: ExperimentId, values: &Map) -> Vec<Vec<Bound>> {
    let row = |(name, value): (&String, &Value)| {
        vec![id(run.bits()), text(name.as_str()), id(experiment.bits()), text(value_key(value))]
    };
    values.iter().map(row).collect()
}

/// A text for a value: equal values have equal texts, and texts sort as the values do: numbers by size, then texts,
/// then everything else.
pub(crate) fn value_key(value: &Value) -> String {
    match value {
        Value::Number(number) => number_key(*number),
        Value::Text(text) => shortened(&format!("t{text}")),
        other => shortened(&format!("z{}", other.canonical())),
    }
}

/// The bits of the number, transformed so that they sort as the numbers do.
fn number_key(number: Number) -> String {
    let bits = (number.as_f64() + 0.0).to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    format!("n{ordered:016x}")
}

/// Shortens a long text to its beginning and a hash (FNV-1a) of the whole, because index entries have a size limit.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 64;
    const KEPT: usize = 40;
    let text = text.replace('\0', "\u{fffd}");
    if text.len() <= LONGEST {
        return text;
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept = (0..=KEPT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…{hash:016x}", &text[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_values_do() {
        let sorted = [
            Value::number(-1e300),
            Value::from(-2_i64),
            Value::number(-0.5),
            Value::from(0_u64),
            Value::number(0.1),
            Value::from(9_u64),
            Value::from(10_u64),
            Value::number(1e300),
            Value::from(""),
            Value::from("10"),
            Value::from("a"),
            Value::from("é"),
            Value::from(false),
            Value::from(true),
        ];
        let keys: Vec<String> = sorted.iter().map(value_key).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(value_key(&Value::number(-0.0)), value_key(&Value::from(0_u64)));
    }

    #[test]
    fn long_texts_are_short_keys_and_stay_different() {
        let long = "é".repeat(5_000);
        let (one, other) = (value_key(&Value::from(&*long)), value_key(&Value::from(&*(long + "x"))));
        assert!(one.len() < 64, "{one}");
        assert_ne!(one, other);
        assert_eq!(one.split_once('…').map(|(kept, _)| kept), other.split_once('…').map(|(kept, _)| kept));
    }
}
