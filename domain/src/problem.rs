//! What is wrong with a document, and where.

use std::fmt;

/// One thing that is wrong with a document: where, which kind of wrong, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer (RFC 6901) to the place, from the document's root.
    pub pointer: String,
    /// Stable name of the kind of problem, for programs.
    pub code: &'static str,
    /// What is wrong and how to mend it, for people.
    pub detail: String,
}

impl Problem {
    /// A problem at a place.
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }

    /// The same problem seen from further out: `prefix` is put before its pointer.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{place}: {}", self.detail)
    }
}

/// One segment of a JSON pointer, with `~` and `/` escaped.
#[must_use]
pub fn segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_moves_outwards() {
        let inner = Problem::new("/low", "not_finite", "low must be a finite number");
        let outer = inner.under(&format!("/parameter_space/{}", segment("a/b")));
        assert_eq!(outer.to_string(), "/parameter_space/a~1b/low: low must be a finite number");
    }
}
