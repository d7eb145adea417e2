//! Problems of documents, with their places.

use std::fmt;

use crate::edits::edit_distance;
use crate::value::Value;

/// One problem of a document: its place, its kind, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer (RFC 6901) to the place, from the document's root.
    pub pointer: String,
    /// Stable name of the kind of problem, for programs.
    pub code: &'static str,
    /// What is wrong and how to fix it, for people.
    pub detail: String,
}

impl Problem {
    /// A problem at a place.
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }

    /// The same problem with `prefix` before its pointer.
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

/// The most problems that are reported for one document.
pub(crate) const MAX_PROBLEMS: usize = 100;
/// The most known names that are listed in a message about an unknown name.
const LISTED_NAMES: usize = 20;
/// The most known names that an unknown one is compared with.
const SUGGESTIONS_TRIED: usize = 1_000;
/// The longest name that is compared, in bytes: the cost grows with the product of both lengths.
const MAX_NAME_COMPARED: usize = 100;
/// A known name is suggested only if it has at least this many characters for each edit.
const MIN_CHARS_PER_EDIT: usize = 3;

/// Whether there are as many problems as are reported, so that the check can stop.
#[must_use]
pub const fn is_full(problems: &[Problem]) -> bool {
    problems.len() >= MAX_PROBLEMS
}

/// Keeps only as many problems as are reported.
#[must_use]
pub fn capped(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.truncate(MAX_PROBLEMS);
    problems
}

/// The known names, for people: the first twenty, and how many more there are.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let first: Vec<&str> = names.by_ref().take(LISTED_NAMES).collect();
    match names.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The edits between an unknown name and a known one, unless there are too many for a misspelling.
fn edits(name: &str, known: &str) -> Option<usize> {
    let [from, to] = [name, known].map(|text| text.chars().collect::<Vec<_>>());
    edit_distance(&from, &to).ok().filter(|edits| edits * MIN_CHARS_PER_EDIT <= to.len())
}

/// A message for people: a name is unknown, which known name was probably meant, and which names exist.
pub fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let names = listed(known.clone());
    if names.is_empty() {
        return format!("unknown {kind} `{name}`. There are none");
    }
    let likely = known
        .into_iter()
        .take(if name.len() <= MAX_NAME_COMPARED { SUGGESTIONS_TRIED } else { 0 })
        .filter(|candidate| candidate.len() <= MAX_NAME_COMPARED)
        .filter_map(|candidate| Some((edits(name, candidate)?, candidate)))
        .min_by_key(|(edits, _)| *edits);
    let meant = likely.map_or_else(String::new, |(_, candidate)| format!(" (did you mean `{candidate}`?)"));
    format!("unknown {kind} `{name}`{meant}. Known: {names}")
}

/// Finds texts that contain U+0000, which not every database can store.
pub fn nul(value: &Value, pointer: &str, problems: &mut Vec<Problem>) {
    nul_below(value, &Path::Root(pointer), problems);
}

/// The path to a value. It is written out only for problems, because names can be long and have many values below
/// them.
enum Path<'a> {
    Root(&'a str),
    Item(&'a Path<'a>, usize),
    Field(&'a Path<'a>, &'a str),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(pointer) => f.write_str(pointer),
            Self::Item(of, i) => write!(f, "{of}/{i}"),
            Self::Field(of, name) => write!(f, "{of}/{}", segment(name)),
        }
    }
}

fn nul_below(value: &Value, path: &Path<'_>, problems: &mut Vec<Problem>) {
    match value {
        Value::Text(text) => nul_text(text, path, problems),
        Value::List(list) => {
            for (i, item) in list.iter().enumerate() {
                nul_below(item, &Path::Item(path, i), problems);
            }
        }
        Value::Map(map) => {
            for (name, item) in map {
                let path = Path::Field(path, name);
                nul_text(name, &path, problems);
                nul_below(item, &path, problems);
            }
        }
        _ => {}
    }
}

fn nul_text(text: &str, path: &Path<'_>, problems: &mut Vec<Problem>) {
    if text.contains('\0') && !is_full(problems) {
        let detail = "texts cannot hold the character U+0000: remove it";
        problems.push(Problem::new(path.to_string(), "nul", detail));
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

    #[test]
    fn an_unknown_name_is_reported_with_the_name_that_was_probably_meant() {
        let known = ["temperature", "top_p"];
        for (name, told) in [
            (
                "temprature",
                "unknown parameter `temprature` (did you mean `temperature`?). Known: temperature, top_p",
            ),
            ("size", "unknown parameter `size`. Known: temperature, top_p"),
        ] {
            assert_eq!(unknown("parameter", name, known), told);
        }
        assert_eq!(unknown("stage", "s", []), "unknown stage `s`. There are none");
        let long = "n".repeat(1 << 20);
        assert!(!unknown("stage", &long, [long.as_str()]).contains("did you mean"));
    }

    #[test]
    fn a_long_name_is_compared_in_linear_time() {
        let many = Value::List(vec![Value::from("a"); 300_000]);
        let document = Value::Map([("n".repeat(1 << 20), many)].into());
        let mut found = Vec::new();
        nul(&document, "", &mut found);
        assert_eq!(found, []);
    }

    #[test]
    fn the_number_of_reported_problems_is_limited() {
        let mut found = Vec::new();
        nul(&Value::List(vec![Value::from("\0"); 100_000]), "", &mut found);
        assert_eq!(found.len(), MAX_PROBLEMS);
        let names: Vec<String> = (0..1_000).map(|i| format!("d{i}")).collect();
        assert!(listed(names.iter().map(String::as_str)).ends_with("d19 and 980 more"));
        assert_eq!(listed(["a", "b"]), "a, b");
    }
}
