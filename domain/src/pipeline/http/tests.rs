use crate::call::{Call, ReplyBody, ServiceAnswer};
use crate::configuration::{Configuration, ConfiguredStage};
use crate::name::Name;
use crate::pipeline::Pipeline;
use crate::stage::{Stage, StageKind};
use crate::value::Map;

use super::*;

fn stage() -> HttpStage {
    HttpStage {
        url: "http://rank.example:9000/{{ params.path }} ".to_owned(),
        headers: BTreeMap::from([("X-Key".to_owned(), "k-{{ sample.meta.tenant }}".to_owned())]),
        body: HttpBody::Standard,
        output: None,
        timeout_s: 7,
        cache: true,
    }
}

fn pipeline(stage: HttpStage) -> Pipeline {
    let stage = Stage { name: Name::try_new("rank").unwrap(), kind: StageKind::Http(stage) };
    let params = Map::from([("path".to_owned(), Value::from("v2")), ("k".to_owned(), Value::from(3_u32))]);
    let stages = vec![ConfiguredStage { stage, binding: None }];
    Pipeline::try_new(&Configuration { stages, params, free: Map::new(), repeats: 1 }).unwrap()
}

fn progress() -> SampleProgress {
    let sample = Value::from([
        ("input", Value::from("fruit?")),
        ("reference", Value::from("the secret answer")),
        ("meta", Value::from([("tenant", Value::from("t1"))])),
    ]);
    let mut progress = SampleProgress::new(sample);
    progress.passed("find", Value::List(vec!["apples".into()]));
    progress
}

/// The call of a stage, which is the same whether or not it is rendered quickly.
fn call(stage: HttpStage) -> Result<HttpCall, StageError> {
    let (pipeline, progress, none) = (pipeline(stage), progress(), Value::Null);
    let begun = pipeline.begin(0, &progress, &none, 2)?;
    assert_eq!(pipeline.begin_quickly(0, &progress, &none, 2), Some(begun.clone()));
    let Step::Calls(calls) = begun else { panic!("no call") };
    match <[Call; 1]>::try_from(calls) {
        Ok([Call::Http(call)]) => Ok(call),
        other => panic!("not the call of a service: {other:?}"),
    }
}

#[test]
fn a_request_is_rendered_and_never_holds_the_reference() {
    let call = call(stage()).unwrap();
    assert_eq!(
        (call.url.as_str(), call.origin.as_str()),
        ("http://rank.example:9000/v2", "http://rank.example:9000")
    );
    assert_eq!((call.timeout, call.repeat, call.shared), (Duration::from_secs(7), 2, true));
    assert_eq!(call.headers["x-key"].expose(), "k-t1");
    assert_eq!(
        call.body.to_text(),
        concat!(
            r#"{"context":{"meta":{"tenant":"t1"},"params":{"k":3,"path":"v2"},"#,
            r#""stages":{"find":{"output":["apples"]}}},"input":"fruit?","output":["apples"]}"#
        )
    );
    let shown = Call::from(call).request_text();
    assert!(shown.contains(r#""headers":["x-key"]"#) && shown.contains(r#""method":"POST""#), "{shown}");
    assert!(!shown.contains("k-t1") && !shown.contains("secret"), "{shown}");
}

#[test]
fn a_body_is_a_text_or_json_whose_single_expressions_give_values() {
    let body = |body| call(HttpStage { body, ..stage() }).unwrap().body.to_text().into_owned();
    let text = HttpBody::Text("q={{ sample.input }}".to_owned());
    assert_eq!(body(text), "q=fruit?");
    let json = Value::from([
        ("docs", Value::from("{{ previous }}")),
        ("k", Value::from("{{ params.k }}")),
        ("q", Value::from("Q: {{ sample.input }}")),
    ]);
    assert_eq!(body(HttpBody::Json(json)), r#"{"docs":["apples"],"k":3,"q":"Q: fruit?"}"#);
}

#[test]
fn what_cannot_be_sent_fails_the_sample_without_showing_a_header() {
    let with = |name: &str, value: &str| HttpStage {
        headers: [(name.to_owned(), value.to_owned())].into(),
        ..stage()
    };
    for (stage, kind, said) in [
        (
            HttpStage { url: "{{ params.path }}".to_owned(), ..stage() },
            ErrorKind::WrongInput,
            "`v2`: a URL begins",
        ),
        (
            HttpStage { url: "http://u@h/{{ params.path }}".to_owned(), ..stage() },
            ErrorKind::WrongInput,
            "user name",
        ),
        (with("x-key", "a\u{7}{{ params.k }}"), ErrorKind::WrongInput, "header `x-key`: a header's value"),
        (with("x-key", "{{ sample.meta.none }}"), ErrorKind::Template, "none"),
    ] {
        let (pipeline, none) = (pipeline(stage), Value::Null);
        let error = pipeline.begin(0, &progress(), &none, 1).unwrap_err();
        assert!(error.kind == kind && error.message.contains(said), "{error:?}");
        assert!(!error.message.contains('\u{7}'), "{error:?}");
        assert_eq!(pipeline.begin_quickly(0, &progress(), &none, 1), None);
    }
}

fn finish(output: Option<&str>, text: &str, is_json: bool) -> Result<String, StageError> {
    let reply = Reply::of(ReplyBody::Service(ServiceAnswer { text: text.to_owned(), is_json }));
    let pipeline = pipeline(HttpStage { output: output.map(str::to_owned), ..stage() });
    let list = |text: &str| match text {
        r#"{"a":["x"]}"# => Some(Value::from([("a", Value::List(vec!["x".into()]))])),
        "12.50" => Some(Value::number(12.5)),
        _ => None,
    };
    pipeline.finish(0, &progress(), &[&reply], list).map(|output| output.canonical())
}

#[test]
fn an_answer_is_json_where_it_can_be_and_text_else() {
    const OBJECT: &str = r#"{"a":["x"]}"#;
    for (output, text, is_json, expected) in [
        (None, OBJECT, true, Ok(OBJECT)),
        (None, OBJECT, false, Ok(OBJECT)),
        (None, "12.50", true, Ok("12.5")),
        (None, "12.50", false, Ok("\"12.50\"")),
        (None, "<html>", true, Ok("\"<html>\"")),
        (None, "", false, Ok("\"\"")),
        (Some("/a/0"), OBJECT, false, Ok("\"x\"")),
        (Some(""), "12.50", false, Ok("12.5")),
        (Some("/a/1"), OBJECT, true, Err((ErrorKind::MissingOutput, "stage `rank` has nothing at `/a/1`"))),
        (Some("/a"), "<h\n>", true, Err((ErrorKind::NotJson, "stage `rank` answered no JSON: <h\\n>"))),
        (Some("/a"), "", true, Err((ErrorKind::NotJson, "its answer is empty"))),
    ] {
        match (finish(output, text, is_json), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
            (Err(error), Err((kind, said))) => {
                assert!(error.kind == kind && error.message.contains(said), "{error:?}");
            }
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}
