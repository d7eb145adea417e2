//! Whether an output is the reference, or contains it.

use super::Judgement;
use super::options::Options;
use crate::value::Value;

/// Equality with the reference, or with a fixed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactMatch {
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
    /// Whether white space at both ends does not count.
    pub trim: bool,
    /// What to compare with instead of the reference.
    pub value: Option<Value>,
}

/// Containment of the reference, or of a fixed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contains {
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
    /// What to look for instead of the reference.
    pub value: Option<Value>,
}

impl ExactMatch {
    pub(super) fn read(options: &mut Options<'_>) -> Self {
        let (ignore_case, trim) = (options.flag("ignore_case", false), options.flag("trim", true));
        Self { ignore_case, trim, value: options.optional("value").cloned() }
    }

    pub(super) fn evaluate(&self, output: &str, reference: Option<&Value>) -> Option<Judgement> {
        let expected = self.value.as_ref().or(reference)?.to_text();
        let trimmed = |text: &str| if self.trim { text.trim().to_owned() } else { text.to_owned() };
        let equal = fold(&trimmed(output), self.ignore_case) == fold(&trimmed(&expected), self.ignore_case);
        Some(Judgement::new(equal.into()))
    }
}

impl Contains {
    pub(super) fn read(options: &mut Options<'_>) -> Self {
        Self { ignore_case: options.flag("ignore_case", true), value: options.optional("value").cloned() }
    }

    pub(super) fn evaluate(&self, output: &str, reference: Option<&Value>) -> Option<Judgement> {
        let wanted = self.value.as_ref().or(reference)?.to_text();
        let found = fold(output, self.ignore_case).contains(&fold(&wanted, self.ignore_case));
        Some(Judgement::new(found.into()))
    }
}

fn fold(text: &str, ignore_case: bool) -> String {
    if ignore_case { text.to_lowercase() } else { text.to_owned() }
}
