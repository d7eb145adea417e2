//! Operations on texts that need the tables of Unicode or a parser, which the domain does not have.

use std::borrow::Cow;
use std::fmt;

use crate::value::{Map, Value};

/// The rules of Unicode and JSON that scorers use to compare texts.
pub trait TextRules: fmt::Debug + Send + Sync {
    /// The text in normalization form C (UAX #15).
    fn nfc<'a>(&self, text: &'a str) -> Cow<'a, str>;

    /// The text after full case folding (Unicode 16, section 3.13.3), in normalization form C.
    fn fold_case(&self, text: &str) -> String;

    /// The tokens of a text in order: the parts between word boundaries (UAX #29), without white space.
    fn tokens<'a>(&self, text: &'a str) -> Vec<Token<'a>>;

    /// Parses a text as JSON.
    fn read_json(&self, text: &str) -> Option<Value>;
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// A word, a number, a symbol, or one character of a script without spaces between words.
    Word(&'a str),
    /// A punctuation mark.
    Mark(&'a str),
}

/// Rules for texts in ASCII, without JSON. For other texts, implement the trait with tables of Unicode and a parser.
#[derive(Debug, Clone, Copy)]
pub struct AsciiRules;

impl TextRules for AsciiRules {
    fn nfc<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    fn fold_case(&self, text: &str) -> String {
        text.to_ascii_lowercase()
    }

    fn tokens<'a>(&self, text: &'a str) -> Vec<Token<'a>> {
        text.split_ascii_whitespace().map(Token::Word).collect()
    }

    fn read_json(&self, _: &str) -> Option<Value> {
        None
    }
}

/// The normal form of a text for comparison: normalization form C, line ends as LF, no zero-width characters, and
/// plain spaces for no-break spaces.
pub(super) fn normal<'a>(text: &'a str, rules: &dyn TextRules) -> Cow<'a, str> {
    if text.is_ascii() && !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let lines = text.replace("\r\n", "\n");
    let seen = lines.chars().filter(|c| !matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}'));
    let seen: String = seen
        .map(|c| match c {
            '\r' => '\n',
            '\u{a0}' | '\u{202f}' => ' ',
            c => c,
        })
        .collect();
    Cow::Owned(rules.nfc(&seen).into_owned())
}

/// The same, with case folding if upper and lower case are equal.
pub(super) fn comparable<'a>(text: &'a str, ignore_case: bool, rules: &dyn TextRules) -> Cow<'a, str> {
    let normal = normal(text, rules);
    match ignore_case {
        true if normal.is_ascii() => Cow::Owned(normal.to_ascii_lowercase()),
        true => Cow::Owned(rules.fold_case(&normal)),
        false => normal,
    }
}

/// A value with `change` applied to every text in it.
pub(super) fn with_texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Text(text) => Value::Text(change(text)),
        Value::List(items) => Value::List(items.iter().map(|item| with_texts(item, change)).collect()),
        Value::Map(fields) => {
            let changed = fields.iter().map(|(name, value)| (change(name), with_texts(value, change)));
            Value::Map(changed.collect::<Map>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The text that scorers compare. The text of null is empty.
pub(super) fn text_of(value: &Value) -> Cow<'_, str> {
    if *value == Value::Null { Cow::Borrowed("") } else { value.to_text() }
}
