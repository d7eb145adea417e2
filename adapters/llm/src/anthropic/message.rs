//! Reads the body of a successful answer. A field that is not needed is not read, so that its type cannot spoil an answer.

use std::time::Duration;

use domain::call::{CallFailure, ChatCall, Reply};
use domain::pricing::CacheUse;
use serde_json::Value;

use crate::exchange::answer::{self, Answer};
use crate::exchange::usage::count;
use crate::exchange::{error, json};

/// The message within `body`, or the failure it tells of.
pub(super) fn read(body: &[u8], call: &ChatCall, latency: Duration) -> Result<Reply, CallFailure> {
    let malformed = || answer::malformed("a message", body);
    let json::Parsed { value: tree, lossy } = json::tree(body).ok_or_else(malformed)?;
    if let Some(error) = error::within(&tree) {
        return answer::refused_or_failed(error, call, latency);
    }
    let blocks = tree.get("content").and_then(Value::as_array).ok_or_else(malformed)?;
    Ok(answer(&tree, blocks).into_reply(call, lossy, latency))
}

fn answer(message: &Value, blocks: &[Value]) -> Answer {
    let word = |name: &str| message.get(name)?.as_str().map(str::to_owned);
    let stop_reason = word("stop_reason");
    let thought = joined(blocks, "thinking");
    let tools: Vec<Value> = of_type(blocks, "tool_use").cloned().collect();
    let usage = message.get("usage").unwrap_or(&Value::Null);
    Answer {
        text: joined(blocks, "text"),
        reasoning: (!thought.is_empty()).then_some(thought),
        tool_calls: (!tools.is_empty()).then_some(Value::Array(tools)),
        truncated: matches!(stop_reason.as_deref(), Some("max_tokens" | "model_context_window_exceeded")),
        refused: stop_reason.as_deref() == Some("refusal"),
        finish_reason: stop_reason,
        model: word("model"),
        service_tier: usage.get("service_tier").and_then(Value::as_str).map(str::to_owned),
        input: input(usage),
        cache: cache_use(usage),
        output: count(usage, "output_tokens"),
        ..Answer::default()
    }
}

fn of_type<'a>(blocks: &'a [Value], kind: &str) -> impl Iterator<Item = &'a Value> {
    blocks.iter().filter(move |block| block.get("type").is_some_and(|is| is == kind))
}

/// The texts of all blocks of a type, in order; each type has its text under its own name.
fn joined(blocks: &[Value], kind: &str) -> String {
    of_type(blocks, kind).filter_map(|block| block.get(kind)?.as_str()).collect()
}

/// Tokens that were read, from the cache or into it as well.
fn input(usage: &Value) -> Option<u64> {
    let CacheUse { read, written } = cache_use(usage);
    count(usage, "input_tokens").map(|fresh| fresh + read + written)
}

fn cache_use(usage: &Value) -> CacheUse {
    let count = |name| count(usage, name).unwrap_or(0);
    CacheUse { read: count("cache_read_input_tokens"), written: count("cache_creation_input_tokens") }
}

#[cfg(test)]
mod tests {
    use domain::call::{FailureKind, Flags, Message, ResponseFormat, Role};
    use domain::endpoint::{EndpointIdentity, EndpointKind};
    use domain::pricing::Tokens;
    use domain::value::Map;
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Reply, CallFailure> {
        let call = ChatCall {
            endpoint: EndpointIdentity::new(EndpointKind::Anthropic, "http://h"),
            model: "m".to_owned(),
            messages: vec![Message { role: Role::User, content: "12345678".to_owned() }],
            parameters: Map::new(),
            response_format: ResponseFormat::Text,
            extra: Map::new(),
            repeat: 1,
        };
        super::read(body.to_string().as_bytes(), &call, Duration::from_millis(3))
    }

