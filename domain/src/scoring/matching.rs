//! Judges whether an output equals the reference, or contains it.

use super::options::Options;
use super::text_rules::{comparable, text_of, with_texts};
use super::{Judgement, ScorerError, TextRules};
use crate::value::Value;

/// Equality with the reference, or with a fixed value. JSON is compared by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactMatch {
    /// Whether upper and lower case are equal.
    pub ignore_case: bool,
    /// Whether white space at both ends is ignored.
    pub trim: bool,
    /// The value to compare with, instead of the reference.
    pub value: Option<Value>,
}

/// Containment of the reference, or of fixed values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contains {
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
    /// The values to look for, instead of the reference.
    pub value: Option<ContainedValues>,
}

/// The values that an output has to contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainedValues {
    /// This value.
    One(Value),
    /// At least one of these.
    Any(Vec<Value>),
    /// All of these.
    All(Vec<Value>),
}

impl ExactMatch {
    pub(super) fn read(options: &mut Options<'_>) -> Self {
        let (ignore_case, trim) = (options.flag("ignore_case", false), options.flag("trim", true));
        Self { ignore_case, trim, value: options.optional("value").cloned() }
    }

    pub(super) fn evaluate(
        &self,
        output: &Value,
        references: &[Value],
        rules: &dyn TextRules,
    ) -> Option<Judgement> {
        let expected = self.value.as_ref().map_or(references, std::slice::from_ref);
        (!expected.is_empty()).then(|| {
            Judgement::new(expected.iter().any(|expected| self.equal(output, expected, rules)).into())
        })
    }

    fn equal(&self, output: &Value, expected: &Value, rules: &dyn TextRules) -> bool {
        if let (Some(a), Some(b)) = (json(output, expected, rules), json(expected, output, rules)) {
            let same = |text: &str| comparable(text, self.ignore_case, rules).into_owned();
            return with_texts(&a, &same) == with_texts(&b, &same);
        }
        self.text(output, rules) == self.text(expected, rules)
    }

    fn text(&self, value: &Value, rules: &dyn TextRules) -> String {
        let text = text_of(value);
        let text = comparable(&text, self.ignore_case, rules);
        if self.trim { text.trim().to_owned() } else { text.into_owned() }
    }
}

/// A value as JSON, if it or the value that it is compared with is not a text.
fn json(value: &Value, other: &Value, rules: &dyn TextRules) -> Option<Value> {
    match (value, other) {
        (Value::Null, _) | (_, Value::Null) | (Value::Text(_), Value::Text(_)) => None,
        (Value::Text(text), _) => rules.read_json(text.trim()),
        (value, _) => Some(value.clone()),
    }
}

impl Contains {
    pub(super) fn read(options: &mut Options<'_>) -> Self {
        let ignore_case = options.flag("ignore_case", true);
        let value = options.optional("value").cloned();
        let how = options.optional_word("match", &["any", "all"]);
        if value.is_none() && how.is_some() {
            options.wrong("match", "wrong_value", "goes with a list in `value`");
        }
        let value = value.map(|value| match (value, how) {
            (Value::List(values), Some("any")) => ContainedValues::Any(values),
            (Value::List(values), Some(_)) => ContainedValues::All(values),
            (Value::List(values), None) => {
                options.wrong(
                    "match",
                    "missing",
                    "`value` is a list: say whether `any` or `all` of it must be there",
                );
                ContainedValues::All(values)
            }
            (value, _) => ContainedValues::One(value),
        });
        Self { ignore_case, value }
    }

    pub(super) fn evaluate(
        &self,
        output: &Value,
        references: &[Value],
        rules: &dyn TextRules,
    ) -> Result<Option<Judgement>, ScorerError> {
        let (wanted, all) = match &self.value {
            Some(ContainedValues::One(value)) => (std::slice::from_ref(value), true),
            Some(ContainedValues::Any(values)) => (values.as_slice(), false),
            Some(ContainedValues::All(values)) => (values.as_slice(), true),
            None if references.is_empty() => return Ok(None),
            None => (references, false),
        };
        let output = text_of(output);
        let output = comparable(&output, self.ignore_case, rules);
        let mut missing = Vec::new();
        for value in wanted {
            let text = text_of(value);
            let text = comparable(&text, self.ignore_case, rules);
            if text.is_empty() {
                return Err(ScorerError::new("there is nothing to look for: the text is empty"));
            }
            if !output.contains(&*text) {
                missing.push(value.clone());
            }
        }
        let good = if all { missing.is_empty() } else { missing.len() < wanted.len() };
        let judgement = Judgement::new(good.into());
        let tells = !good && wanted.len() > 1;
        Ok(Some(if tells { judgement.with("missing", Value::List(missing)) } else { judgement }))
    }
}
