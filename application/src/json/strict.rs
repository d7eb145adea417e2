//! Reads JSON that people bring: what serde would silently change is refused, with its place and in plain words.
//!
//! Refused are names that stand twice in an object, whole numbers beyond 64 bits, and nesting beyond [`MAX_DEPTH`].

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use domain::problem::segment;
use domain::value::Value;
use serde_json::Value as Json;

use super::from_json;
use super::wording;

/// Levels of lists and objects inside each other.
pub const MAX_DEPTH: usize = 128;

/// Why a JSON text was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// JSON pointer to the value; empty where the text is not JSON.
    pub pointer: String,
    /// Whether the text is not JSON at all.
    pub is_syntax: bool,
    /// What is wrong, and how to mend it.
    pub detail: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.detail)
    }
}

/// Reads JSON text.
///
/// # Errors
/// The first place that is not JSON, or that would not be kept as it is written.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    check(text)?;
    serde_json::from_str::<Json>(text).map(from_json).map_err(|error| wording::error(text, &error))
}

/// Whether a text is JSON that is kept as it is written.
///
/// # Errors
/// As of [`parse`].
pub fn check(text: &str) -> Result<(), JsonError> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| wording::error(text, &error))?;
    let mut scanner = Scanner::new(text);
    while scanner.step().map_err(|fault| scanner.error(fault))? {}
    Ok(())
}

/// Line and column, from 1, of the value at a JSON pointer in a text that [`check`] takes.
#[must_use]
pub fn place_of(text: &str, pointer: &str) -> Option<(u64, u64)> {
    let depth = pointer.matches('/').count();
    let mut scanner = Scanner::new(text);
    loop {
        scanner.skip_blanks();
        let at_value = matches!(scanner.peek(), Some(byte) if !b",:]}".contains(&byte)) && !scanner.at_name();
        if at_value && scanner.stack.len() == depth && scanner.pointer() == pointer {
            return Some(place(text, scanner.at));
        }
        if !scanner.step().ok()? {
            return None;
        }
    }
}

/// Line and column, from 1, of a byte of a text.
pub(super) fn place(text: &str, offset: usize) -> (u64, u64) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() as u64 + 1;
    (line, before[line_start..].chars().count() as u64 + 1)
}

/// What is wrong with a token that begins at this byte.
struct Fault {
    at: usize,
    detail: String,
}

/// A list or object that is open.
enum Frame<'a> {
    List(usize),
    Object { names: HashSet<Cow<'a, str>>, name: Cow<'a, str>, awaits_name: bool },
}

/// Goes through the tokens of a text that is known to be JSON.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    stack: Vec<Frame<'a>>,
}

impl<'a> Scanner<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, at: 0, stack: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Whether the text that comes next is the name of a field.
    fn at_name(&self) -> bool {
        self.peek() == Some(b'"')
            && matches!(self.stack.last(), Some(Frame::Object { awaits_name: true, .. }))
    }

    /// Takes one token; false at the end.
    fn step(&mut self) -> Result<bool, Fault> {
        self.skip_blanks();
        let Some(byte) = self.peek() else { return Ok(false) };
        match byte {
            b'{' => self.open(Frame::Object {
                names: HashSet::new(),
                name: Cow::Borrowed(""),
                awaits_name: true,
            })?,
            b'[' => self.open(Frame::List(0))?,
            b'}' | b']' => {
                self.stack.pop();
                self.at += 1;
            }
            b',' => self.next_item(),
            b':' => self.at += 1,
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            // true, false and null.
            _ => self.at += self.rest().bytes().take_while(u8::is_ascii_lowercase).count().max(1),
        }
        Ok(true)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn open(&mut self, frame: Frame<'a>) -> Result<(), Fault> {
        if self.stack.len() >= MAX_DEPTH {
            let detail = format!("lists and objects are nested deeper than {MAX_DEPTH} levels");
            return Err(Fault { at: self.at, detail });
        }
        self.stack.push(frame);
        self.at += 1;
        Ok(())
    }

    fn next_item(&mut self) {
        self.at += 1;
        match self.stack.last_mut() {
            Some(Frame::List(index)) => *index += 1,
            Some(Frame::Object { awaits_name, .. }) => *awaits_name = true,
            None => {}
        }
    }

    fn string(&mut self) -> Result<(), Fault> {
        let begin = self.at;
        let mut end = begin + 1;
        let bytes = self.text.as_bytes();
        let mut is_plain = true;
        while let Some(byte) = bytes.get(end).filter(|byte| **byte != b'"') {
            let escape = usize::from(*byte == b'\\');
            is_plain &= escape == 0;
            end += 1 + escape;
        }
        self.at = end + 1;
        let Some(Frame::Object { names, name, awaits_name: awaits @ true }) = self.stack.last_mut() else {
            return Ok(());
        };
        *awaits = false;
        let written = self.text.get(begin + 1..end).unwrap_or_default();
        *name = if is_plain {
            Cow::Borrowed(written)
        } else {
            let literal = self.text.get(begin..=end).unwrap_or_default();
            serde_json::from_str::<String>(literal).map_or(Cow::Borrowed(written), Cow::Owned)
        };
        if names.insert(name.clone()) {
            return Ok(());
        }
        let detail = format!("the name `{name}` stands twice in this object: remove or rename one");
        Err(Fault { at: begin, detail })
    }

    fn number(&mut self) -> Result<(), Fault> {
        let at = self.at;
        let length = self.rest().bytes().take_while(|byte| b"+-.eE0123456789".contains(byte)).count();
        let written = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        let is_whole = !written.contains(['.', 'e', 'E']);
        if is_whole && written.parse::<i64>().is_err() && written.parse::<u64>().is_err() {
            return Err(Fault { at, detail: beyond_64_bits(written) });
        }
        if !is_whole && !written.parse::<f64>().is_ok_and(f64::is_finite) {
            let detail = format!("the number {} is too large: quote it, as a text", cut(written));
            return Err(Fault { at, detail });
        }
        Ok(())
    }

    /// JSON pointer to the value that is read.
    fn pointer(&self) -> String {
        let step = |frame: &Frame<'_>| match frame {
            Frame::List(index) => format!("/{index}"),
            Frame::Object { name, .. } => format!("/{}", segment(name)),
        };
        self.stack.iter().map(step).collect()
    }

    fn error(&self, fault: Fault) -> JsonError {
        let (line, column) = place(self.text, fault.at);
        // Where things are nested too deep, the way to them says nothing.
        let pointer = if self.stack.len() < MAX_DEPTH { self.pointer() } else { String::new() };
        JsonError { line, column, pointer, is_syntax: false, detail: fault.detail }
    }
}

