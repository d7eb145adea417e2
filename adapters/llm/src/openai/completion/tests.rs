use domain::call::{Message, ResponseFormat, Role};
use domain::endpoint::{EndpointIdentity, EndpointKind};
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

/// A whole answer around one choice.
fn around(choice: &str) -> String {
    let usage = r#""usage":{"prompt_tokens":7,"completion_tokens":8}"#;
    format!(r#"{{"id":"x","model":"m","choices":[{choice}],{usage}}}"#)
}

#[test]
fn a_plain_answer_is_read() {
    let body = around(r#"{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}"#);
    let completion =
        Completion { text: "hi".to_owned(), finish_reason: Some("stop".to_owned()), tool_calls: None };
    let expected = Reply {
        body: ReplyBody::Completion(completion),
        model_returned: None,
        tokens: Tokens { input: 7, output: 8 },
        latency: Duration::from_millis(3),
        flags: Flags::default(),
    };
    assert_eq!(read(body).unwrap(), expected);
}

#[test]
fn contents_of_every_shape_are_read() {
    let none = Flags::default();
    let lossy = Flags { lossy_text: true, ..none };
    let refused = Flags { refused: true, ..none };
    let truncated = Flags { truncated: true, ..none };
    for (choice, text, flags) in [
        (r#"{"message":{"content":null,"tool_calls":[]}}"#, "", none),
        (r#"{"message":{}}"#, "", none),
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
