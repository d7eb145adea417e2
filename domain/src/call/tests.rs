use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::endpoint::EndpointKind;
use crate::secret::Secret;
use crate::value::tests::any_value;

fn call() -> ChatCall {
    ChatCall {
        endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1:8000/v1/"),
        model: "qwen2.5-7b".into(),
        messages: vec![
            Message { role: Role::System, content: "Sort.".into() },
            Message { role: Role::User, content: "My \"card\"\nwas charged".into() },
        ],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    }
}

#[test]
fn the_spelling_is_pinned() {
    assert_eq!(
        call().canonical(),
        concat!(
            r#"{"kind":"openai","messages":[{"content":"Sort.","role":"system"},"#,
            r#"{"content":"My \"card\"\nwas charged","role":"user"}],"model":"qwen2.5-7b","#,
            r#""url":"http://127.0.0.1:8000/v1","v":1}"#
        )
    );
    let mut full = call();
    full.parameters.insert("temperature".into(), Value::number(0.3));
    let schema = Value::from([("type", Value::from("object"))]);
    full.response_format = ResponseFormat::JsonSchema { schema: schema.clone(), strict: None };
    full.extra.insert("top_k".into(), Value::from(40_i64));
    full.repeat = 2;
    assert_eq!(
        full.canonical(),
        concat!(
            r#"{"extra":{"top_k":40},"kind":"openai","messages":[{"content":"Sort.","role":"system"},"#,
            r#"{"content":"My \"card\"\nwas charged","role":"user"}],"model":"qwen2.5-7b","#,
            r#""parameters":{"temperature":0.3},"repeat":2,"#,
            r#""response_format":{"json_schema":{"type":"object"}},"url":"http://127.0.0.1:8000/v1","v":1}"#
        )
    );
    full.response_format = ResponseFormat::JsonSchema { schema, strict: Some(false) };
    let strict = r#""response_format":{"json_schema":{"type":"object"},"strict":false},"url""#;
    assert!(full.canonical().contains(strict), "{}", full.canonical());
}

#[test]
fn an_embedding_call_is_spelled_by_its_text() {
    let endpoint = EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1:8000/v1/");
    let call = EmbedCall { endpoint, model: "bge".into(), text: "My \"card\"".into() };
    assert_eq!(
        Call::from(call).canonical(|_| Digest::new([0; 32]), String::new),
        r#"{"embed":"My \"card\"","kind":"openai","model":"bge","url":"http://127.0.0.1:8000/v1","v":1}"#
    );
}

fn http_call() -> HttpCall {
    let url = "http://127.0.0.1:9000/rank".to_owned();
    HttpCall {
        origin: ServiceOrigin::parse(&url).unwrap(),
        url,
        headers: BTreeMap::new(),
        body: RequestBody::Text("My \"card\"".into()),
        timeout: Duration::from_secs(30),
        repeat: 1,
        shared: true,
    }
}

/// Stands in for a hash: a text's length, and its first byte.
fn digest(text: &str) -> Digest {
    let mut bytes = [0; 32];
    bytes[0] = u8::try_from(text.len()).unwrap();
    bytes[1] = text.bytes().next().unwrap_or_default();
    Digest::new(bytes)
}

#[test]
fn a_call_of_a_service_is_spelled_with_the_digest_of_its_headers() {
    let spelled = |call: HttpCall| Call::from(call).canonical(digest, || "run 1".to_owned());
    assert_eq!(
        spelled(http_call()),
        r#"{"body":"My \"card\"","http":"POST","url":"http://127.0.0.1:9000/rank","v":1}"#
    );
    let headers = BTreeMap::from([("x-key".to_owned(), Secret::new("sk-1"))]);
    let full = HttpCall {
        headers,
        body: RequestBody::Json(Value::from([("b", Value::number(1.0)), ("a", Value::Null)])),
        repeat: 2,
        shared: false,
        ..http_call()
    };
    assert_eq!(
        spelled(full),
        concat!(
            r#"{"body":"{\"a\":null,\"b\":1}","#,
            r#""headers":"107b000000000000000000000000000000000000000000000000000000000000","#,
            r#""http":"POST","owner":"run 1","repeat":2,"url":"http://127.0.0.1:9000/rank","v":1}"#
        )
    );
    // Equal requests are equal calls, however long they may take.
    let same = HttpCall { timeout: Duration::from_secs(1), ..http_call() };
    assert_eq!(spelled(same), spelled(http_call()));
}

