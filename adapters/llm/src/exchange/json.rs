//! Reads JSON as servers write it: strictly at first, and leniently where that fails.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::{event_stream, relaxed};

/// What was read, and whether bytes that are no text had to be replaced for it.
pub(crate) struct Parsed<T> {
    pub(crate) value: T,
    pub(crate) lossy: bool,
}

/// Reads `body`, whose strings may have bytes that are not UTF-8 or lone surrogates, and whose objects may have
/// duplicate names, of which the last one counts. `None` where it is not of the shape of `T`.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Option<Parsed<T>> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Some(Parsed { value, lossy: false });
    }
    let Parsed { value, lossy } = tree(body)?;
    Some(Parsed { value: serde_json::from_value(value).ok()?, lossy })
}

/// The JSON within `body`, however it is wrapped: see [`relaxed::strict`] and [`event_stream::answer`]. What follows the
/// first document is not read.
pub(crate) fn tree(body: &[u8]) -> Option<Parsed<serde_json::Value>> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Some(Parsed { value, lossy: false });
    }
    let text = decoded(body);
    let mended = mend_surrogates(&text);
    let lossy = text.contains('\u{fffd}') || mended != text;
    let value = event_stream::answer(&mended, first_document).or_else(|| first_document(&mended))?;
    Some(Parsed { value, lossy })
}

/// The text of a body without its byte order mark and without U+0000; `lossy` is set where bytes had to be replaced.
pub(crate) fn text(body: &[u8], lossy: &mut bool) -> String {
    let text = decoded(body);
    *lossy |= text.contains('\u{fffd}');
    without_nul(text.trim_start_matches('\u{feff}').to_owned(), lossy)
}

/// The text of a body: UTF-16 where it begins with its byte order mark, else UTF-8 with replacements.
fn decoded(body: &[u8]) -> Cow<'_, str> {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = bytes.as_chunks::<2>();
        String::from_utf16_lossy(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>())
    };
    match body {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(units(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(units(rest, u16::from_be_bytes)),
        _ => String::from_utf8_lossy(body),
    }
}

fn first_document(text: &str) -> Option<serde_json::Value> {
    let strict = relaxed::strict(text);
    serde_json::Deserializer::from_str(&strict).into_iter().next()?.ok()
}

/// Replaces the escapes of lone surrogates by that of U+FFFD.
fn mend_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match (escaped_unit(rest), rest.get(6..).and_then(escaped_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            _ => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out + rest
}

/// The UTF-16 unit that `text` begins with as an escape.
fn escaped_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// A text without U+0000, which not every store keeps; `lossy` is set where one was replaced.
pub(crate) fn without_nul(text: String, lossy: &mut bool) -> String {
    if !text.contains('\0') {
        return text;
    }
    *lossy = true;
    text.replace('\0', "\u{fffd}")
}

/// The domain's value of a JSON tree, without U+0000.
pub(crate) fn to_value(tree: serde_json::Value, lossy: &mut bool) -> domain::value::Value {
    use domain::value::Value;
    match tree {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(bool) => Value::Bool(bool),
        serde_json::Value::Number(number) => to_number(&number),
        serde_json::Value::String(text) => Value::Text(without_nul(text, lossy)),
        serde_json::Value::Array(list) => {
            Value::List(list.into_iter().map(|item| to_value(item, lossy)).collect())
        }
        serde_json::Value::Object(map) => Value::Map(
            map.into_iter().map(|(name, item)| (without_nul(name, lossy), to_value(item, lossy))).collect(),
        ),
    }
}

fn to_number(number: &serde_json::Number) -> domain::value::Value {
    use domain::value::Value;
    if let Some(whole) = number.as_i64() {
        return Value::from(whole);
    }
    number.as_u64().map_or_else(|| number.as_f64().map_or(Value::Null, Value::number), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_kept() {
        for (text, mended) in [
            (r"a\ud83d\ude00b", r"a\ud83d\ude00b"),
            (r"\ud83d", r"\ufffd"),
            (r"\ude00\ud83dx", r"\ufffd\ufffdx"),
            (r"\\ud83d", r"\\ud83d"),
            (r"\ud83d\u0041", r"\ufffd\u0041"),
            (r"\é\", r"\é\"),
            (r"\u12", r"\u12"),
        ] {
            assert_eq!(mend_surrogates(text), mended, "{text}");
        }
    }

    #[test]
    fn duplicates_and_broken_text_are_read() {
        #[derive(serde::Deserialize)]
        struct Named {
            name: String,
        }
        for (body, name, lossy) in [
            (&br#"{"name":"a"}"#[..], "a", false),
            (br#"{"name":"a","name":"b"}"#, "b", false),
            (b"{\"name\":\"a\xff\"}", "a\u{fffd}", true),
            (br#"{"name":"\ud800"}"#, "\u{fffd}", true),
        ] {
            let parsed: Parsed<Named> = read(body).unwrap();
            assert_eq!((parsed.value.name.as_str(), parsed.lossy), (name, lossy));
        }
        assert!(read::<Named>(b"{\"name\":").is_none());
    }
}