    fn message(content: &Value, stop_reason: &str) -> Value {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
            "stop_reason": stop_reason, "stop_sequence": null, "usage": {"input_tokens": 7, "output_tokens": 8},
        })
    }

    #[test]
    fn every_text_block_counts_and_thinking_is_kept_apart() {
        let content = json!([
            {"type": "thinking", "thinking": "hm", "signature": "x"},
            {"type": "text", "text": "a", "citations": null},
            {"type": "redacted_thinking", "data": "?"},
            {"type": "server_tool_use", "name": "search"},
            {"type": "text", "text": "b"},
        ]);
        let reply = read(&message(&content, "end_turn")).unwrap();
        let completion = reply.completion().unwrap();
        assert_eq!((completion.text.as_str(), completion.reasoning.as_deref()), ("ab", Some("hm")));
        assert_eq!((completion.finish_reason.as_deref(), &completion.tool_calls), (Some("end_turn"), &None));
        assert_eq!((reply.tokens, reply.flags), (Tokens { input: 7, output: 8 }, Flags::default()));
        assert_eq!(reply.latency, Duration::from_millis(3));
    }

    #[test]
    fn reasons_to_stop_become_flags() {
        let none = Flags::default();
        let truncated = Flags { truncated: true, ..none };
        for (reason, text, flags) in [
            ("end_turn", "a", none),
            ("stop_sequence", "a", none),
            ("pause_turn", "a", none),
            ("max_tokens", "a", truncated),
            ("max_tokens", "", Flags { no_output: true, ..truncated }),
            ("model_context_window_exceeded", "a", truncated),
            ("refusal", "", Flags { refused: true, ..none }),
        ] {
            let content = if text.is_empty() { json!([]) } else { json!([{"type": "text", "text": text}]) };
            let reply = read(&message(&content, reason)).unwrap();
            assert_eq!(reply.flags, flags, "{reason}");
            assert_eq!(reply.completion().unwrap().finish_reason.as_deref(), Some(reason));
        }
    }

    #[test]
    fn tools_called_are_kept() {
        let call = json!({"type": "tool_use", "id": "t", "name": "look_up", "input": {"x": 1}});
        let reply = read(&message(&json!([call]), "tool_use")).unwrap();
        let kept = reply.completion().unwrap().tool_calls.as_ref().unwrap().canonical();
        assert!(kept.contains(r#""name":"look_up""#) && !reply.flags.no_output, "{kept}");
    }

    #[test]
    fn tokens_from_and_into_the_cache_count_as_read() {
        for (usage, input, output, estimated) in [
            (
                json!({"input_tokens": 1, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 300,
                    "output_tokens": 4}),
                321,
                4,
                false,
            ),
            (json!({"input_tokens": 1, "cache_read_input_tokens": null, "output_tokens": 4}), 1, 4, false),
            (json!({"input_tokens": -1, "output_tokens": 4}), 2, 4, true),
            (json!(null), 2, 1, true),
        ] {
            let mut body = message(&json!([{"type": "text", "text": "four"}]), "end_turn");
            body["usage"] = usage;
            let reply = read(&body).unwrap();
            assert_eq!((reply.tokens, reply.flags.tokens_estimated), (Tokens { input, output }, estimated));
        }
    }

    #[test]
    fn what_is_no_message_is_a_failure() {
        let error = |kind: &str| json!({"type": "error", "error": {"type": kind, "message": "said"}});
        for (body, kind) in [
            (json!({}), FailureKind::Malformed),
            (json!([]), FailureKind::Malformed),
            (json!({"content": "text"}), FailureKind::Malformed),
            (error("overloaded_error"), FailureKind::Upstream5xx),
            (error("rate_limit_error"), FailureKind::RateLimited),
            (error("authentication_error"), FailureKind::Unauthorized),
            (error("invalid_request_error"), FailureKind::Rejected),
        ] {
            assert_eq!(read(&body).unwrap_err().kind, kind, "{body}");
        }
    }

    #[test]
    fn another_model_is_told() {
        let mut body = message(&json!([]), "end_turn");
        body["model"] = json!("m-20260101");
        assert_eq!(read(&body).unwrap().model_returned.as_deref(), Some("m-20260101"));
    }
}
