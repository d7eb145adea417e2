//! Events of a response.

use serde_json::{Map, Value, json};

use super::{kind, last};

/// Whether an event is one of this protocol.
pub(super) fn is_event(event: &Value) -> bool {
    kind(event).starts_with("response.")
}

/// Events that bring the response as it is in the end.
const ENDS: [&str; 3] = ["response.completed", "response.incomplete", "response.failed"];

/// The response that the last event which ends one brings, with what was said in pieces where it has no output of its own.
/// Without such an event, what was said is the answer.
pub(super) fn assembled(events: &[Value]) -> Value {
    let end = events.iter().rev().find(|event| ENDS.contains(&kind(event)));
    let end = end.and_then(|event| event.get("response")?.as_object());
    let has_output = |fields: &&Map<String, Value>| {
        fields.get("output").and_then(Value::as_array).is_some_and(|items| !items.is_empty())
    };
    if let Some(whole) = end.filter(has_output) {
        return Value::Object(whole.clone());
    }
    let items = said(events);
    let mut response = end.or_else(|| last(events, "/response")?.as_object()).cloned().unwrap_or_default();
    if !items.is_empty() {
        if end.is_none() {
            response.remove("status");
        }
        response.insert("output".to_owned(), Value::Array(items));
    }
    Value::Object(response)
}

/// The items of output that pieces add up to.
fn said(events: &[Value]) -> Vec<Value> {
    let text = |name: &str| -> String {
        let pieces = events.iter().filter(|event| kind(event) == name);
        pieces.filter_map(|event| event.get("delta")?.as_str()).collect()
    };
    [
        ("response.reasoning_summary_text.delta", "reasoning", "summary", "summary_text", "text"),
        ("response.reasoning_text.delta", "reasoning", "content", "reasoning_text", "text"),
        ("response.output_text.delta", "message", "content", "output_text", "text"),
        ("response.refusal.delta", "message", "content", "refusal", "refusal"),
    ]
    .into_iter()
    .filter_map(|(name, item, list, part, field)| {
        let text = text(name);
        (!text.is_empty()).then(|| json!({"type": item, list: [{"type": part, field: text}]}))
    })
    .collect()
}
