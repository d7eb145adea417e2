//! Chunks of a chat completion.

use serde_json::{Map, Value, json};

use super::last;

/// The completion that chunks add up to.
pub(super) fn assembled(chunks: &[Value]) -> Value {
    let mut message = Map::new();
    for field in ["content", "reasoning_content", "reasoning", "refusal"] {
        let pieces = chunks.iter().filter_map(|chunk| {
            let choice = chunk.pointer("/choices/0")?;
            choice.get("delta").or_else(|| choice.get("message"))?.get(field)?.as_str()
        });
        let text: String = pieces.collect();
        if !text.is_empty() {
            message.insert(field.to_owned(), Value::String(text));
        }
    }
    let mut whole = Map::from_iter([(
        "choices".to_owned(),
        json!([{
            "message": message,
            "finish_reason": last(chunks, "/choices/0/finish_reason"),
            "error": last(chunks, "/choices/0/error"),
        }]),
    )]);
    for field in ["model", "provider", "usage", "error", "service_tier", "system_fingerprint"] {
        let found = last(chunks, &format!("/{field}")).cloned();
        whole.extend(found.map(|value| (field.to_owned(), value)));
    }
    Value::Object(whole)
}
