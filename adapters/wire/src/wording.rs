//! Rewords serde's error messages in plain words.

use std::borrow::Cow;

use domain::problem::unknown;

/// serde's expressions, and their plain forms.
const EXPECTED: [(&str, &str); 14] = [
    ("a string", "a text"),
    ("a borrowed string", "a text"),
    ("string or map", "a text or an object"),
    ("a boolean", "true or false"),
    ("f64", "a number"),
    ("i64", "a whole number"),
    ("u64", "a whole number from 0 up"),
    ("u32", "a whole number from 0 to 4294967295"),
    ("u16", "a whole number from 0 to 65535"),
    ("usize", "a whole number from 0 up"),
    ("a sequence", "a list"),
    ("a map", "an object"),
    ("variant identifier", "one of its words"),
    ("a formatted UUID string", "an id, as other answers give it"),
];

/// The message in plain words. A place at its end, such as ` at line 3 column 4`, must be removed before.
#[must_use]
pub fn plain(told: &str) -> String {
    if let Some(rest) = told.strip_prefix("invalid type: ").or_else(|| told.strip_prefix("invalid value: "))
        && let Some((found, expected)) = rest.rsplit_once(", expected ")
    {
        return format!("this takes {}, not {}", expectation(expected), finding(found));
    }
    if let Some((name, known)) = named(told, "unknown field `") {
        return unknown("field", name, known.iter().map(Cow::as_ref));
    }
    if let Some((name, known)) = named(told, "unknown variant `") {
        return unknown("value", name, known.iter().map(Cow::as_ref));
    }
    if let Some(name) = told.strip_prefix("duplicate field ") {
        return format!("{name} stands twice: remove or rename one");
    }
    if told.starts_with("data did not match any variant") {
        return "this is neither one text nor a list of texts".to_owned();
    }
    told.to_owned()
}

/// The name in backquotes after these words, and the expected names.
fn named<'a>(told: &'a str, words: &str) -> Option<(&'a str, Vec<Cow<'a, str>>)> {
    let rest = told.strip_prefix(words)?;
    let (name, behind) = rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, there are no "))?;
    // A name may contain anything, so the expected names are searched after the last of these words.
    let known = behind.split('`').skip(1).step_by(2).map(Cow::Borrowed);
    Some((name, known.collect()))
}

fn expectation(expected: &str) -> &str {
    let known = EXPECTED.iter().find(|(theirs, _)| *theirs == expected);
    match known {
        Some((_, ours)) => ours,
        None if expected.starts_with("struct ") || expected.starts_with("internally tagged") => "an object",
        None if expected.starts_with("enum ") => "one of its words",
        None => expected,
    }
}

fn finding(found: &str) -> Cow<'_, str> {
    let plain = |kind: &str| Some(found.strip_prefix(kind)?.trim_matches('`'));
    let number = plain("integer ").or_else(|| plain("floating point "));
    match found {
        "map" => "an object".into(),
        "sequence" => "a list".into(),
        "unit value" | "null" | "Option value" => "null".into(),
        _ if number.is_some() => format!("the number {}", number.unwrap_or_default()).into(),
        _ if found.starts_with("boolean ") => plain("boolean ").unwrap_or_default().to_owned().into(),
        _ => found
            .strip_prefix("string ")
            .map_or(Cow::Borrowed(found), |text| format!("the text {text}").into()),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::api::Credentials;
    use crate::dimension::DimensionDocument;
    use crate::file::ColumnsDocument;

    fn told<T: DeserializeOwned>(text: &str) -> String {
        let error = serde_json::from_str::<T>(text).err().map(|error| error.to_string()).unwrap_or_default();
        plain(error.rsplit_once(" at line ").map_or(error.as_str(), |(told, _)| told))
    }

    #[test]
    fn no_word_of_serde_is_left() {
        for (found, expected) in [
            (
                told::<Credentials>(r#"{"username": 1, "password": "x"}"#),
                "this takes a text, not the number 1",
            ),
            (told::<Credentials>(r#"{"username": null}"#), "this takes a text, not null"),
            (told::<Credentials>("[[]]"), "this takes a text, not a list"),
            (told::<Credentials>("3.5"), "this takes an object, not the number 3.5"),
            (told::<Credentials>(r#"{"username": "a", "pasword": "b"}"#), "unknown field `pasword`"),
            (told::<DimensionDocument>(r#"{"type": "floot"}"#), "unknown value `floot`"),
            (
                told::<DimensionDocument>(r#"{"type": "int", "low": "3"}"#),
                "this takes a number, not the text \"3\"",
            ),
            (told::<DimensionDocument>(r#"{"type": "int", "low": 1, "low": 2}"#), "`low` stands twice"),
            (
                told::<DimensionDocument>(r#"{"type": "int", "log": 1}"#),
                "this takes true or false, not the number 1",
            ),
            (told::<ColumnsDocument>(r#"{"references": 5}"#), "this is neither one text nor a list"),
        ] {
            assert!(found.starts_with(expected), "{found:?} instead of {expected:?}");
        }
        assert!(told::<DimensionDocument>(r#"{"type": "int", "hihg": 1}"#).contains("high"));
    }
}
