//! JSON as servers write it: with what JSON does not allow replaced by what it does.

use std::fmt::Write as _;

/// Text that is strict JSON where `text` is JSON but for numbers that are none (`NaN`, `Infinity`), raw control
/// characters within strings, and what stands in front of the first brace: comments of event streams, blank lines,
/// guards against script inclusion.
pub(crate) fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = behind_preamble(text);
    while let Some(at) = rest.find(['"', 'N', 'I', '-']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        rest = if from.starts_with('"') { string(from, &mut out) } else { number(from, &mut out) };
    }
    out + rest
}

/// The text from the first line on that begins an object or a list.
fn behind_preamble(text: &str) -> &str {
    let mut rest = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    while !rest.starts_with(['{', '[']) {
        match rest.split_once('\n') {
            Some((_, next)) => rest = next.trim_start_matches([' ', '\t', '\r', '\n']),
            None => return text,
        }
    }
    rest
}

/// Copies a string with its control characters escaped; what follows it.
fn string<'a>(text: &'a str, out: &mut String) -> &'a str {
    out.push('"');
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                out.push('"');
                return &text[at + 1..];
            }
            '\\' => {
                out.push('\\');
                out.extend(characters.next().map(|(_, escaped)| escaped));
            }
            // Writing to a string cannot fail.
            control if control < ' ' => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    ""
}

/// Copies a sign or the first letter of what may be a number that is none; what follows it.
fn number<'a>(text: &'a str, out: &mut String) -> &'a str {
    for word in ["NaN", "Infinity", "-Infinity", "-NaN"] {
        if let Some(rest) = text.strip_prefix(word) {
            out.push_str("null");
            return rest;
        }
    }
    let length = text.chars().next().map_or(0, char::len_utf8);
    out.push_str(&text[..length]);
    &text[length..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_does_not_allow_is_replaced() {
        for (text, json) in [
            (
                "\u{feff}\n {\"a\": NaN, \"b\": [-Infinity, Infinity, -1]}",
                r#"{"a": null, "b": [null, null, -1]}"#,
            ),
            ("{\"a\": \"x\ny\tNaN \\\" \\\\\"}", "{\"a\": \"x\\u000ay\\u0009NaN \\\" \\\\\"}"),
            (": PROCESSING\n\n: PROCESSING\n\n{\"a\": 1}", "{\"a\": 1}"),
            (")]}'\n{\"a\": 1}", "{\"a\": 1}"),
            ("<html>", "<html>"),
            ("{\"a", "{\"a"),
            ("{\"a\\", "{\"a\\"),
        ] {
            assert_eq!(strict(text), json, "{text:?}");
        }
    }
}