/// What is said of a whole number that would be rounded.
#[must_use]
pub fn beyond_64_bits(written: &str) -> String {
    let written = cut(written);
    format!("the whole number {written} does not fit into 64 bits: quote it, as in \"{written}\"")
}

/// The beginning of what is written, where it is long.
fn cut(written: &str) -> Cow<'_, str> {
    /// Characters of a number that are shown.
    const SHOWN: usize = 40;
    written.char_indices().nth(SHOWN).map_or(Cow::Borrowed(written), |(end, _)| {
        Cow::Owned(format!("{}…", written.get(..end).unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_changed_silently_is_refused_with_its_place() {
        for (text, pointer, place, told) in [
            (r#"{"a": 1, "a": 2}"#, "/a", (1, 10), "`a` stands twice"),
            ("[{\"x\": {\"a\": 1,\n \"\\u0061\": 2}}]", "/0/x/a", (2, 2), "`a` stands twice"),
            ("[1, 18446744073709551616]", "/1", (1, 5), "does not fit into 64 bits: quote it"),
            ("{\"n\": -9223372036854775809}", "/n", (1, 7), "does not fit into 64 bits"),
            ("[1e999]", "/0", (1, 2), "too large"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.pointer.as_str(), (error.line, error.column)), (pointer, place), "{text}");
            assert!(error.detail.contains(told), "{error}");
        }
        for text in [
            r#"[{"a": 1}, {"a": {"a": [18446744073709551615, -9223372036854775808]}}]"#,
            r#"{"a": "\"a\": 1, {", "b\\": [], "c": 1e300, "d": 100000000000000000000.5}"#,
        ] {
            assert_eq!(parse(text).unwrap(), super::super::parse(text).unwrap());
        }
    }

    #[test]
    fn bombs_are_refused_in_bounded_time() {
        let began = std::time::Instant::now();
        for text in ["[".repeat(100_000), "[".repeat(100_000) + &"]".repeat(100_000)] {
            parse(&text).unwrap_err();
        }
        let deep = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
        assert!(parse(&deep).unwrap_err().detail.contains("nested deeper than 128"));
        assert!(began.elapsed() < std::time::Duration::from_secs(5));
    }

    #[test]
    fn values_are_found_in_their_text() {
        let text = "{\"rows\": [\n  {\"a/b\": 1},\n  {\"a/b\": [1, 2]}\n]}";
        for (pointer, place) in
            [("", (1, 1)), ("/rows/0", (2, 3)), ("/rows/1", (3, 3)), ("/rows/1/a~1b/1", (3, 15))]
        {
            assert_eq!(place_of(text, pointer), Some(place), "{pointer}");
        }
        assert_eq!(place_of(text, "/rows/2"), None);
    }
}
