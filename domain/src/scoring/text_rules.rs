//! What comparing texts takes that needs the tables of Unicode or a parser. The domain has neither.

use std::borrow::Cow;
use std::fmt;

use crate::value::{Map, Value};

/// The rules of Unicode and JSON that scorers compare texts by.
pub trait TextRules: fmt::Debug + Send + Sync {
    /// The text in normalization form C (UAX #15).
    fn nfc<'a>(&self, text: &'a str) -> Cow<'a, str>;

    /// The text after full case folding (Unicode 16, section 3.13.3), in normalization form C.
    fn fold_case(&self, text: &str) -> String;

    /// The tokens of a text, in order: what stands between word boundaries (UAX #29) but white space.
    fn tokens<'a>(&self, text: &'a str) -> Vec<Token<'a>>;

    /// The value that a text spells in JSON.
    fn read_json(&self, text: &str) -> Option<Value>;
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// A word, a number, a symbol, or one character of a script without blanks between words.
    Word(&'a str),
    /// A punctuation mark.
    Mark(&'a str),
}

/// Rules that suffice for texts in ASCII without JSON. Whoever compares other texts brings the tables of Unicode and a
/// parser.
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

/// A text as readers see it: in normalization form C, its lines ended by LF, without characters that have no width,
/// with plain blanks for those that forbid a line break.
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

/// The same, and after case folding where upper and lower case are one.
pub(super) fn comparable<'a>(text: &'a str, ignore_case: bool, rules: &dyn TextRules) -> Cow<'a, str> {
    let normal = normal(text, rules);
    match ignore_case {
        true if normal.is_ascii() => Cow::Owned(normal.to_ascii_lowercase()),
        true => Cow::Owned(rules.fold_case(&normal)),
        false => normal,
    }
}

/// A value with every text in it changed.
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

/// The text of a value that scorers compare; nothing is the empty text.
pub(super) fn text_of(value: &Value) -> Cow<'_, str> {
    if *value == Value::Null { Cow::Borrowed("") } else { value.to_text() }
}
