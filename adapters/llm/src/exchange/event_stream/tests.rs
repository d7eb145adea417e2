use super::*;

fn read(text: &str) -> Option<Value> {
    answer(text, |data| serde_json::from_str(data).ok())
}

/// A stream of events, each named by its type.
fn stream(events: &[Value]) -> String {
    let events = events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", kind(event)));
    events.collect::<String>() + "data: [DONE]\n\n"
}

#[test]
fn chunks_add_up_to_an_answer() {
    let chunk =
        |text: &str| json!({"model": "m", "choices": [{"delta": {"content": text}, "finish_reason": null}]});
    let end = json!({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3},
        "system_fingerprint": "fp"});
    let stream = format!(
        ": wait\n\ndata: {}\n\ndata:{}\r\n\ndata: {end}\n\ndata: [DONE]\n\n",
        chunk("al"),
        chunk("pha")
    );
    let whole = read(&stream).unwrap();
    assert_eq!(whole.pointer("/choices/0/message/content"), Some(&json!("alpha")));
    assert_eq!(whole.pointer("/choices/0/finish_reason"), Some(&json!("stop")));
    assert_eq!((&whole["model"], &whole["usage"]["prompt_tokens"]), (&json!("m"), &json!(3)));
    assert_eq!(whole["system_fingerprint"], "fp");
    let once = json!({"choices": [{"message": {"content": "a"}}]});
    assert_eq!(read(&format!("event: message\ndata: {once}\n")), Some(once));
    assert_eq!(read(&format!("data: {}\ndata: {{broken\n", chunk("a"))), None);
    assert_eq!(read("{\"data\": 1}"), None);
}

#[test]
fn events_add_up_to_a_response() {
    let event =
        |kind: &str, response: &Value| json!({"type": format!("response.{kind}"), "response": response});
    let piece = |kind: &str, text: &str| json!({"type": format!("response.{kind}.delta"), "delta": text});
    let item = |text: &str| json!([{"type": "message", "content": [{"type": "output_text", "text": text}]}]);
    let created = event("created", &json!({"model": "m", "status": "in_progress", "output": []}));
    let completed = json!({"model": "m", "status": "completed", "output": item("whole")});
    let cut = json!({"status": "incomplete", "output": item("cut")});
    let failed = json!({"status": "failed", "error": {"code": "server_error"}, "output": []});
    let empty = json!({"status": "completed", "output": [], "usage": {"input_tokens": 3}});
    let (al, pha) = (piece("output_text", "al"), piece("output_text", "pha"));
    for (events, whole) in [
        (vec![created.clone(), al.clone(), event("completed", &completed)], completed.clone()),
        (vec![event("completed", &completed)], completed.clone()),
        (vec![event("completed", &completed), event("incomplete", &cut)], cut.clone()),
        (
            vec![al.clone(), event("failed", &failed)],
            json!({
            "status": "failed", "error": {"code": "server_error"}, "output": item("al")}),
        ),
        (
            vec![al.clone(), pha.clone(), event("completed", &empty)],
            json!({
            "status": "completed", "output": item("alpha"), "usage": {"input_tokens": 3}}),
        ),
        (vec![created.clone(), al.clone(), pha.clone()], json!({"model": "m", "output": item("alpha")})),
        (vec![created.clone()], created["response"].clone()),
        (
            vec![piece("reasoning_summary_text", "hm"), piece("refusal", "no")],
            json!({"output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]}),
        ),
        (
            vec![al.clone(), json!({"type": "error", "code": "server_error", "message": "said"})],
            json!({
            "error": {"type": "error", "code": "server_error", "message": "said"}}),
        ),
        (vec![completed.clone()], completed.clone()),
    ] {
        assert_eq!(read(&stream(&events)), Some(whole), "{events:?}");
    }
}

#[test]
fn events_add_up_to_a_message() {
    let start = json!({"type": "message_start", "message": {
        "type": "message", "model": "m", "content": [], "stop_reason": null,
        "usage": {"input_tokens": 7, "output_tokens": 1}}});
    let block = |index: u64, block: &Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let piece = |index: u64, kind: &str, name: &str, text: &str| {
        let delta = json!({"type": kind, name: text});
        json!({"type": "content_block_delta", "index": index, "delta": delta})
    };
    let end = |reason: &str, usage: &Value| json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage});
    let (al, pha) = (piece(0, "text_delta", "text", "al"), piece(0, "text_delta", "text", "pha"));
    let text = block(0, &json!({"type": "text", "text": ""}));
    let stop = json!({"type": "content_block_stop", "index": 0});
    let ping = json!({"type": "ping"});
    let message = |content: Value, reason: &str, usage: Value| json!({"type": "message", "model": "m", "content": content, "stop_reason": reason, "usage": usage});
    let tool = json!({"type": "tool_use", "id": "t", "name": "look_up", "input": {}});
    let alpha = json!([{"type": "text", "text": "alpha"}]);
    for (events, whole) in [
        (
            vec![
                start.clone(),
                ping,
                text,
                al.clone(),
                pha.clone(),
                stop,
                end("end_turn", &json!({"output_tokens": 8})),
            ],
            message(alpha.clone(), "end_turn", json!({"input_tokens": 7, "output_tokens": 8})),
        ),
        (
            vec![
                start.clone(),
                block(0, &json!({"type": "thinking", "thinking": "", "signature": ""})),
                piece(0, "thinking_delta", "thinking", "h"),
                piece(0, "thinking_delta", "thinking", "m"),
                piece(0, "signature_delta", "signature", "x"),
                block(1, &tool),
                piece(1, "input_json_delta", "partial_json", "{\"x\":"),
                piece(1, "input_json_delta", "partial_json", "1}"),
                end("tool_use", &json!({"input_tokens": 0, "output_tokens": null})),
            ],
            message(
                json!([
                    {"type": "thinking", "thinking": "hm", "signature": ""},
                    {"type": "tool_use", "id": "t", "name": "look_up", "input": {"x": 1}},
                ]),
                "tool_use",
                json!({"input_tokens": 7, "output_tokens": 1}),
            ),
        ),
        (vec![al.clone(), pha.clone()], json!({"content": alpha})),
        (vec![piece(3, "input_json_delta", "partial_json", "{\"x")], json!({"content": [{"input": "{\"x"}]})),
        (
            vec![start.clone(), al, json!({"type": "error", "error": {"type": "overloaded_error"}})],
            json!({"error": {"type": "overloaded_error"}}),
        ),
    ] {
        assert_eq!(read(&stream(&events)), Some(whole), "{events:?}");
    }
}
