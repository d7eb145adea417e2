//! An event stream where one JSON document was asked for: what its events add up to, in the protocol that they are of.

mod chat;
mod messages;
mod responses;

use serde_json::{Value, json};

/// The answer that the events of a stream add up to; `None` where the text is no such stream.
pub(crate) fn answer(text: &str, read: impl Fn(&str) -> Option<Value>) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}');
    let is_stream = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(':'));
    if !is_stream.is_some_and(|line| line.starts_with("data:") || line.starts_with("event:")) {
        return None;
    }
    let data = text.lines().filter_map(|line| line.trim_end().strip_prefix("data:"));
    let events: Vec<Value> =
        data.map(str::trim).filter(|data| *data != "[DONE]").map(&read).collect::<Option<_>>()?;
    if let Some(event) = events.iter().find(|event| kind(event) == "error") {
        return Some(json!({"error": event.get("error").unwrap_or(event)}));
    }
    match events.as_slice() {
        [] => None,
        events if events.iter().any(responses::is_event) => Some(responses::assembled(events)),
        events if events.iter().any(messages::is_event) => Some(messages::assembled(events, read)),
        [whole] if whole.pointer("/choices/0/delta").is_none() => Some(whole.clone()),
        chunks => Some(chat::assembled(chunks)),
    }
}

/// What an event says it is.
fn kind(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// The last value that stands at a place in the events.
fn last<'a>(events: &'a [Value], pointer: &str) -> Option<&'a Value> {
    let mut found = events.iter().rev().filter_map(|event| event.pointer(pointer));
    found.find(|value| !value.is_null())
}

#[cfg(test)]
mod tests;
