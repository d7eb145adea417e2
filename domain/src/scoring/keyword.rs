//! Judges whether an output contains required words and no forbidden ones.

use super::options::Options;
use super::text_rules::comparable;
use super::{Judgement, Score, TextRules};
use crate::value::Value;

/// Required and forbidden terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword {
    /// Terms that must occur.
    pub required: Vec<String>,
    /// Terms that must not occur.
    pub forbidden: Vec<String>,
    /// Whether upper and lower case are equal.
    pub ignore_case: bool,
    /// Whether a term counts only if no letter or digit touches it.
    pub whole_word: bool,
}

impl Keyword {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        let (required, forbidden) = (options.texts("required"), options.texts("forbidden"));
        let (ignore_case, whole_word) =
            (options.flag("ignore_case", true), options.flag("whole_word", false));
        if required.is_empty() && forbidden.is_empty() && !options.may_come(&["required", "forbidden"]) {
            options.wrong("required", "missing", "name required terms, forbidden ones, or both");
            return None;
        }
        Some(Self { required, forbidden, ignore_case, whole_word })
    }

    /// The share of terms that are satisfied.
    pub(super) fn evaluate(&self, output: &str, rules: &dyn TextRules) -> Judgement {
        let output = comparable(output, self.ignore_case, rules);
        let found = |term: &&String| self.has(&output, &comparable(term, self.ignore_case, rules));
        let missing: Vec<&String> = self.required.iter().filter(|term| !found(term)).collect();
        let present: Vec<&String> = self.forbidden.iter().filter(found).collect();
        let all = self.terms();
        let judgement = Judgement::new(Score::share(all - missing.len() - present.len(), all));
        let named = |terms: Vec<&String>| {
            Value::List(terms.into_iter().map(|term| Value::from(term.as_str())).collect())
        };
        match (missing.is_empty(), present.is_empty()) {
            (true, true) => judgement,
            (false, true) => judgement.with("missing", named(missing)),
            (true, false) => judgement.with("forbidden", named(present)),
            (false, false) => judgement.with("missing", named(missing)).with("forbidden", named(present)),
        }
    }

    /// The number of terms.
    pub(super) const fn terms(&self) -> usize {
        self.required.len() + self.forbidden.len()
    }

    /// Whether a term occurs. A term that is empty after normalisation does not occur.
    fn has(&self, output: &str, term: &str) -> bool {
        if term.is_empty() {
            return false;
        }
        let mut places = output.match_indices(term);
        places.any(|(at, _)| !self.whole_word || stands_alone(output, at, at + term.len()))
    }
}

fn stands_alone(text: &str, from: usize, to: usize) -> bool {
    let before = text[..from].chars().next_back();
    let after = text[to..].chars().next();
    [before, after].into_iter().flatten().all(|neighbour| !neighbour.is_alphanumeric())
}
