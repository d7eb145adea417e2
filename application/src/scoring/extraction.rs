//! Finds the part of an output that a scorer judges.

use std::sync::Arc;

use domain::problem::Problem;
use domain::scoring::Extract;
use domain::value::Value;
use regex::{Regex, RegexBuilder};

use super::Ports;
use crate::form::pattern_error;
use crate::json::{self, from_json};
use crate::ports::offloaded;

/// The largest program that a pattern becomes, in bytes: some 1,000 states, each of which may look at each character.
const MAX_PATTERN: usize = 64 << 10;
/// The longest output that is searched between other work, and at all, in bytes.
const SHORT: usize = 8 << 10;
const LONG: usize = 4 << 20;
/// Bytes that are read at most while JSON is looked for, and what a try costs at least, in bytes.
const MAX_READ: usize = 16 << 20;
const MIN_TRY: usize = 512;

/// What to extract, with its pattern compiled.
#[derive(Debug, Clone)]
pub(super) struct Extraction(Arc<Ready>);

#[derive(Debug)]
struct Ready {
    extract: Extract,
    regex: Option<Result<Regex, String>>,
}

/// What was found of an output.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// This.
    Found(Value),
    /// What was looked for is not there: this is why.
    Missing(String),
}

/// The pattern of an extract, compiled.
pub(super) fn pattern(extract: &Extract) -> Result<Option<Regex>, Problem> {
    let Some(pattern) = &extract.regex else { return Ok(None) };
    let built = RegexBuilder::new(pattern).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).build();
    built.map(Some).map_err(|error| Problem::new("/extract/regex", "wrong_value", pattern_error(&error)))
}

impl Extraction {
    pub(super) fn new(extract: Extract) -> Self {
        let regex = pattern(&extract).map_err(|problem| problem.detail).transpose();
        Self(Arc::new(Ready { extract, regex }))
    }

    /// Finds the part; an error where the output is too long to be searched.
    pub(super) async fn find(&self, output: &Value, ports: &Ports) -> Result<Part, String> {
        let length = output.as_text().map_or(0, str::len);
        if length > LONG {
            return Err(format!("the output has {length} bytes: extract searches at most {LONG}"));
        }
        if length <= SHORT {
            return self.0.find(output);
        }
        let (ready, output) = (Arc::clone(&self.0), output.clone());
        let found = offloaded(&*ports.offload, move || ready.find(&output)).await;
        found.unwrap_or_else(|| Err("the scorer broke down".to_owned()))
    }
}

impl Ready {
    fn find(&self, output: &Value) -> Result<Part, String> {
        let Extract { after, json, pointer, .. } = &self.extract;
        if let (Value::Map(_) | Value::List(_), None, None) = (output, after, &self.regex) {
            return Ok(pointed(output, pointer.as_deref()));
        }
        let text = output.to_text();
        let mut part = &*text;
        if let Some(marker) = after {
            match part.rfind(marker.as_str()) {
                Some(at) => part = part[at + marker.len()..].trim(),
                None => return Ok(Part::Missing(format!("the output has no `{marker}`"))),
            }
        }
        if let Some(regex) = &self.regex {
            let regex = regex.as_ref().map_err(Clone::clone)?;
            let Some(found) = regex.captures(part) else {
                return Ok(Part::Missing(format!("nothing in the output matches `{regex}`")));
            };
            part = found.get(1).or_else(|| found.get(0)).map_or("", |group| group.as_str());
        }
        if !json && pointer.is_none() {
            return Ok(Part::Found(Value::from(part)));
        }
        let value = first_json(part)?;
        Ok(value.map_or_else(
            || Part::Missing("the output holds no JSON".to_owned()),
            |value| pointed(&value, pointer.as_deref()),
        ))
    }
}

/// What a JSON pointer leads to.
fn pointed(value: &Value, pointer: Option<&str>) -> Part {
    let Some(pointer) = pointer else { return Part::Found(value.clone()) };
    let found = value.at(pointer).cloned();
    found.map_or_else(|| Part::Missing(format!("the JSON has nothing at `{pointer}`")), Part::Found)
}

