//! The protocols of a fake server other than chat completions: the same answers in other formats.

use hyper::HeaderMap;
use serde_json::{Value, json};

/// The format of a request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// OpenAI's chat completions.
    Chat,
    /// Anthropic's messages.
    Messages,
    /// OpenAI's responses.
    Responses,
}

impl Protocol {
    /// The protocol of a path; `None` for one that carries no chat calls.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/v1/chat/completions" => Some(Self::Chat),
            "/v1/messages" => Some(Self::Messages),
            "/v1/responses" => Some(Self::Responses),
            _ => None,
        }
    }

    /// Whether a request has the headers that the protocol demands.
    pub(super) fn admits(self, headers: &HeaderMap) -> bool {
        let demanded = ["x-api-key", "anthropic-version"];
        self != Self::Messages || demanded.iter().all(|name| headers.contains_key(*name))
    }

    /// Converts a completion to this protocol. Other bodies do not change.
    pub(super) fn respell(self, completion: Vec<u8>) -> Vec<u8> {
        let respelled = match (self, serde_json::from_slice::<Value>(&completion)) {
            (Self::Messages, Ok(chat)) if chat.get("choices").is_some() => message(&chat),
            (Self::Responses, Ok(chat)) if chat.get("choices").is_some() => response(&chat),
            _ => return completion,
        };
        respelled.to_string().into_bytes()
    }
}

fn texts(chat: &Value) -> Vec<&str> {
    let content = &chat["choices"][0]["message"]["content"];
    let parts = content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    content.as_str().into_iter().chain(parts).collect()
}

fn is_refusal(chat: &Value) -> bool {
    let choice = &chat["choices"][0];
    choice["message"]["refusal"].is_string() || choice["finish_reason"] == "content_filter"
}

fn message(chat: &Value) -> Value {
    let choice = &chat["choices"][0];
    let mut blocks: Vec<Value> = vec![json!({"type": "thinking", "thinking": "hm", "signature": ""})];
    blocks.extend(texts(chat).into_iter().map(|text| json!({"type": "text", "text": text})));
    let calls = choice["message"]["tool_calls"].as_array().into_iter().flatten();
    blocks.extend(
        calls.map(|call| json!({"type": "tool_use", "id": call["id"], "name": "look_up", "input": {}})),
    );
    let reason = match choice["finish_reason"].as_str() {
        _ if is_refusal(chat) => "refusal",
        Some("length") => "max_tokens",
        Some("tool_calls") => "tool_use",
        _ => "end_turn",
    };
    // Half of the prompt was cached.
    let input = chat["usage"]["prompt_tokens"].as_u64().unwrap_or(0);
    json!({
        "id": "msg_fake", "type": "message", "role": "assistant", "model": chat["model"], "content": blocks,
        "stop_reason": reason, "stop_sequence": null,
        "usage": {
            "input_tokens": input - input / 2, "cache_read_input_tokens": input / 2,
            "cache_creation_input_tokens": 0, "output_tokens": chat["usage"]["completion_tokens"],
        },
    })
}

fn response(chat: &Value) -> Value {
    let choice = &chat["choices"][0];
    let mut parts: Vec<Value> =
        texts(chat).into_iter().map(|text| json!({"type": "output_text", "text": text})).collect();
    if let Some(refusal) = choice["message"]["refusal"].as_str() {
        parts.push(json!({"type": "refusal", "refusal": refusal}));
    }
    let reason = match choice["finish_reason"].as_str() {
        Some("length") => Some("max_output_tokens"),
        Some("content_filter") => Some("content_filter"),
        _ => None,
    };
    json!({
        "id": "resp_fake", "object": "response", "error": null, "model": chat["model"],
        "status": if reason.is_some() { "incomplete" } else { "completed" },
        "incomplete_details": reason.map(|reason| json!({"reason": reason})),
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "role": "assistant", "content": parts},
        ],
        "usage": {
            "input_tokens": chat["usage"]["prompt_tokens"],
            "output_tokens": chat["usage"]["completion_tokens"],
        },
    })
}
