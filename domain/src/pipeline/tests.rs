use super::*;
use crate::call::{Completion, Embedding, FailureKind, Flags, ReplyBody, ResponseFormat};
use crate::configuration::{Binding, Configuration};
use crate::endpoint::{EndpointIdentity, EndpointKind};
use crate::name::Name;
use crate::pricing::{CacheUse, Tokens};
use crate::stage::{ChunkInput, ChunkStage, LlmStage, RetrieveStage, Stage};
use crate::text_unit::TextUnit;
use crate::value::Map;

fn name(text: &str) -> Name {
    Name::try_new(text).unwrap()
}

/// Cuts the documents by words and finds the two that are most similar to the sample's input.
fn retrieval(size: u32, overlap: u32) -> Configuration {
    let cut = ChunkStage { input: ChunkInput::Documents, unit: TextUnit::Words, size, overlap };
    let find = RetrieveStage {
        from: name("cut"),
        query: RetrieveStage::DEFAULT_QUERY.to_owned(),
        endpoint: None,
        model: None,
        top_k: 2,
    };
    let endpoint = EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1/v1");
    let stages = vec![
        ConfiguredStage { stage: Stage { name: name("cut"), kind: StageKind::Chunk(cut) }, binding: None },
        ConfiguredStage {
            stage: Stage { name: name("find"), kind: StageKind::Retrieve(find) },
            binding: Some(Binding { endpoint, model: "bge".into() }),
        },
    ];
    Configuration { stages, params: Map::new(), free: Map::new(), repeats: 1 }
}

fn embedding(numbers: &[f32]) -> Reply {
    Reply {
        body: ReplyBody::Embedding(Embedding::try_new(numbers.to_vec()).unwrap()),
        model_returned: None,
        provider: None,
        system_fingerprint: None,
        service_tier: None,
        cache: CacheUse::default(),
        stated_cost: None,
        tokens: Tokens::default(),
        latency: std::time::Duration::ZERO,
        flags: Flags::default(),
    }
}

fn texts(step: Step) -> Vec<String> {
    let Step::Calls(calls) = step else { panic!("no calls: {step:?}") };
    let text = |call: Call| match call {
        Call::Embed(call) => call.text,
        other => panic!("another call: {other:?}"),
    };
    calls.into_iter().map(text).collect()
}