/// The JSON that a text is, or the first object or list in it.
pub(super) fn first_json(text: &str) -> Result<Option<Value>, String> {
    if let Ok(value) = json::parse(text.trim()) {
        return Ok(Some(value));
    }
    let mut read = 0;
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(['{', '['])) {
        let rest = &text[from + start..];
        match serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>().next() {
            Some(Ok(value)) => return Ok(Some(from_json(value))),
            Some(Err(error)) => read += MIN_TRY + offset(rest, error.line(), error.column()),
            None => return Ok(None),
        }
        if read > MAX_READ {
            return Err("looking for JSON in the output takes too long".to_owned());
        }
        from += start + 1;
    }
    Ok(None)
}

/// Where a line and a column, both from 1, are in a text.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + column
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(extract: Extract, output: &str) -> Result<Part, String> {
        Extraction::new(extract).0.find(&Value::from(output))
    }

    fn extract(fields: &[(&str, &str)]) -> Extract {
        let of = |name: &str| {
            fields.iter().find(|(field, _)| *field == name).map(|(_, value)| (*value).to_owned())
        };
        Extract { after: of("after"), regex: of("regex"), json: of("json").is_some(), pointer: of("pointer") }
    }

    #[test]
    fn parts_are_found_in_the_order_of_their_fields() {
        let fenced = "Sure:\n```json\n{\"a\": {\"b/c\": [1, \"x\"]}}\n```\nDone {";
        for (fields, output, found) in [
            (&[("json", "")][..], fenced, r#"{"a":{"b/c":[1,"x"]}}"#),
            (&[("pointer", "/a/b~1c/1")], fenced, "\"x\""),
            (&[("json", ""), ("pointer", "")], " 42 ", "42"),
            (&[("json", "")], "none here [but] {a: 1} then [2]", "[2]"),
            (&[("after", "####")], "4 * 5\n#### 19\n#### 20\n", "\"20\""),
            (&[("regex", "\\d+")], "about 12 or 13", "\"12\""),
            (&[("regex", "answer is (\\w+)")], "the answer is blue.", "\"blue\""),
            (
                &[("after", "Result:"), ("regex", "(\\{.*\\})"), ("pointer", "/x")],
                "{} Result: ok {\"x\": true}",
                "true",
            ),
        ] {
            let expected = json::parse(found).unwrap();
            assert_eq!(find(extract(fields), output), Ok(Part::Found(expected)), "{fields:?}");
        }
        let parsed = Value::from([("a", Value::from(1_i64))]);
        let ready = Extraction::new(extract(&[("pointer", "/a")]));
        assert_eq!(ready.0.find(&parsed), Ok(Part::Found(Value::from(1_i64))));
    }

    #[test]
    fn what_is_not_there_is_told() {
        for (fields, why) in [
            (&[("json", "")][..], "the output holds no JSON"),
            (&[("after", "####")], "the output has no `####`"),
            (&[("regex", "\\d")], "nothing in the output matches `\\d`"),
        ] {
            assert_eq!(find(extract(fields), "{no"), Ok(Part::Missing(why.to_owned())));
        }
        let pointer = extract(&[("pointer", "/a/5")]);
        assert_eq!(
            find(pointer, r#"{"a": [1]}"#),
            Ok(Part::Missing("the JSON has nothing at `/a/5`".to_owned()))
        );
        assert_eq!(pattern(&extract(&[("regex", "(")])).unwrap_err().pointer, "/extract/regex");
    }

    #[test]
    fn looking_for_json_ends() {
        let begun = std::time::Instant::now();
        for output in ["[".repeat(LONG), "{\"a\":".repeat(500_000), "[1,".repeat(1_000_000)] {
            assert!(!matches!(find(extract(&[("json", "")]), &output), Ok(Part::Found(_))));
        }
        assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    }
}
