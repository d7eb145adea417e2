//! Where an answer holds an error.

use serde_json::Value;

/// The error that an answer tells of, wherever it stands: at the top, as the first of a list, or in place of an answer.
pub(crate) fn within(answer: &Value) -> Option<&Value> {
    let said = |error: &&Value| match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    match answer {
        Value::Array(items) => items.first().and_then(within),
        Value::Object(fields) => {
            let inside = fields.get("error").or_else(|| fields.get("errors")).filter(said);
            let inside = inside.map(|error| error.get(0).unwrap_or(error));
            let is_error = fields.get("object").is_some_and(|object| object == "error");
            let instead = !fields.contains_key("choices")
                && ["detail", "code"].iter().any(|name| fields.contains_key(*name))
                && !fields.contains_key("message_type");
            inside.or_else(|| (is_error || instead).then_some(answer))
        }
        _ => None,
    }
}
