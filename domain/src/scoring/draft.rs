//! Drafts of scoring entries.

use crate::secret::Secret;
use crate::service::ServiceOrigin;
use crate::value::{Map, Value};

/// The draft of a scoring entry.
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
    /// Whether its value is inverted: 1 - v.
    pub negate: bool,
    /// The threshold for a value of 1; values below it become 0. Without a threshold, values are unchanged.
    pub pass_at: Option<f64>,
    /// The scorer's options.
    pub options: Map,
}

/// The part of an output that a scorer judges. The fields apply in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extract {
    /// The text after the last occurrence of this text.
    pub after: Option<String>,
    /// The first group of this pattern's first match; the whole match where it has no group.
    pub regex: Option<String>,
    /// The first JSON found.
    pub json: bool,
    /// The value at this JSON pointer (RFC 6901).
    pub pointer: Option<String>,
}

impl ScoringDraft {
    /// The name of its scores.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.scorer)
    }

    /// The values of headers that it sends to a service, which may be keys.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.headers_mut().into_iter().flat_map(Map::values_mut).filter_map(|value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        })
    }

    fn headers_mut(&mut self) -> Option<&mut Map> {
        match self.options.get_mut("headers") {
            Some(Value::Map(headers)) if self.scorer == "http" => Some(headers),
            _ => None,
        }
    }

    /// The entry in the place of a known one: where it has [`Secret::MASK`] for the value of a header, the known value stays,
    /// as long as it goes to the same service.
    pub(crate) fn keep_secrets(&mut self, known: &Self) {
        let urls = [&*self, known].map(|entry| entry.options.get("url").and_then(Value::as_text));
        let [own, other] = urls.map(|url| url.and_then(|url| ServiceOrigin::parse(url).ok()));
        let is_same = urls[0] == urls[1] || own.is_some() && own == other;
        let Some(Value::Map(known)) = known.options.get("headers").filter(|_| is_same) else { return };
        for (name, value) in self.headers_mut().into_iter().flatten() {
            let kept = known.get(name).filter(|_| value.as_text() == Some(Secret::MASK));
            if let Some(kept) = kept {
                value.clone_from(kept);
            }
        }
    }

    /// The entry as documents write it, without absent fields.
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
