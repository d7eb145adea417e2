//! Reads the body of a response. A field that is not needed is not read, so that its type cannot spoil an answer.

use std::time::Duration;

use domain::call::{CallFailure, ChatCall, FailureKind, Reply};
use serde_json::Value;

use crate::exchange::answer::{self, Answer};
use crate::exchange::usage::{cache_use, count, dollars};
use crate::exchange::{error, excerpt, json};

/// The response within `body`, or the failure it tells of.
pub(in crate::openai) fn read(body: &[u8], call: &ChatCall, latency: Duration) -> Result<Reply, CallFailure> {
    let malformed = || answer::malformed("a response", body);
    let json::Parsed { value: tree, lossy } = json::tree(body).ok_or_else(malformed)?;
    if let Some(error) = error::within(&tree) {
        return answer::refused_or_failed(error, call, latency);
    }
    match tree.get("status").and_then(Value::as_str) {
        None | Some("completed" | "incomplete") => {}
        Some(status) => {
            let message = format!("the response has status `{}`", excerpt::of_text(status));
            return Err(CallFailure::new(FailureKind::Upstream5xx, message));
        }
    }
    let items = tree.get("output").and_then(Value::as_array).ok_or_else(malformed)?;
    Ok(answer(&tree, items).into_reply(call, lossy, latency))
}

fn answer(response: &Value, items: &[Value]) -> Answer {
    let word = |pointer: &str| response.pointer(pointer)?.as_str().map(str::to_owned);
    let finish_reason = word("/incomplete_details/reason").or_else(|| word("/status"));
    let said: Vec<&Value> = of_type(items, "message").flat_map(|item| parts(item, "content")).collect();
    let tools: Vec<Value> = of_type(items, "function_call").cloned().collect();
    let usage = response.get("usage").unwrap_or(&Value::Null);
    Answer {
        text: said
            .iter()
            .filter(|part| is_text(part))
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        reasoning: reasoning(items),
        tool_calls: (!tools.is_empty()).then_some(Value::Array(tools)),
        truncated: finish_reason.as_deref() == Some("max_output_tokens"),
        refused: finish_reason.as_deref() == Some("content_filter")
            || said.iter().any(|part| is_type(part, "refusal")),
        finish_reason,
        model: word("/model"),
        provider: word("/provider"),
        system_fingerprint: None,
        service_tier: word("/service_tier"),
        input: count(usage, "input_tokens"),
        output: count(usage, "output_tokens"),
        cache: cache_use(usage, "input_tokens_details"),
        stated_cost: dollars(usage, "cost"),
    }
}

fn is_type(part: &Value, kind: &str) -> bool {
    part.get("type").is_some_and(|is| is == kind)
}

fn is_text(part: &Value) -> bool {
    is_type(part, "output_text") || is_type(part, "text")
}

fn of_type<'a>(items: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    items.iter().filter(move |item| is_type(item, kind))
}

fn parts<'a>(item: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    item.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// The summaries of what the model thought, or, from servers that show it, the thoughts themselves.
fn reasoning(items: &[Value]) -> Option<String> {
    let texts = |name| {
        let parts = of_type(items, "reasoning").flat_map(move |item| parts(item, name));
        let texts: Vec<&str> = parts.filter_map(|part| part.get("text")?.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    };
    texts("summary").or_else(|| texts("content"))
}

#[cfg(test)]
mod tests {
    use domain::call::{Flags, Message, ResponseFormat, Role};
    use domain::endpoint::{EndpointIdentity, EndpointKind};
    use domain::pricing::Tokens;
    use domain::value::Map;
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Reply, CallFailure> {
        let call = ChatCall {
            endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://h"),
            model: "m".to_owned(),
            messages: vec![Message { role: Role::User, content: "12345678".to_owned() }],
            parameters: Map::new(),
            response_format: ResponseFormat::Text,
            extra: Map::new(),
            repeat: 1,
        };
        super::read(body.to_string().as_bytes(), &call, Duration::from_millis(3))
    }

    fn response(output: &Value, status: &str, reason: &Value) -> Value {
        json!({
            "id": "resp_1", "object": "response", "error": null, "model": "m", "status": status,
            "incomplete_details": reason, "output": output, "usage": {"input_tokens": 7, "output_tokens": 8},
        })
    }

    #[test]
    fn texts_thoughts_and_calls_are_told_apart() {
        let call = json!({"type": "function_call", "name": "look_up", "arguments": "{}"});
        let output = json!([
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "first"}, {"text": "then"}]},
            {"type": "web_search_call", "status": "completed"},
            {"type": "message", "content": [
                {"type": "output_text", "text": "a", "annotations": []}, {"type": "output_text", "text": "b"}]},
            call,
            {"type": "message", "content": [{"type": "output_text", "text": "c"}]},
        ]);
        let reply = read(&response(&output, "completed", &Value::Null)).unwrap();
        let completion = reply.completion().unwrap();
        assert_eq!(completion.text, "abc");
        assert_eq!(completion.reasoning.as_deref(), Some("first\n\nthen"));
        assert_eq!(completion.finish_reason.as_deref(), Some("completed"));
        assert!(completion.tool_calls.as_ref().unwrap().canonical().contains("look_up"));
        assert_eq!((reply.tokens, reply.flags), (Tokens { input: 7, output: 8 }, Flags::default()));
    }

    #[test]
    fn what_is_odd_about_a_response_becomes_flags() {
        let none = Flags::default();
        let text = json!([{"type": "message", "content": [{"type": "output_text", "text": "a"}]}]);
        let refusal = json!([{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]);
        for (output, status, reason, flags) in [
            (&text, "completed", json!(null), none),
            (&text, "incomplete", json!({"reason": "max_output_tokens"}), Flags { truncated: true, ..none }),
            (
                &json!([]),
                "incomplete",
                json!({"reason": "max_output_tokens"}),
                Flags { truncated: true, no_output: true, ..none },
            ),
            (&json!([]), "incomplete", json!({"reason": "content_filter"}), Flags { refused: true, ..none }),
            (&refusal, "completed", json!(null), Flags { refused: true, ..none }),
        ] {
            assert_eq!(read(&response(output, status, &reason)).unwrap().flags, flags, "{output} {reason}");
        }
    }

    #[test]
    fn what_failed_is_no_answer() {
        let text = json!([{"type": "message", "content": [{"type": "output_text", "text": "a"}]}]);
        let failed = |error: Value| {
            let mut body = response(&text, "failed", &Value::Null);
            body["error"] = error;
            body
        };
        for (body, kind) in [
            (json!({}), FailureKind::Malformed),
            (json!({"choices": [{"message": {"content": "a"}}]}), FailureKind::Malformed),
            (failed(json!({"code": "server_error", "message": "?"})), FailureKind::Upstream5xx),
            (failed(json!({"code": "rate_limit_exceeded", "message": "?"})), FailureKind::RateLimited),
            (failed(Value::Null), FailureKind::Upstream5xx),
            (response(&text, "cancelled", &Value::Null), FailureKind::Upstream5xx),
            (json!({"error": {"message": "?", "type": "invalid_request_error"}}), FailureKind::Rejected),
        ] {
            assert_eq!(read(&body).unwrap_err().kind, kind, "{body}");
        }
    }
}
