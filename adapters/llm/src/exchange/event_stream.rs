//! An event stream where one JSON document was asked for: its data lines are put together.

use serde_json::{Map, Value, json};

/// The completion that a stream of chunks adds up to; `None` where the text is no such stream.
pub(crate) fn completion(text: &str, read: impl Fn(&str) -> Option<Value>) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}');
    let is_stream = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(':'));
    if !is_stream.is_some_and(|line| line.starts_with("data:") || line.starts_with("event:")) {
        return None;
    }
    let data = text.lines().filter_map(|line| line.trim_end().strip_prefix("data:"));
    let chunks: Vec<Value> =
        data.map(str::trim).filter(|data| *data != "[DONE]").map(read).collect::<Option<_>>()?;
    match chunks.as_slice() {
        [] => None,
        [whole] if whole.pointer("/choices/0/delta").is_none() => Some(whole.clone()),
        chunks => Some(assembled(chunks)),
    }
}

fn assembled(chunks: &[Value]) -> Value {
    let last = |pointer: &str| {
        let found = chunks.iter().rev().filter_map(|chunk| chunk.pointer(pointer));
        found.into_iter().find(|value| !value.is_null()).cloned()
    };
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
            "finish_reason": last("/choices/0/finish_reason"),
            "error": last("/choices/0/error"),
        }]),
    )]);
    for field in ["model", "provider", "usage", "error", "service_tier"] {
        whole.extend(last(&format!("/{field}")).map(|value| (field.to_owned(), value)));
    }
    Value::Object(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Value> {
        completion(text, |data| serde_json::from_str(data).ok())
    }

    #[test]
    fn chunks_add_up_to_an_answer() {
        let chunk = |text: &str| json!({"model": "m", "choices": [{"delta": {"content": text}, "finish_reason": null}]});
        let end = json!({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}});
        let stream = format!(
            ": wait\n\ndata: {}\n\ndata:{}\r\n\ndata: {end}\n\ndata: [DONE]\n\n",
            chunk("al"),
            chunk("pha")
        );
        let whole = read(&stream).unwrap();
        assert_eq!(whole.pointer("/choices/0/message/content"), Some(&json!("alpha")));
        assert_eq!(whole.pointer("/choices/0/finish_reason"), Some(&json!("stop")));
        assert_eq!((&whole["model"], &whole["usage"]["prompt_tokens"]), (&json!("m"), &json!(3)));
        let once = json!({"choices": [{"message": {"content": "a"}}]});
        assert_eq!(read(&format!("event: message\ndata: {once}\n")), Some(once));
        assert_eq!(read(&format!("data: {}\ndata: {{broken\n", chunk("a"))), None);
        assert_eq!(read("{\"data\": 1}"), None);
    }
}
