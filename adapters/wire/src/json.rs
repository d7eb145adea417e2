//! Reads JSON documents, with the place of each error.

use application::json::strict::{self, JsonError};
use domain::problem::segment;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::wording;
use crate::yaml::{Place, excerpt};

/// Why a JSON document was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The text is not JSON.
    Syntax(JsonError),
    /// A value is invalid.
    Value {
        /// JSON pointer to the value.
        pointer: String,
        /// Stable name of the kind of problem, for programs.
        code: &'static str,
        /// The problem.
        detail: String,
        /// Line and column, from 1, if they differ from those of the value.
        place: Option<(u64, u64)>,
    },
}

/// Reads a JSON document. Refuses what would be changed by reading it.
///
/// # Errors
/// The first problem.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    strict::check(text).map_err(|error| {
        if error.is_syntax {
            return Refusal::Syntax(error);
        }
        let place = Some((error.line, error.column));
        Refusal::Value { pointer: error.pointer, code: "ambiguous", detail: error.detail, place }
    })?;
    let mut source = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let told = error.inner().to_string();
        // The pointer names the place already.
        let told = told.rsplit_once(" at line ").map_or(told.as_str(), |(detail, _)| detail);
        let pointer = pointer(error.path(), told);
        Refusal::Value { pointer, code: code(told), detail: wording::plain(told), place: None }
    })
}

/// Reads an experiment file in JSON.
///
/// # Errors
/// The first problem, with line, column and the lines around it.
pub fn read_file<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    read(text).map_err(|refusal| {
        let (line, column, detail) = match refusal {
            Refusal::Syntax(error) => (error.line, error.column, error.detail),
            Refusal::Value { pointer, detail, place, .. } => {
                let (line, column) = place.unwrap_or_else(|| place_of(text, &pointer));
                (line, column, if pointer.is_empty() { detail } else { format!("{pointer}: {detail}") })
            }
        };
        let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        excerpt(text, Place { line: at(line), column: at(column) }, &detail)
    })
}

/// The place of a value; for a missing one, the place of its parent.
fn place_of(text: &str, pointer: &str) -> (u64, u64) {
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let found = strict::place_of(text, pointer).or_else(|| strict::place_of(text, parent));
    found.unwrap_or((1, 1))
}

fn code(told: &str) -> &'static str {
    if told.starts_with("missing field") {
        "missing"
    } else if told.starts_with("unknown field") {
        "unknown_field"
    } else {
        "wrong_type"
    }
}

/// The pointer of a missing field itself, not of its parent.
fn pointer(path: &Path, told: &str) -> String {
    let steps = path.iter().filter_map(|step| match step {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(segment(key)),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    let missing = told.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    steps.chain(missing.map(segment)).fold(String::new(), |pointer, step| pointer + "/" + &step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::FileDocument;

    #[test]
    fn what_is_wrong_has_its_place_and_plain_words() {
        for (text, told) in [
            ("{\n  \"name\": 1}", "line 2, column 11: /name: this takes a text, not the number 1\n"),
            ("{\"name\": \"x\",\n \"name\": \"y\"}", "line 2, column 2: /name: the name `name` stands twice"),
            ("{\"name\": \"x\",\n}", "line 2, column 1: the comma before this"),
            ("{\"name\": \"x\"}", "line 1, column 1: /sample_data: missing field `sample_data`"),
            ("{\"nmae\": \"x\"}", "line 1, column 10: /nmae: unknown field `nmae`"),
            (
                "{\"name\": \"x\", \"sample_data\": [{\"input\": 123456789012345678901}]}",
                "line 1, column 41: /sample_data/0/input: the whole number",
            ),
            ("5", "line 1, column 1: this takes an object, not the number 5"),
        ] {
            let error = read_file::<FileDocument>(text).unwrap_err();
            assert!(error.starts_with(told), "{text}: {error}");
        }
    }
}
