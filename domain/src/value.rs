//! JSON-shaped data with a canonical text.
//!
//! Parameters, samples and documents consist of [`Value`]s. The [`canonical`](Value::canonical) text is equal for
//! equal values and different for different ones. All hashes are computed from it.

mod number;

pub use number::Number;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// A map from names to values, sorted by name.
pub type Map = BTreeMap<String, Value>;

/// One piece of JSON-shaped data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Map(Map),
}

impl Value {
    /// A text value.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number; `Null` if it is not finite.
    #[must_use]
    pub fn number(value: f64) -> Self {
        Number::from_f64(value).map_or(Self::Null, Self::Number)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A text itself, any other value as its canonical text.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        self.as_text().map_or_else(|| Cow::Owned(self.canonical()), Cow::Borrowed)
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// What a JSON pointer leads to (RFC 6901); an empty one leads to the value itself.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        let mut value = self;
        for token in pointer.split('/').skip(1) {
            value = match value {
                Self::Map(fields) => fields.get(&token.replace("~1", "/").replace("~0", "~"))?,
                Self::List(items) => items.get(index(token)?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// What kind of value this is, in the words of JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }

    /// The one spelling of this value: JSON without white space, names in byte order, numbers at their shortest, and
    /// nothing escaped but quotes, backslashes and control characters.
    ///
    /// ```
    /// use promptlooper_domain::value::Value;
    /// let value = Value::from([("b", Value::number(1.0)), ("a", Value::text("ü\n"))]);
    /// assert_eq!(value.canonical(), r#"{"a":"ü\n","b":1}"#);
    /// ```
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    /// About the bytes of memory that it uses.
    #[must_use]
    pub fn size(&self) -> usize {
        let own = size_of::<Self>();
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => own,
            Self::Text(text) => own + text.len(),
            Self::List(list) => own + list.iter().map(Self::size).sum::<usize>(),
            Self::Map(map) => {
                let field = |(name, value): (&String, &Self)| size_of::<String>() + name.len() + value.size();
                own + map.iter().map(field).sum::<usize>()
            }
        }
    }

    /// Appends the [`canonical`](Self::canonical) text to `out`.
    pub fn write_canonical(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            // Writing to a string cannot fail.
            Self::Number(number) => drop(write!(out, "{number}")),
            Self::Text(text) => write_text(text, out),
            Self::List(list) => write_list(list, out),
            Self::Map(map) => write_map(map, out),
        }
    }
}

/// The index that a token of a JSON pointer names: digits without leading zeros.
fn index(token: &str) -> Option<usize> {
    let is_plain = token == "0" || !token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| token.parse().ok())?
}

fn write_list(list: &[Value], out: &mut String) {
    out.push('[');
    for (i, item) in list.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        item.write_canonical(out);
    }
    out.push(']');
}

/// Appends the canonical text of a map to `out`.
pub fn write_map(map: &Map, out: &mut String) {
    out.push('{');
    for (i, (name, item)) in map.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        item.write_canonical(out);
    }
    out.push('}');
}

/// Appends this text to `out` as a canonical JSON string literal.
pub fn write_text(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    while let Some(at) = first_escaped(rest.as_bytes()) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => drop(write!(out, "\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// The first byte that must be escaped in a string literal.
fn first_escaped(bytes: &[u8]) -> Option<usize> {
    /// Bytes that are checked together, which compiles to a few instructions.
    const CHUNK: usize = 32;
    let is_escaped = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let plain = bytes.chunks_exact(CHUNK).take_while(|chunk| {
        // No branch for each byte.
        !chunk.iter().fold(false, |found, byte| found | is_escaped(byte))
    });
    let from = plain.count() * CHUNK;
    bytes[from..].iter().position(is_escaped).map(|at| from + at)
}

/// The canonical text.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(u64::from(value).into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Self {
        Self::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl<const N: usize> From<[(&str, Value); N]> for Value {
    fn from(fields: [(&str, Value); N]) -> Self {
        Self::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values of every kind, with texts that need escaping and numbers in several notations.
    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-4..4_i64).prop_map(Value::from),
            (-8..8_i64).prop_map(|eighths| Value::number(eighths as f64 / 8.0)),
            any::<f64>().prop_map(Value::number),
            "[a\"\\\\\u{1}\n,:\\[\\]{}é0]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                proptest::collection::btree_map("[ab\":,]{0,2}", inner, 0..4).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_are_spelled_alike_exactly_when_they_are_equal(a in any_value(), b in any_value()) {
            prop_assert_eq!(a == b, a.canonical() == b.canonical());
        }

        #[test]
        fn no_text_ends_its_own_literal(text in "(?s).{0,20}") {
            let literal = Value::from(text.as_str()).canonical();
            let inner = &literal[1..literal.len() - 1];
            prop_assert!(!inner.contains(|c| c < ' '));
            prop_assert!(!inner.replace("\\\\", "").replace("\\\"", "").contains('"'));
        }
    }

    #[test]
    fn equal_numbers_have_one_spelling() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1, "0.1"),
            (1e300, "1e300"),
            (1e-7, "1e-7"),
            (9_223_372_036_854_775_808.0, "9223372036854775808"),
        ] {
            assert_eq!(Value::number(value).canonical(), text);
        }
        assert_eq!(Value::number(f64::NAN), Value::Null);
        assert_eq!(Value::from(u64::MAX).canonical(), "18446744073709551615");
    }

    #[test]
    fn texts_escape_only_what_json_demands() {
        assert_eq!(Value::text("a\"\\\u{1}é\u{7f}/").canonical(), "\"a\\\"\\\\\\u0001é\u{7f}/\"");
    }

    #[test]
    fn pointers_lead_into_values() {
        let list = Value::List(vec![Value::from(1_u32), Value::from("two")]);
        let value = Value::from([("a/b", Value::from([("~", list)])), ("", Value::Null)]);
        for (pointer, found) in [
            ("/a~1b/~0/1", Some("\"two\"")),
            ("/a~1b/~0/0", Some("1")),
            ("/", Some("null")),
            ("/a~1b/~0/2", None),
            ("/a~1b/~0/01", None),
            ("/a~1b/~0/+1", None),
            ("/a~1b/~0/-", None),
            ("/a~1b/~0/1/x", None),
            ("/a", None),
        ] {
            assert_eq!(value.at(pointer).map(Value::canonical).as_deref(), found, "{pointer}");
        }
        assert_eq!(value.at(""), Some(&value));
    }

    #[test]
    fn whole_numbers_compare_exactly() {
        let (a, b) = (Number::from(i64::MAX), Number::from(i64::MAX as u64 + 1));
        assert_eq!(a.compare(b), std::cmp::Ordering::Less);
    }
}