#[test]
fn documents_are_cut_embedded_and_found_by_their_angle() {
    let pipeline = Pipeline::try_new(&retrieval(2, 0)).unwrap();
    let documents = Value::List(vec!["red apples green pears".into(), "blue sky".into()]);
    let sample = Value::from([("input", Value::from("fruit?"))]);
    let mut progress = SampleProgress::new(sample);
    let cut = pipeline.begin_quickly(0, &progress, &documents, 1).unwrap();
    let chunks = ["red apples", "green pears", "blue sky"];
    assert_eq!(cut, Step::Output(Value::List(chunks.map(Value::from).to_vec())));
    let Step::Output(chunks) = cut else { unreachable!() };
    progress.passed("cut", chunks);

    let asked = texts(pipeline.begin(1, &progress, &documents, 1).unwrap());
    assert_eq!(asked, ["fruit?", "red apples", "green pears", "blue sky"]);
    let replies = [[1.0, 0.0], [0.6, 0.8], [1.0, 0.0], [0.0, 1.0]].map(|numbers| embedding(&numbers));
    let found = pipeline.finish(1, &progress, &replies.each_ref(), |_| None).unwrap();
    let shown: Vec<String> = found.as_list().unwrap().iter().map(Value::canonical).collect();
    assert!(shown[0].contains(r#""index":1"#) && shown[0].contains("green pears"), "{shown:?}");
    assert!(shown[1].contains(r#""score":0.6"#) && shown.len() == 2, "{shown:?}");

    let other = [[1.0, 0.0].as_slice(), &[1.0], &[1.0], &[1.0]].map(embedding);
    let error = pipeline.finish(1, &progress, &other.each_ref(), |_| None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Call(FailureKind::Malformed));
    let error = pipeline.finish(1, &progress, &replies.each_ref()[..2], |_| None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Call(FailureKind::Malformed));
}

#[test]
fn a_stage_reports_wrong_input() {
    let pipeline = Pipeline::try_new(&retrieval(2, 1)).unwrap();
    let mut progress = SampleProgress::new(Value::from([("input", Value::from("x"))]));
    let none = Value::List(Vec::new());
    assert_eq!(pipeline.begin(0, &progress, &none, 1), Ok(Step::Output(none.clone())));
    progress.passed("cut", none.clone());
    assert_eq!(pipeline.begin(1, &progress, &none, 1), Ok(Step::Output(none.clone())), "nothing to ask");
    progress.passed("cut", Value::from("a text"));
    let error = pipeline.begin(1, &progress, &none, 1).unwrap_err();
    assert_eq!((error.kind.as_str(), error.message.contains("`cut`")), ("wrong_input", true));
    let (stage, error) = Pipeline::try_new(&retrieval(2, 2)).unwrap_err();
    assert_eq!((stage, error.kind.as_str()), (0, "configuration"));
}

#[test]
fn large_texts_are_not_processed_at_once() {
    let pipeline = Pipeline::try_new(&retrieval(2, 0)).unwrap();
    let progress = SampleProgress::new(Value::from([("input", Value::from("x"))]));
    let documents = Value::List(vec!["word ".repeat(100_000).into()]);
    assert_eq!(pipeline.begin_quickly(0, &progress, &documents, 1), None);
    assert!(pipeline.begin(0, &progress, &documents, 1).is_ok());
}

#[test]
fn a_limit_that_the_protocol_demands_is_part_of_the_call() {
    for (kind, set, told) in [
        (EndpointKind::OpenAi, None, None),
        (EndpointKind::Anthropic, None, Some(4_096)),
        (EndpointKind::Anthropic, Some(16_u32), Some(16)),
    ] {
        let parameters = set.map(|limit| ("max_tokens".to_owned(), Value::from(limit)));
        let ask = LlmStage {
            prompt: "hi".to_owned(),
            parameters: parameters.into_iter().collect(),
            ..LlmStage::default()
        };
        let endpoint = EndpointIdentity::new(kind, "http://h/v1");
        let stage = ConfiguredStage {
            stage: Stage { name: name("ask"), kind: StageKind::Llm(ask) },
            binding: Some(Binding { endpoint, model: "m".into() }),
        };
        let configuration =
            Configuration { stages: vec![stage], params: Map::new(), free: Map::new(), repeats: 1 };
        let pipeline = Pipeline::try_new(&configuration).unwrap();
        let progress = SampleProgress::new(Value::Null);
        let Step::Calls(calls) = pipeline.begin(0, &progress, &Value::Null, 1).unwrap() else { panic!() };
        assert_eq!(calls[0].max_tokens(), told, "{kind}");
        assert_eq!(calls[0].parameters().contains_key("max_tokens"), told.is_some(), "{kind}");
    }
}

#[test]
fn an_answer_that_is_no_json_fails_a_stage_that_answers_json() {
    let ask = |response_format| LlmStage { prompt: "hi".to_owned(), response_format, ..LlmStage::default() };
    let finish = |response_format, text: &str, flags| {
        let endpoint = EndpointIdentity::new(EndpointKind::OpenAi, "http://h/v1");
        let stage = ConfiguredStage {
            stage: Stage { name: name("extract"), kind: StageKind::Llm(ask(response_format)) },
            binding: Some(Binding { endpoint, model: "m".into() }),
        };
        let configuration =
            Configuration { stages: vec![stage], params: Map::new(), free: Map::new(), repeats: 1 };
        let completion = Completion { text: text.to_owned(), ..Completion::default() };
        let reply = Reply { body: ReplyBody::Completion(completion), flags, ..embedding(&[1.0]) };
        let pipeline = Pipeline::try_new(&configuration).unwrap();
        let json = |text: &str| (text == "7").then(|| Value::from(7_u32));
        pipeline.finish(0, &SampleProgress::new(Value::Null), &[&reply], json)
    };
    let (plain, cut) = (Flags::default(), Flags { truncated: true, ..Flags::default() });
    let refused = Flags { refused: true, ..Flags::default() };
    assert_eq!(finish(ResponseFormat::Json, "<think>x</think>7", plain), Ok(Value::from(7_u32)));
    assert_eq!(finish(ResponseFormat::Text, "7", plain), Ok(Value::from("7")));
    let schema = ResponseFormat::JsonSchema { schema: Value::Bool(true), strict: None };
    let long = format!("Sorry,\n{}", "x".repeat(1_000));
    for (format, text, flags, said) in [
        (ResponseFormat::Json, "Sorry,\nno", plain, "stage `extract` answered no JSON: Sorry,\\nno"),
        (
            schema,
            "",
            refused,
            "stage `extract` answered no JSON (the model or its server refused to answer): its answer is empty",
        ),
        (
            ResponseFormat::Json,
            "{",
            cut,
            "stage `extract` answered no JSON (cut at the limit of output tokens: raise max_tokens): {",
        ),
    ] {
        let error = finish(format, text, flags).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::NotJson, said));
    }
    let error = finish(ResponseFormat::Json, &long, plain).unwrap_err();
    assert!(error.message.chars().count() < 300, "{}", error.message);
}
