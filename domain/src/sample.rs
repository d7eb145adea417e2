//! Samples: the inputs that a pipeline is evaluated on.

use crate::random::shuffled;
use crate::scoring::ScoringDraft;
use crate::value::{Map, Value};

/// One input, with its reference answer where it is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// A text, or JSON that templates can walk.
    pub input: Value,
    /// The reference answer.
    pub reference: Option<Value>,
    /// The accepted answers, where there are several; empty where there is a `reference`.
    pub references: Vec<Value>,
    /// Any further data.
    pub meta: Map,
    /// Scoring entries of its own.
    pub checks: Vec<ScoringDraft>,
}

/// The expected outputs for a sample.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expectations {
    /// The accepted answers; empty where none is known.
    pub references: Vec<Value>,
    /// Scoring entries of the sample's own.
    pub checks: Vec<ScoringDraft>,
}

impl Sample {
    /// The sample as documents write it, without absent fields.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut fields = Map::from([("input".to_owned(), self.input.clone())]);
        if let Some(reference) = &self.reference {
            fields.insert("reference".to_owned(), reference.clone());
        }
        if !self.references.is_empty() {
            fields.insert("references".to_owned(), Value::List(self.references.clone()));
        }
        if !self.meta.is_empty() {
            fields.insert("meta".to_owned(), Value::Map(self.meta.clone()));
        }
        if !self.checks.is_empty() {
            let checks = self.checks.iter().map(ScoringDraft::to_value);
            fields.insert("checks".to_owned(), Value::List(checks.collect()));
        }
        Value::Map(fields)
    }

    /// The accepted answers; none if no answer is known to be right.
    #[must_use]
    pub fn accepted(&self) -> &[Value] {
        self.reference.as_ref().map_or(&self.references, std::slice::from_ref)
    }

    /// Splits the sample into what templates see and the expected outputs. Templates see `input`, `meta` even if it
    /// is empty, `index` (the place in the set, from 0), and the first accepted answer as `reference`.
    #[must_use]
    pub fn into_parts(self, index: u32) -> (Value, Expectations) {
        let references = self.accepted().to_vec();
        let mut fields = Map::from([
            ("input".to_owned(), self.input),
            ("meta".to_owned(), Value::Map(self.meta)),
            ("index".to_owned(), Value::from(index)),
        ]);
        if let Some(reference) = references.first() {
            fields.insert("reference".to_owned(), reference.clone());
        }
        (Value::Map(fields), Expectations { references, checks: self.checks })
    }
}

/// The canonical text of a set of samples. Its SHA-256 identifies equal sets.
#[must_use]
pub fn canonical(samples: &[Sample]) -> String {
    let mut out = String::from("{\"v\":1,\"samples\":[");
    for (i, sample) in samples.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        sample.to_value().write_canonical(&mut out);
    }
    out.push_str("]}");
    out
}

/// The number of samples that are held out for a share from 0 to below 1: at least one if the share is above 0, but
/// never all.
#[must_use]
pub fn held_out(count: u32, share: f64) -> u32 {
    if share <= 0.0 || count < 2 {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the count")]
    let wanted = (f64::from(count) * share).round().clamp(1.0, f64::from(count - 1)) as u32;
    wanted
}

/// The order in which every run processes the samples of a set. Its seed depends on the set only, so runs of
/// different sweeps have processed the same samples if they have processed equally many. Held-out samples come last.
#[must_use]
pub fn order(set_seed: u64, count: u32) -> Vec<u32> {
    shuffled(set_seed, count as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_spelled_by_its_samples_alone() {
        let with_empty_meta = Sample { input: Value::from("a"), ..Sample::default() };
        let labelled = Sample { reference: Some(Value::from("x")), ..with_empty_meta.clone() };
        assert_eq!(
            canonical(&[with_empty_meta, labelled]),
            r#"{"v":1,"samples":[{"input":"a"},{"input":"a","reference":"x"}]}"#
        );
        let check = ScoringDraft { scorer: "length".into(), negate: true, ..ScoringDraft::default() };
        let checked = Sample {
            input: Value::from("a"),
            references: vec![Value::from("x"), Value::from("y")],
            checks: vec![check],
            ..Sample::default()
        };
        assert_eq!(
            canonical(&[checked]),
            r#"{"v":1,"samples":[{"checks":[{"negate":true,"scorer":"length"}],"input":"a","references":["x","y"]}]}"#
        );
    }

    #[test]
    fn a_share_is_held_out_and_some_are_left() {
        for (count, share, held) in [
            (10, 0.0, 0),
            (10, 0.25, 3),
            (10, 0.01, 1),
            (10, 0.99, 9),
            (1, 0.5, 0),
            (2, 0.5, 1),
            (1_000_000, 0.2, 200_000),
        ] {
            assert_eq!(held_out(count, share), held, "{share} of {count}");
        }
    }

    #[test]
    fn the_order_takes_each_sample_once() {
        let mut taken = order(7, 50);
        assert_eq!(taken, order(7, 50));
        assert_ne!(taken, order(8, 50));
        taken.sort_unstable();
        assert_eq!(taken, (0..50).collect::<Vec<_>>());
    }
}
