//! Parses chat completions. Fields that are not needed are not read, so that unexpected types there do no harm.

use serde_json::Value;

/// The first choice of an answer.
pub(super) struct Choice<'a>(&'a Value);

/// The choices of an answer.
pub(super) enum Choices<'a> {
    First(Choice<'a>),
    /// An empty list.
    Empty,
    Missing,
}

/// Finish reasons that denote a failure.
const FAILED: [&str; 3] = ["error", "abort", "insufficient_system_resource"];

pub(super) fn choices(answer: &Value) -> Choices<'_> {
    match answer.get("choices") {
        Some(Value::Array(choices)) => match choices.first() {
            Some(choice) if choice.as_object().is_some_and(|fields| !fields.is_empty()) => {
                Choices::First(Choice(choice))
            }
            Some(_) => Choices::Missing,
            None => Choices::Empty,
        },
        // A server's own protocol, with the message at the top level.
        None if answer.pointer("/message/role").is_some() => Choices::First(Choice(answer)),
        _ => Choices::Missing,
    }
}

impl<'a> Choice<'a> {
    /// The error inside the choice.
    pub(super) fn error(&self) -> Option<&'a Value> {
        let inside = self.0.get("error").filter(|error| error.is_object() || error.is_string());
        inside.filter(|error| error.as_object().is_none_or(|fields| !fields.is_empty()))
    }

    /// The finish reason, if it denotes a failure.
    pub(super) fn failed(&self) -> Option<String> {
        self.finish_reason().filter(|reason| FAILED.contains(&&**reason))
    }

    /// Why the model stopped: a word, or another value as text.
    pub(super) fn finish_reason(&self) -> Option<String> {
        let reason = self.0.get("finish_reason").or_else(|| self.0.get("done_reason"))?;
        match reason {
            Value::Null => None,
            Value::String(word) => Some(word.clone()).filter(|word| !word.is_empty()),
            Value::Object(fields) => fields.get("type").and_then(Value::as_str).map(str::to_owned),
            other => Some(other.to_string()),
        }
    }

    fn message(&self, field: &str) -> Option<&'a Value> {
        let message =
            ["message", "delta"].iter().find_map(|name| self.0.get(*name).filter(|m| m.is_object()));
        message?.get(field).filter(|value| !value.is_null())
    }

    /// The text; `None` if the choice has no content.
    pub(super) fn text(&self) -> Option<String> {
        let content = self.message("content").or_else(|| self.0.get("text"));
        let has_message = ["message", "delta"].iter().any(|name| self.0.get(*name).is_some());
        match content {
            Some(content) => Some(text_of(content)),
            None if has_message || self.finish_reason().is_some() => Some(String::new()),
            None => None,
        }
    }

    /// The reasoning before the answer, if it is separate from the text.
    pub(super) fn reasoning(&self) -> Option<String> {
        let named = ["reasoning_content", "reasoning"].iter().filter_map(|name| self.message(name)?.as_str());
        let named = named.map(str::to_owned).find(|text| !text.is_empty());
        let details = || joined(self.message("reasoning_details")?.as_array()?, &["text", "summary"]);
        let parts = || joined(self.message("content")?.as_array()?, &["thinking", "reasoning"]);
        named.or_else(details).or_else(parts).filter(|text| !text.is_empty())
    }

    pub(super) fn is_refusal(&self) -> bool {
        self.message("refusal").is_some_and(|refusal| refusal.as_str().is_some_and(|text| !text.is_empty()))
    }

    /// Tool calls, if there are any.
    pub(super) fn tool_calls(&self) -> Option<&'a Value> {
        let calls = self.message("tool_calls").or_else(|| self.message("function_call"))?;
        Some(calls).filter(|calls| calls.as_array().is_none_or(|calls| !calls.is_empty()))
    }
}

/// The text of a content: its text parts in order, and other values as JSON.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(text_of_part).collect(),
        Value::Object(_) => text_of_part(content).unwrap_or_else(|| content.to_string()),
        other => other.to_string(),
    }
}

fn text_of_part(part: &Value) -> Option<String> {
    if let Value::String(text) = part {
        return Some(text.clone());
    }
    let kind = part.get("type").and_then(Value::as_str);
    if !matches!(kind, None | Some("text" | "output_text")) {
        return None;
    }
    let text = part.get("text")?;
    text.as_str().or_else(|| text.get("value")?.as_str()).map(str::to_owned)
}

/// The texts of parts with these types, in order.
fn joined(parts: &[Value], names: &[&str]) -> Option<String> {
    let texts = parts.iter().filter_map(|part| names.iter().find_map(|name| part.get(*name)?.as_str()));
    let text: String = texts.collect();
    (!text.is_empty()).then_some(text)
}
