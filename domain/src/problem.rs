//! What is wrong with a document, and where.

use std::fmt;

use crate::value::Value;

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

/// Finds every text that holds U+0000. It is refused at the door: not every database can keep it.
pub fn nul(value: &Value, pointer: &str, problems: &mut Vec<Problem>) {
    match value {
        Value::Text(text) if text.contains('\0') => {
            problems.push(Problem::new(pointer, "nul", "texts cannot hold the character U+0000: remove it"));
        }
        Value::List(list) => {
            for (i, item) in list.iter().enumerate() {
                nul(item, &format!("{pointer}/{i}"), problems);
            }
        }
        Value::Map(map) => {
            for (name, item) in map {
                let pointer = format!("{pointer}/{}", segment(name));
                nul(&Value::from(name.as_str()), &pointer, problems);
                nul(item, &pointer, problems);
            }
        }
        _ => {}
    }
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

    #[test]
    fn nul_is_found_wherever_it_stands() {
        let document = Value::from([
            ("whole", Value::from("a")),
            ("a/b", Value::List(vec![Value::from("a"), Value::from("\0")])),
            ("n\0", Value::from(1_u64)),
        ]);
        let mut found = Vec::new();
        nul(&document, "", &mut found);
        let pointers: Vec<&str> = found.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a~1b/1", "/n\0"]);
    }
}
