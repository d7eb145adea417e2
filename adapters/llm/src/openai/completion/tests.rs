use domain::call::{Completion, Flags, Message, ReplyBody, ResponseFormat, Role};
use domain::endpoint::{EndpointIdentity, EndpointKind};
use domain::pricing::Tokens;
use domain::value::Map;

use super::*;

fn call() -> ChatCall {
    let message = |role, content: &str| Message { role, content: content.to_owned() };
    ChatCall {
        endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://h"),
        model: "m".to_owned(),
        messages: vec![message(Role::System, "12345"), message(Role::User, "1234")],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    }
}

fn read(body: impl AsRef<[u8]>) -> Result<Reply, CallFailure> {
    super::read(body.as_ref(), &call(), Duration::from_millis(3))
}

fn text_of(reply: &Reply) -> &str {
    &reply.completion().unwrap().text
}

/// An answer with this choice.
fn around(choice: &str) -> String {
    let usage = r#""usage":{"prompt_tokens":7,"completion_tokens":8}"#;
    format!(r#"{{"id":"x","model":"m","choices":[{choice}],{usage}}}"#)
}

#[test]
fn a_plain_answer_is_read() {
    let body = around(r#"{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}"#);
    let completion =
        Completion { text: "hi".to_owned(), finish_reason: Some("stop".to_owned()), ..Completion::default() };
    let expected = Reply {
        tokens: Tokens { input: 7, output: 8 },
        latency: Duration::from_millis(3),
        ..Reply::of(ReplyBody::Completion(completion))
    };
    assert_eq!(read(body).unwrap(), expected);
}

#[test]
fn contents_of_every_shape_are_read() {
    let none = Flags::default();
    let lossy = Flags { lossy_text: true, ..none };
    let refused = Flags { refused: true, ..none };
    let truncated = Flags { truncated: true, ..none };
    let empty = Flags { no_output: true, ..none };
    let spent = Flags { no_output: true, truncated: true, ..none };
    for (choice, text, flags) in [
        (r#"{"message":{"content":null,"tool_calls":[]}}"#, "", empty),
        (r#"{"message":{}}"#, "", empty),
        (r#"{"message":{"content":""},"finish_reason":"stop"}"#, "", empty),
        (r#"{"finish_reason":"length"}"#, "", spent),
        (r#"{"message":null,"finish_reason":"length"}"#, "", spent),
        (r#"{"message":{"content":"<think>so much"},"finish_reason":"length"}"#, "<think>so much", spent),
        (r#"{"message":{"content":"x","refusal":false},"finish_reason":{"type":"stop"}}"#, "x", none),
        (r#"{"message":{"content":"x","refusal":{}},"finish_reason":1}"#, "x", none),
        (r#"{"message":{"content":42}}"#, "42", none),
        (r#"{"message":{"content":true}}"#, "true", none),
        (r#"{"message":{"content":{"answer":"x"}}}"#, r#"{"answer":"x"}"#, none),
        (r#"{"message":{"content":{"type":"text","text":"x"}}}"#, "x", none),
        (
            r#"{"message":{"content":["a",null,{"type":"thinking","thinking":"t"},{"type":"output_text","text":"b"}]}}"#,
            "ab",
            none,
        ),
        (r#"{"text":"x"}"#, "x", none),
        (r#"{"delta":{"content":"x"}}"#, "x", none),
        (r#"{"message":{"content":"x"},"finish_reason":"eos_token"}"#, "x", none),
        (r#"{"message":{"content":[{"type":"text","text":"a"},{"type":"image"},{"text":"b"}]}}"#, "ab", none),
        (r#"{"message":{"content":null,"refusal":"no"}}"#, "", refused),
        (r#"{"message":{"content":"x","refusal":""}}"#, "x", none),
        (r#"{"message":{"content":null},"finish_reason":"content_filter"}"#, "", refused),
        (r#"{"message":{"content":"x"},"finish_reason":"length"}"#, "x", truncated),
        (r#"{"message":{"content":"a\u0000b"}}"#, "a\u{fffd}b", lossy),
        (r#"{"message":{"content":"a\ud800b"}}"#, "a\u{fffd}b", lossy),
        (r#"{"message":{"content":"x","reasoning":{"deep":[1]}},"logprobs":null}"#, "x", none),
        (r#"{"message":{"content":"x","content":"y"}}"#, "y", none),
    ] {
        let reply = read(around(choice)).unwrap();
        assert_eq!((text_of(&reply), reply.flags), (text, flags), "{choice}");
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let mut body = around(r#"{"message":{"content":"ab"}}"#).into_bytes();
    let at = body.windows(2).position(|pair| pair == b"ab").unwrap();
    body[at] = 0xff;
    let reply = read(body).unwrap();
    assert_eq!((text_of(&reply), reply.flags.lossy_text), ("\u{fffd}b", true));
}

#[test]
fn tool_calls_are_kept() {
    let choice =
        r#"{"message":{"content":null,"tool_calls":[{"id":"1","n":1.0}]},"finish_reason":"tool_calls"}"#;
    let reply = read(around(choice)).unwrap();
    let completion = reply.completion().unwrap();
    assert_eq!(completion.tool_calls.as_ref().unwrap().canonical(), r#"[{"id":"1","n":1}]"#);
    assert_eq!(completion.finish_reason.as_deref(), Some("tool_calls"));
}

#[test]
fn counts_that_cannot_be_right_are_estimated() {
    for (usage, input, output, estimated) in [
        (r#"{"prompt_tokens":7,"completion_tokens":8}"#, 7, 8, false),
        (r#"{"prompt_tokens":0,"completion_tokens":0}"#, 0, 0, false),
        (r#"{"prompt_tokens":7}"#, 7, 2, true),
        (r#"{"prompt_tokens":null,"completion_tokens":8}"#, 3, 8, true),
        (r#"{"prompt_tokens":-7,"completion_tokens":"8"}"#, 3, 2, true),
        (r#"{"prompt_tokens":1e30,"completion_tokens":18446744073709551615}"#, 3, 2, true),
        ("null", 3, 2, true),
        ("\"none\"", 3, 2, true),
        ("[]", 3, 2, true),
    ] {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"12345"}}}}],"usage":{usage}}}"#);
        let reply = read(body).unwrap();
        let expected = (Tokens { input, output }, estimated);
        assert_eq!((reply.tokens, reply.flags.tokens_estimated), expected, "{usage}");
    }
}

#[test]
fn another_model_is_told() {
    let body = |model: &str| format!(r#"{{"model":{model},"choices":[{{"message":{{"content":""}}}}]}}"#);
    for (model, returned) in [("\"m\"", None), ("null", None), ("\"m-2\"", Some("m-2"))] {
        assert_eq!(read(body(model)).unwrap().model_returned.as_deref(), returned);
    }
}

#[test]
fn what_is_no_completion_is_told_with_its_beginning() {
    let limited = FailureKind::RateLimited;
    let failed = |end: &str| around(&format!(r#"{{"message":{{"content":"a part"}},{end}}}"#));
    let deep_array = "[".repeat(100_000);
    let deep_field = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let deep_content = around(&format!(r#"{{"message":{{"content":{deep_array}}}}}"#));
    for (body, kind, said) in [
        ("<html>\n", FailureKind::Malformed, "<html>\\n"),
        (r#"{"choices":[{"mess"#, FailureKind::Malformed, "{\"choices\""),
        ("", FailureKind::Malformed, "not a chat completion"),
        ("{}", FailureKind::Malformed, "{}"),
        ("[]", FailureKind::Malformed, "[]"),
        ("7", FailureKind::Malformed, "7"),
        (&deep_array, FailureKind::Malformed, "[[[["),
        (&deep_field, FailureKind::Malformed, "[[[["),
        (&deep_content, FailureKind::Malformed, "x"),
        (r#"{"choices":[{}]}"#, FailureKind::Malformed, "[{}]"),
        (r#"{"choices":{"0":{"message":{"content":"x"}}}}"#, FailureKind::Malformed, "choices"),
        (r#"{"code":"rate_limit_daily","message":"Error code: 429 - daily limit"}"#, limited, "daily limit"),
        (r#"[{"error":{"code":503,"message":"loading"}}]"#, FailureKind::Upstream5xx, "loading"),
        (r#"{"object":"error","message":"too long","code":400}"#, FailureKind::Rejected, "too long"),
        (
            r#"{"choices":[{"message":{"content":""}}],"error":{"code":503,"message":"busy"}}"#,
            FailureKind::Upstream5xx,
            "busy",
        ),
        (
            &failed(r#""finish_reason":"error","error":{"code":429,"message":"overloaded"}"#),
            limited,
            "overloaded",
        ),
        (&failed(r#""finish_reason":"error""#), FailureKind::Upstream5xx, "error"),
        (&failed(r#""finish_reason":"abort""#), FailureKind::Upstream5xx, "abort"),
        (
            &failed(r#""finish_reason":"insufficient_system_resource""#),
            FailureKind::Upstream5xx,
            "insufficient",
        ),
        (r#"{"choices":[]}"#, FailureKind::NoChoices, "no choices"),
        (r#"{"error":{"message":"oops"}}"#, FailureKind::Upstream5xx, "oops"),
        (r#"{"choices":[],"error":{"message":"no","code":401}}"#, FailureKind::Unauthorized, "no"),
    ] {
        let failure = read(body).unwrap_err();
        assert_eq!(failure.kind, kind, "{}", &body[..body.len().min(99)]);
        assert!(failure.message.contains(said), "{failure}");
        assert!(failure.message.len() < 700);
    }
}

#[test]
fn empty_errors_do_not_spoil_an_answer() {
    for error in ["null", "{}", "\"\"", "[]", "false"] {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"x"}},"error":{{}}}}],"error":{error}}}"#);
        assert_eq!(text_of(&read(body).unwrap()), "x", "{error}");
    }
}

#[test]
fn reasoning_is_separated() {
    for (message, text, reasoning) in [
        (r#""content":"x","reasoning_content":"r""#, "x", Some("r")),
        (r#""content":"x","reasoning":"r","reasoning_content":null"#, "x", Some("r")),
        (
            r#""content":"x","reasoning_details":[{"type":"reasoning.text","text":"r"},{"summary":"s"}]"#,
            "x",
            Some("rs"),
        ),
        (r#""content":[{"type":"thinking","thinking":"r"},{"type":"text","text":"x"}]"#, "x", Some("r")),
        (r#""content":"x","reasoning":{"deep":1}"#, "x", None),
    ] {
        let reply = read(around(&format!(r#"{{"message":{{{message}}}}}"#))).unwrap();
        let completion = reply.completion().unwrap();
        assert_eq!(
            (completion.text.as_str(), completion.reasoning.as_deref()),
            (text, reasoning),
            "{message}"
        );
    }
}

#[test]
fn filtered_prompts_are_refusals_and_no_failures() {
    for error in [
        r#"{"code":"content_filter","message":"filtered","status":400}"#,
        r#"{"code":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}"#,
        r#"{"code":"invalid_prompt","message":"no"}"#,
    ] {
        let reply = read(format!(r#"{{"error":{error}}}"#)).unwrap();
        assert!(reply.flags.refused && text_of(&reply).is_empty(), "{error}");
    }
}

#[test]
fn readable_answers_are_read_in_any_wrapping() {
    let answer = around(r#"{"message":{"content":"x"},"logprobs":[NaN,-Infinity]}"#);
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(answer.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for body in [
        answer.clone().into_bytes(),
        format!("\u{feff}{answer}").into_bytes(),
        format!(": PROCESSING\n\n{answer}").into_bytes(),
        format!("data: {}\n\ndata: [DONE]\n\n", answer.replace("NaN", "0").replace("-Infinity", "0"))
            .into_bytes(),
        format!("{answer}\n{answer}").into_bytes(),
        utf16,
    ] {
        assert_eq!(text_of(&read(&body).unwrap()), "x", "{}", String::from_utf8_lossy(&body));
    }
    assert_eq!(text_of(&read(around("{\"message\":{\"content\":\"a\nb\"}}")).unwrap()), "a\nb");
}

#[test]
fn what_the_server_tells_beside_the_answer_is_kept() {
    let body = r#"{"model":"m","provider":"P","choices":[{"message":{"content":"x"}}],
        "usage":{"prompt_tokens":7.0,"completion_tokens":8,"cost":0.0123}}"#;
    let reply = read(body).unwrap();
    assert_eq!((reply.provider.as_deref(), reply.tokens.input), (Some("P"), 7));
    assert_eq!(reply.stated_cost.map(domain::money::NanoDollars::dollars), Some(0.0123));
    let mut long = call();
    long.messages[1].content = "word ".repeat(4_000);
    let read = |counted: u64| {
        let usage = format!(r#""usage":{{"prompt_tokens":{counted},"completion_tokens":1}}"#);
        let body = format!(r#"{{"choices":[{{"message":{{"content":"x"}}}}],{usage}}}"#);
        super::read(body.as_bytes(), &long, Duration::ZERO).unwrap().flags.context_cut
    };
    assert!(read(2_048) && !read(4_000) && !read(0));
}

/// Deterministic pseudo-random numbers (Marsaglia 2003, "Xorshift RNGs").
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most.max(1) as u64).unwrap()
    }

    fn mutated(&mut self, body: &[u8]) -> Vec<u8> {
        const PIECES: [&[u8]; 10] = [
            b"null",
            b"{}",
            b"[]",
            b"\"\"",
            b"-1",
            b"1e999",
            b"\"error\"",
            b"\\u0000",
            b"\xff",
            b",\"error\":",
        ];
        let mut body = body.to_vec();
        for _ in 0..=self.below(3) {
            let (from, length) = (self.below(body.len()), self.below(40));
            let to = (from + length).min(body.len());
            match self.below(4) {
                0 => drop(body.drain(from..to)),
                1 => drop(body.splice(from..to, PIECES[self.below(PIECES.len())].to_vec())),
                2 => body.truncate(from + 1),
                _ => body[from] = u8::try_from(self.below(256)).unwrap(),
            }
        }
        body
    }
}

#[test]
fn mutated_answers_end_as_completed_or_failed_with_a_kind() {
    let bodies = [
        around(r#"{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}"#),
        around(r#"{"message":{"content":null,"tool_calls":[{"id":"1"}]},"finish_reason":"tool_calls"}"#),
        r#"{"error":{"message":"slow","code":429,"details":[{"retryDelay":"3s"}]}}"#.to_owned(),
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n".to_owned(),
    ];
    let mut dice = Dice(0x5eed);
    let mut outcomes = std::collections::BTreeMap::new();
    for i in 0..2_000 {
        let body = dice.mutated(bodies[i % bodies.len()].as_bytes());
        let outcome = match read(&body) {
            Ok(reply) => {
                let completion = reply.completion().unwrap();
                assert!(!completion.text.contains('\0') && reply.tokens.total() < u64::MAX / 2);
                "completed"
            }
            Err(failure) => failure.kind.as_str(),
        };
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    assert!(outcomes["completed"] > 100 && outcomes["malformed"] > 100, "{outcomes:?}");
}