#[test]
fn vectors_are_compared_by_their_angle() {
    let vector = |numbers: &[f32]| Embedding::try_new(numbers.to_vec());
    let (x, y) = (vector(&[2.0, 0.0]).unwrap(), vector(&[0.0, 0.5]).unwrap());
    assert!((x.cosine(&x) - 1.0).abs() < 1e-12 && x.cosine(&y).abs() < 1e-12);
    assert!((x.cosine(&vector(&[-3.0, 0.0]).unwrap()) + 1.0).abs() < 1e-12);
    assert_eq!(x.cosine(&vector(&[0.0, 0.0]).unwrap()), 0.0, "a zero vector has no angle");
    assert_eq!(x.cosine(&vector(&[1.0]).unwrap()), 0.0, "vectors of two models");
    assert!(vector(&[]).is_none() && vector(&[f32::NAN]).is_none());
}

#[test]
fn digests_read_back() {
    let digest = Digest::new([0xa5; 32]);
    assert_eq!(digest.to_string(), "a5".repeat(32));
    assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
    for wrong in ["", "a5", &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(Digest::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn flags_and_kinds_read_back() {
    for bits in 0..16 {
        assert_eq!(Flags::from_bits(bits).bits(), bits);
    }
    for word in ["rate_limited", "upstream_5xx", "address_refused"] {
        assert_eq!(FailureKind::parse(word).map(FailureKind::as_str), Some(word));
    }
    assert_eq!(FailureKind::parse("bad_luck"), None);
}

#[test]
fn the_token_bound_is_never_below_what_a_byte_tokenizer_would_count() {
    assert_eq!(call().token_bound(100), 5 + 16 + 21 + 16 + 100);
    assert_eq!(call().token_bound(u64::MAX), u64::MAX);
    let mut full = call();
    full.response_format =
        ResponseFormat::JsonSchema { schema: Value::from("x".repeat(5_000)), strict: None };
    assert!(full.token_bound(100) >= 5_158);
    full.extra.insert("tools".into(), Value::from("x".repeat(5_000)));
    assert!(full.token_bound(100) >= 10_158);
}

fn any_call() -> impl Strategy<Value = ChatCall> {
    let kind = prop::sample::select(EndpointKind::ALL.to_vec());
    let role = prop_oneof![Just(Role::System), Just(Role::User), Just(Role::Assistant)];
    let message = (role, "[ab\"]{0,3}").prop_map(|(role, content)| Message { role, content });
    let format = prop_oneof![
        Just(ResponseFormat::Text),
        Just(ResponseFormat::Json),
        (any_value(), any::<Option<bool>>())
            .prop_map(|(schema, strict)| ResponseFormat::JsonSchema { schema, strict })
    ];
    let map = || proptest::collection::btree_map("[ab]", any_value(), 0..2);
    let messages = proptest::collection::vec(message, 0..3);
    (kind, "[ab/]{0,3}", "[ab]{0,2}", messages, map(), format, map(), 1..3_u32).prop_map(
        |(kind, url, model, messages, parameters, response_format, extra, repeat)| ChatCall {
            endpoint: EndpointIdentity::new(kind, &url),
            model,
            messages,
            parameters,
            response_format,
            extra,
            repeat,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn calls_are_spelled_alike_exactly_when_they_are_equal(a in any_call(), b in any_call()) {
        prop_assert_eq!(a == b, a.canonical() == b.canonical());
    }

    #[test]
    fn one_change_is_another_spelling(a in any_call(), b in any_call(), field in 0..7) {
        let mut changed = a.clone();
        match field {
            0 => changed.endpoint = b.endpoint,
            1 => changed.model = b.model,
            2 => changed.messages = b.messages,
            3 => changed.parameters = b.parameters,
            4 => changed.response_format = b.response_format,
            5 => changed.extra = b.extra,
            _ => changed.repeat = b.repeat,
        }
        prop_assert_eq!(a == changed, a.canonical() == changed.canonical());
    }
}

#[test]
fn reasoning_at_the_beginning_is_separated_from_the_answer() {
    for (text, thought, answer) in [
        ("<think>\nso\n</think>\n\nalpha", Some("so"), "alpha"),
        ("  <think></think>alpha", Some(""), "alpha"),
        ("so it is\n</think>\nalpha", Some("so it is"), "alpha"),
        ("<think>cut off", Some("cut off"), ""),
        ("alpha", None, "alpha"),
        ("say <think>x</think>", None, "say <think>x</think>"),
    ] {
        assert_eq!(thinking_apart(text), (thought, answer), "{text:?}");
    }
}
