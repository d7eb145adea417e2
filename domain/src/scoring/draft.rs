//! A scoring entry as somebody wrote it down.

use crate::value::{Map, Value};

/// A scoring entry as somebody wrote it down.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoringDraft {
    /// Its name; the scorer's where absent.
    pub name: Option<String>,
    /// The scorer.
    pub scorer: String,
    /// Its weight; 1 where absent.
    pub weight: Option<f64>,
    /// The stage whose output it judges; the last where absent.
    pub stage: Option<String>,
    /// The part of the output that it judges; all of it where absent.
    pub extract: Option<Extract>,
    /// Whether its value is turned: 1 - v.
    pub negate: bool,
    /// The value from which on it is 1, and below which it is 0; as it is where absent.
    pub pass_at: Option<f64>,
    /// The scorer's options.
    pub options: Map,
}

/// The part of an output that a scorer judges. What is set applies in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extract {
    /// What stands behind the last occurrence of this text.
    pub after: Option<String>,
    /// The first group of this pattern's first match; the whole match where it has no group.
    pub regex: Option<String>,
    /// The first JSON found.
    pub json: bool,
    /// What this JSON pointer (RFC 6901) leads to.
    pub pointer: Option<String>,
}

impl ScoringDraft {
    /// The name that its scores have.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.scorer)
    }

    /// The entry as documents spell it; what is absent is left out.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let fields = [
            ("name", text(&self.name)),
            ("scorer", Some(Value::from(self.scorer.as_str()))),
            ("weight", self.weight.map(Value::number)),
            ("stage", text(&self.stage)),
            ("extract", self.extract.as_ref().map(Extract::to_value)),
            ("negate", self.negate.then_some(Value::Bool(true))),
            ("pass_at", self.pass_at.map(Value::number)),
            ("options", (!self.options.is_empty()).then(|| Value::Map(self.options.clone()))),
        ];
        present(fields)
    }
}

impl Extract {
    fn to_value(&self) -> Value {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        present([
            ("after", text(&self.after)),
            ("regex", text(&self.regex)),
            ("json", self.json.then_some(Value::Bool(true))),
            ("pointer", text(&self.pointer)),
        ])
    }
}

fn present<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    Value::Map(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}
