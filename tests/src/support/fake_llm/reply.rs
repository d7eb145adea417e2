//! The answers of a fake server.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::behaviour::Behaviour;

/// The fields of a request that matter.
#[derive(Deserialize)]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    #[serde(borrow, default, alias = "instructions")]
    system: Cow<'a, str>,
    #[serde(borrow, alias = "input")]
    messages: Vec<Message<'a>>,
    #[serde(default, alias = "max_output_tokens")]
    max_tokens: u64,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
}

impl Request<'_> {
    /// The text of a model without faults.
    pub(super) fn text(&self, behaviour: Behaviour<'_>, hash: u64) -> String {
        match behaviour {
            Behaviour::Good | Behaviour::Fault { .. } => {
                self.marked().unwrap_or_else(|| self.last_word()).to_owned()
            }
            Behaviour::Bad => format!("not-{}", self.marked().unwrap_or_else(|| self.last_word())),
            Behaviour::Echo => self.last_word().to_owned(),
            Behaviour::Json => format!(r#"{{"answer":"{}","n":{}}}"#, self.last_word(), hash % 1000),
            Behaviour::Judge => self.grade(hash),
            Behaviour::Text | Behaviour::Costly => {
                format!(
                    "This is what {hash:016x} says: the question was read in full, and here is an answer of a usual length."
                )
            }
        }
    }

    /// The grade that a prompt with `[[answer:N]]` asks for, else one from 1 to 5 that differs between bodies.
    fn grade(&self, hash: u64) -> String {
        let grade = self.marked().and_then(|marked| marked.parse().ok()).unwrap_or(1 + hash % 5);
        format!(r#"{{"reason":"because of {hash:x}","pass":{},"score":{grade}}}"#, grade > 3)
    }

    /// A quarter of the prompt's bytes.
    pub(super) fn tokens(&self) -> u64 {
        let messages = self.messages.iter().map(|message| (message.content.len() as u64).div_ceil(4));
        messages.sum::<u64>() + (self.system.len() as u64).div_ceil(4)
    }

    /// Some numbers of tokens that the request allows: a token is at least a byte of the prompt, with a few for each
    /// message.
    pub(super) fn any_bill(&self, chance: u64) -> (u64, u64) {
        let most: u64 = self.messages.iter().map(|message| message.content.len() as u64 + 8).sum();
        (most - chance % (most / 2 + 1), chance / 7 % (self.max_tokens + 1))
    }

    fn marked(&self) -> Option<&str> {
        const MARK: &str = "[[answer:";
        self.messages.iter().rev().find_map(|message| {
            let (_, rest) = message.content.rsplit_once(MARK)?;
            Some(rest.split_once("]]")?.0)
        })
    }

    fn last_word(&self) -> &str {
        let text = self.messages.last().map_or("", |message| &message.content);
        let words = text.rsplit(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        words.into_iter().find(|word| !word.is_empty()).unwrap_or_default()
    }
}

/// The most tokens of a request: each byte is one, and each answer has the maximum length.
pub(super) fn everything(request: &Value) -> (u64, u64) {
    const LIMITS: [&str; 4] = ["max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict"];
    let most = |names: &[&str]| names.iter().filter_map(|name| request[*name].as_u64()).max();
    let bytes = |value: &Value| value.as_str().map_or_else(|| value.to_string().len(), str::len) as u64;
    let contents =
        request["messages"].as_array().into_iter().flatten().map(|message| bytes(&message["content"]));
    let attached = ["tools", "response_format"].iter().filter_map(|name| request.get(*name)).map(bytes);
    let answers = most(&["n", "best_of"]).unwrap_or(1);
    (contents.chain(attached).sum(), answers * most(&LIMITS).unwrap_or(4_096))
}

/// A completion with this text.
pub(super) fn completion(model: &str, text: &str, usage: (u64, u64)) -> String {
    let message = format!(r#"{{"role":"assistant","content":{}}}"#, quoted(text));
    around(model, &message, "stop", &usage_json(usage))
}

fn usage_json((input, output): (u64, u64)) -> String {
    let total = input + output;
    format!(r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total}}}"#)
}

fn around(model: &str, message: &str, finish: &str, usage: &str) -> String {
    let model = quoted(model);
    format!(
        r#"{{"id":"chatcmpl-fake","object":"chat.completion","created":0,"model":{model},"choices":[{{"index":0,"message":{message},"finish_reason":"{finish}"}}],"usage":{usage}}}"#
    )
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    domain::value::write_text(text, &mut out);
    out
}

/// The body with status 200 for a fault of this name; `None` if the fault is unknown.
pub(super) fn faulty(name: &str, model: &str) -> Option<Vec<u8>> {
    const USAGE: &str = r#"{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}"#;
    const PLAIN: &str = r#"{"role":"assistant","content":"hi"}"#;
    let message = |message: &str| around(model, message, "stop", USAGE);
    let finished = |message: &str, finish: &str| around(model, message, finish, USAGE);
    let usage = |usage: &str| around(model, PLAIN, "stop", usage);
    Some(
        match name {
            "html" => "<!doctype html><title>Bad gateway</title>".to_owned(),
            "malformed" => r#"{"id":"chatcmpl-fake","choices":[{"mess"#.to_owned(),
            "empty-object" => "{}".to_owned(),
            "empty-list" => "[]".to_owned(),
            "deep" => "[".repeat(100_000),
            "error" => r#"{"error":{"message":"the model fell over","code":500}}"#.to_owned(),
            "error-beside" => stating(&message(PLAIN), r#""error":{"message":"it broke off","code":502}"#),
            "abort" => finished(PLAIN, "abort"),
            "no-choices" => format!(r#"{{"model":{},"choices":[],"usage":{USAGE}}}"#, quoted(model)),
            "null-content" => message(r#"{"role":"assistant","content":null}"#),
            "tool-calls" => finished(TOOL_CALL, "tool_calls"),
            "refusal" => {
                message(r#"{"role":"assistant","content":null,"refusal":"I cannot help with that."}"#)
            }
            "filter" => finished(r#"{"role":"assistant","content":null}"#, "content_filter"),
            "length" => finished(PLAIN, "length"),
            "spent" => finished("null", "length"),
            "cut" => usage(r#"{"prompt_tokens":9,"completion_tokens":1}"#),
            "stream" => streamed(model),
            "extras" => message(r#"{"content":"no","x":[{}],"content":"hi","audio":null}"#),
            "think" => message(r#"{"content":"<think>hm</think>hi"}"#),
            "reasoning" => message(r#"{"content":"hi","reasoning":"hm"}"#),
            "reasoning-content" => message(r#"{"content":"hi","reasoning_content":"hm"}"#),
            "reasoning-details" => {
                message(r#"{"content":"hi","reasoning_details":[{"type":"reasoning.text","text":"hm"}]}"#)
            }
            "parts" => message(r#"{"content":[{"type":"text","text":"h"},{"type":"text","text":"i"}]}"#),
            "nul" => message(r#"{"role":"assistant","content":"a\u0000b"}"#),
            "surrogate" => message(r#"{"role":"assistant","content":"a\ud800b"}"#),
            "bytes" => return Some(not_utf8(message(PLAIN))),
            "other-model" => around("another-model", PLAIN, "stop", USAGE),
            "provider" => stating(
                &around("another-model", PLAIN, "stop", USAGE),
                r#""provider":"elsewhere","system_fingerprint":"fp-2","service_tier":"flex""#,
            ),
            "no-usage" => message(PLAIN).replace(&format!(r#","usage":{USAGE}"#), ""),
            "usage-null" => usage("null"),
            "usage-negative" => usage(r#"{"prompt_tokens":-5,"completion_tokens":-5}"#),
            "usage-text" => usage(r#"{"prompt_tokens":"many","completion_tokens":"few"}"#),
            "usage-1e30" => usage(r#"{"prompt_tokens":1e30,"completion_tokens":1e30}"#),
            _ => return None,
        }
        .into_bytes(),
    )
}

/// A completion with further fields at its beginning.
fn stating(completion: &str, fields: &str) -> String {
    completion.replacen('{', &format!("{{{fields},"), 1)
}

/// A completion by the version of a server that this number stands for.
pub(super) fn of_version(model: &str, number: u64) -> String {
    stating(&completion(model, "hi", (1, 1)), &format!(r#""system_fingerprint":"fp-{number:x}""#))
}

/// A completion in two chunks.
fn streamed(model: &str) -> String {
    let chunk = |choice: &str| format!(r#"data: {{"model":{},"choices":[{choice}]}}"#, quoted(model));
    let beginning = chunk(r#"{"delta":{"content":"h"}}"#);
    let end = chunk(r#"{"delta":{"content":"i"},"finish_reason":"stop"}"#);
    format!("{beginning}\n\n{end}\n\ndata: [DONE]\n\n")
}

/// The body of a server that is loading its model.
pub(super) const LOADING: &str =
    r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#;

const TOOL_CALL: &str = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"look_up","arguments":"{}"}}]}"#;

fn not_utf8(body: String) -> Vec<u8> {
    let mut bytes = body.into_bytes();
    if let Some(at) = bytes.windows(4).position(|four| four == b"\"hi\"") {
        bytes[at + 1] = 0xff;
    }
    bytes
}

/// The body for an error status.
pub(super) fn error(status: u16, kind: &str) -> String {
    format!(r#"{{"error":{{"message":"fake error {status}","type":"{kind}","code":"{kind}"}}}}"#)
}

/// The list of models.
pub(super) fn models() -> String {
    const NAMES: [&str; 5] = ["echo-1", "json-1", "good-1", "bad-1", "text"];
    let entry = |name: &str| format!(r#"{{"id":"{name}","object":"model","owned_by":"fake"}}"#);
    format!(r#"{{"object":"list","data":[{}]}}"#, NAMES.map(entry).join(","))
}
