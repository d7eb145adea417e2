//! Says in plain words what a JSON parser found wrong.

use serde_json::error::Category;

use super::strict::JsonError;

/// What the parser's words begin with, and ours.
const WORDS: [(&str, &str); 13] = [
    ("expected `,` or `}`", "`,` or `}` belongs here"),
    ("expected `,` or `]`", "`,` or `]` belongs here"),
    ("expected `:`", "`:` belongs here"),
    ("trailing characters", "the JSON is complete before this: remove what follows"),
    ("key must be a string", "a name in double quotes belongs here"),
    ("control character", "a line break or tab inside a text is written \\n or \\t"),
    ("invalid escape", "`\\` does not go with this letter: a backslash in a text is written \\\\"),
    ("invalid number", "this is not a number of JSON: write it plainly, or in quotes"),
    ("number out of range", "the number is too large: quote it, as a text"),
    ("recursion limit", "lists and objects are nested deeper than 128 levels"),
    ("invalid unicode", "this is not a character: write \\uXXXX with four digits"),
    ("lone leading surrogate", "this is half a character: write both of its \\uXXXX"),
    ("unexpected end of hex", "this is half a character: write both of its \\uXXXX"),
];

/// What other notations have where JSON has something else.
const FOREIGN: [(&str, &str); 7] = [
    ("NaN", "JSON has no NaN: write null, or quote it"),
    ("Infinity", "JSON has no Infinity: write null, or quote it"),
    ("-Infinity", "JSON has no Infinity: write null, or quote it"),
    ("None", "this is Python's spelling: JSON writes null"),
    ("True", "this is Python's spelling: JSON writes true"),
    ("False", "this is Python's spelling: JSON writes false"),
    ("'", "JSON quotes with \", not with '"),
];

/// The parser's error about this text.
pub(super) fn error(text: &str, error: &serde_json::Error) -> JsonError {
    let (line, column) = (error.line().max(1) as u64, error.column().max(1) as u64);
    let (before, here) = around(text, error.line(), error.column());
    JsonError {
        line,
        column: before.chars().count().max(1) as u64,
        pointer: String::new(),
        is_syntax: true,
        detail: detail(error, here)
            .unwrap_or_else(|| format!("this is not JSON (byte {column} of the line)")),
    }
}

/// The line up to and with the byte that was found wrong, and the text from that byte on.
fn around(text: &str, line: usize, column: usize) -> (&str, &str) {
    let begin = text.match_indices('\n').nth(line.wrapping_sub(2)).map_or(0, |(at, _)| at + 1);
    let rest = text.get(begin..).unwrap_or_default();
    let mut at = column.saturating_sub(1).min(rest.len());
    while !rest.is_char_boundary(at) {
        at -= 1;
    }
    let end = rest[at..].chars().next().map_or(at, |next| at + next.len_utf8());
    (&rest[..end], &rest[at..])
}

fn detail(error: &serde_json::Error, here: &str) -> Option<String> {
    if error.classify() == Category::Eof {
        return Some(
            "the JSON ends in the middle: is the file cut off, or a bracket or quote not closed?".into(),
        );
    }
    if here.starts_with('\u{feff}') {
        let told = "a byte order mark stands here, as when files were joined: remove it";
        return Some(told.to_owned());
    }
    if here.starts_with(['}', ']']) {
        return Some("the comma before this is one too many, or a value is missing".to_owned());
    }
    if let Some((_, told)) = FOREIGN.iter().find(|(sign, _)| here.starts_with(sign)) {
        return Some((*told).to_owned());
    }
    let said = error.to_string();
    let known = WORDS.iter().find(|(begin, _)| said.starts_with(begin));
    known.map(|(_, told)| (*told).to_owned()).or_else(|| {
        let expects_value = said.starts_with("expected value") || said.starts_with("expected ident");
        expects_value.then(|| {
            "a value belongs here: a text in double quotes, a number, true, false, null, [ or {".to_owned()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::strict::parse;

    #[test]
    fn errors_speak_the_language_of_json() {
        for (text, told) in [
            ("", "line 1, column 1: the JSON ends in the middle"),
            ("{\"a\": 1", "line 1, column 7: the JSON ends in the middle"),
            ("{\"a\": 1,\n}", "line 2, column 1: the comma before this"),
            ("[1,]", "line 1, column 4: the comma before this"),
            ("{'a': 1}", "line 1, column 2: JSON quotes with \""),
            ("{a: 1}", "line 1, column 2: a name in double quotes"),
            ("[NaN]", "line 1, column 2: JSON has no NaN"),
            ("[1 2]", "line 1, column 4: `,` or `]` belongs here"),
            ("[\"ü\" \"x\"]", "line 1, column 6: `,` or `]`"),
            ("{} {}", "line 1, column 4: the JSON is complete before this"),
            ("[\"a\nb\"]", "a line break or tab inside a text"),
            ("\n\u{feff}{}", "line 2, column 1: a byte order mark"),
            ("[True]", "line 1, column 2: this is Python's spelling"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().contains(told), "{text:?}: {error}");
        }
    }
}
