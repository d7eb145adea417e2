//! Scalars as written, and their meaning in YAML 1.2.

use application::json::strict::beyond_64_bits;
use domain::value::Number;
use granit_parser::Tag;

/// A scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Whether it has no quotes, so that it may be something else than a text.
    pub(super) plain: bool,
}

/// The meaning of a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    /// A number in canonical notation.
    Number(Number),
    /// A number, boolean or null in another notation, such as `12.50` or `True`.
    Respelled(Value),
    /// A number in an unclear notation, with an explanation.
    Unclear(String),
    /// Infinity or NaN.
    NotFinite,
    Text,
}

/// The value of a scalar in another notation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
}

impl Scalar {
    /// A scalar with a tag: `!!str` makes it a text, YAML's other tags demand a type.
    pub(super) fn tagged(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Self, String> {
        let scalar = |plain: bool| Self { text: text.to_owned(), plain };
        let Some(tag) = tag else { return Ok(scalar(plain)) };
        if tag.is_yaml_core_schema_tag("str") || tag.original() == "!" {
            return Ok(scalar(false));
        }
        let tagged = Self { text: text.to_owned(), plain: true };
        let is = |kind: &str| tag.is_yaml_core_schema_tag(kind);
        let fits = match tagged.reading() {
            Plain::Null | Plain::Respelled(Value::Null) => is("null"),
            Plain::Bool(_) | Plain::Respelled(Value::Bool(_)) => is("bool"),
            Plain::Number(_) | Plain::Respelled(Value::Number(_)) => is("int") || is("float"),
            Plain::Unclear(_) | Plain::NotFinite | Plain::Text => false,
        };
        if fits {
            return Ok(tagged);
        }
        if ["null", "bool", "int", "float"].into_iter().any(is) {
            return Err(format!("`{text}` is not what its tag {} says", tag.original()));
        }
        Err(unknown_tag(tag))
    }

    /// The meaning of a plain scalar.
    pub(super) fn reading(&self) -> Plain {
        match self.text.as_str() {
            "" | "~" | "null" => Plain::Null,
            "Null" | "NULL" => Plain::Respelled(Value::Null),
            "true" => Plain::Bool(true),
            "false" => Plain::Bool(false),
            "True" | "TRUE" => Plain::Respelled(Value::Bool(true)),
            "False" | "FALSE" => Plain::Respelled(Value::Bool(false)),
            ".nan" | ".NaN" | ".NAN" => Plain::NotFinite,
            text => number(text),
        }
    }
}

/// The message about an unknown tag.
pub(super) fn unknown_tag(tag: &Tag) -> String {
    let shown = tag.original();
    format!("the tag {shown} is not known here: leave it out, or quote the text if it belongs to one")
}

fn number(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if [".inf", ".Inf", ".INF"].contains(&unsigned) {
        return Plain::NotFinite;
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Plain::Text;
    }
    if let Some(value) = of_base(text) {
        return Plain::Unclear(write_plainly(text, &value));
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(unsigned) {
        return whole(text, unsigned);
    }
    if !is_decimal(unsigned) {
        let grouped = unsigned.contains('_') && digits(&unsigned.replace('_', ""));
        return if grouped {
            Plain::Unclear(write_plainly(text, &text.replace('_', "")))
        } else {
            Plain::Text
        };
    }
    let parsed = text.strip_prefix('+').unwrap_or(text).parse::<f64>().ok().and_then(Number::from_f64);
    match parsed {
        None => Plain::Unclear(format!("the number {text} is too large: quote it as \"{text}\"")),
        Some(_) if has_leading_zero(unsigned) => Plain::Unclear(leading_zero(text, unsigned)),
        Some(number) if number.to_string() == text => Plain::Number(number),
        Some(number) => Plain::Respelled(Value::Number(number)),
    }
}

fn whole(text: &str, unsigned: &str) -> Plain {
    if has_leading_zero(unsigned) {
        return Plain::Unclear(leading_zero(text, unsigned));
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    let number = plain.parse::<i64>().map(Number::from).or_else(|_| plain.parse::<u64>().map(Number::from));
    match number {
        Err(_) => Plain::Unclear(beyond_64_bits(text)),
        Ok(number) if number.to_string() == text => Plain::Number(number),
        Ok(number) => Plain::Respelled(Value::Number(number)),
    }
}

/// The decimal notation of `0x1F` and `0o17`.
fn of_base(text: &str) -> Option<String> {
    let (digits, radix) =
        text.strip_prefix("0x").map(|digits| (digits, 16)).or_else(|| Some((text.strip_prefix("0o")?, 8)))?;
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    is_number.then(|| {
        u64::from_str_radix(digits, radix).map_or_else(|_| "in decimal".into(), |value| value.to_string())
    })
}

/// Whether these are digits with a point or an exponent: `1.`, `.5`, `1e3`.
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits(before)
        && digits(after)
        && before.len() + after.len() > 0
        && !exponent.is_empty()
        && digits(exponent)
}

fn has_leading_zero(unsigned: &str) -> bool {
    unsigned.starts_with('0') && unsigned.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

fn leading_zero(text: &str, unsigned: &str) -> String {
    let sign = if text.starts_with('-') { "-" } else { "" };
    let rest = unsigned.trim_start_matches('0');
    let zero = if rest.starts_with(|first: char| first.is_ascii_digit()) { "" } else { "0" };
    write_plainly(text, &format!("{sign}{zero}{rest}"))
}

/// The message about a number in a notation that readers interpret differently.
fn write_plainly(text: &str, plain: &str) -> String {
    format!(
        "`{text}` is not clear as a number: write {plain}, or quote it as \"{text}\" where the text is meant"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_canonically_is_a_number() {
        let reading = |text: &str| Scalar { text: text.into(), plain: true }.reading();
        for text in
            ["0", "-1", "12.5", "0.25", "1e300", "1e-7", "18446744073709551615", "-9223372036854775808"]
        {
            assert!(matches!(reading(text), Plain::Number(number) if number.to_string() == text), "{text}");
        }
        for text in
            ["12.50", "5.0", "+1", ".5", "1e3", "-0", "-0.0", "0.1e1", "1.", "5E-1", "12345678901234567.5"]
        {
            assert!(matches!(reading(text), Plain::Respelled(Value::Number(_))), "{text}");
        }
        for text in ["007", "-007", "00.5", "0x1F", "0o17", "1_000", "123456789012345678901", "1e999"] {
            assert!(matches!(reading(text), Plain::Unclear(_)), "{text}");
        }
        for text in [
            "no",
            "on",
            "y",
            "off",
            "12:30:45",
            "2024-01-02",
            "=",
            "1,000",
            "1e",
            "e5",
            ".",
            "-",
            "1.2.3",
            "0b1",
            "0x",
            "_1",
            "yes",
        ] {
            assert_eq!(reading(text), Plain::Text, "{text}");
        }
        for text in [".nan", ".inf", "-.INF"] {
            assert_eq!(reading(text), Plain::NotFinite, "{text}");
        }
        for (text, advice) in [
            ("007", "write 7,"),
            ("-007", "write -7,"),
            ("0x1F", "write 31,"),
            ("0o17", "write 15,"),
            ("1_000", "write 1000,"),
            ("00.5", "write 0.5,"),
        ] {
            assert!(matches!(reading(text), Plain::Unclear(told) if told.contains(advice)), "{text}");
        }
    }
}
