use super::*;
use crate::call::{Completion, Embedding, FailureKind, Flags, ReplyBody, ResponseFormat};
use crate::configuration::{Binding, Configuration};
use crate::endpoint::{EndpointIdentity, EndpointKind};
use crate::name::Name;
use crate::space::Field;
use crate::stage::{ChunkInput, ChunkStage, LlmStage, RetrieveStage, Stage};
use crate::text_unit::TextUnit;
use crate::value::Map;

fn name(text: &str) -> Name {
    Name::try_new(text).unwrap()
}

/// Cuts texts by words and finds the two that are most similar to the sample's input.
fn retrieval(input: &str, size: u32, overlap: u32) -> Configuration {
    let input = ChunkInput::parse(Some(input.to_owned()));
    let cut = ChunkStage { input, unit: TextUnit::Words, size, overlap };
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
    Reply::of(ReplyBody::Embedding(Embedding::try_new(numbers.to_vec()).unwrap()))
}

fn texts(calls: Vec<Call>) -> Vec<String> {
    let text = |call: Call| match call {
        Call::Embed(call) => call.text,
        other => panic!("another call: {other:?}"),
    };
    calls.into_iter().map(text).collect()
}

fn documents() -> Value {
    Value::List(vec!["red apples green pears".into(), "blue sky".into()])
}

/// A sample with a question, whose own text has the words of the documents.
fn sample() -> SampleProgress {
    let meta = Value::from([("text", Value::from("red apples green pears blue sky"))]);
    SampleProgress::new(Value::from([("input", Value::from("fruit?")), ("meta", meta)]))
}

/// The sample's progress after the first stage.
fn cut(pipeline: &Pipeline) -> SampleProgress {
    let mut progress = sample();
    let Step::Output(chunks) = pipeline.begin_quickly(0, &progress, &documents(), 1).unwrap() else {
        panic!()
    };
    assert_eq!(
        chunks.value(),
        &Value::List(["red apples", "green pears", "blue sky"].map(Value::from).to_vec())
    );
    progress.passed("cut", chunks);
    progress
}

const QUERY: [f32; 2] = [1.0, 0.0];
const VECTORS: [[f32; 2]; 3] = [[0.6, 0.8], [1.0, 0.0], [0.0, 1.0]];

fn check_found(found: &Value) {
    let shown: Vec<String> = found.as_list().unwrap().iter().map(Value::canonical).collect();
    assert!(shown[0].contains(r#""index":1"#) && shown[0].contains("green pears"), "{shown:?}");
    assert!(shown[1].contains(r#""score":0.6"#) && shown.len() == 2, "{shown:?}");
}

#[test]
fn a_sample_s_own_texts_are_embedded_with_its_query_and_found_by_their_angle() {
    let pipeline = Pipeline::try_new(&retrieval("{{ sample.meta.text }}", 2, 0)).unwrap();
    let progress = cut(&pipeline);
    let Step::Calls(calls) = pipeline.begin(1, &progress, &documents(), 1).unwrap() else { panic!() };
    assert_eq!(texts(calls), ["fruit?", "red apples", "green pears", "blue sky"]);
    let replies = [QUERY, VECTORS[0], VECTORS[1], VECTORS[2]].map(|numbers| embedding(&numbers));
    check_found(&pipeline.finish(1, &progress, &replies.each_ref(), |_| None).unwrap());

    let other = [[1.0, 0.0].as_slice(), &[1.0], &[1.0], &[1.0]].map(embedding);
    for replies in [&other.each_ref()[..], &replies.each_ref()[..2], &[]] {
        let error = pipeline.finish(1, &progress, replies, |_| None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Call(FailureKind::Malformed));
    }
}

#[test]
fn documents_are_one_corpus_for_all_samples() {
    for input in ["documents", "{% for text in documents %}{{ text }} {% endfor %}"] {
        let pipeline = Pipeline::try_new(&retrieval(input, 2, 0)).unwrap();
        let begun = pipeline.begin(1, &cut(&pipeline), &documents(), 1).unwrap();
        let Step::Search(search) = begun else { panic!("{input}: {begun:?}") };
        let Search { query, corpus } = *search;
        assert_eq!(texts(vec![query]), ["fruit?"]);
        assert_eq!(texts(corpus.calls()), ["red apples", "green pears", "blue sky"]);
        let vectors = VECTORS.map(|numbers| embedding(&numbers));
        let index = corpus.index(&vectors.each_ref()).unwrap();
        check_found(&pipeline.search(1, &index, &embedding(&QUERY)).unwrap());
        assert!(index.size() > corpus.len() * 2 * 4 && !index.searches_slowly());

        let uneven = [&vectors[0], &vectors[1], &embedding(&[1.0])];
        for replies in [&uneven[..], &vectors.each_ref()[..2]] {
            let error = corpus.index(replies).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Call(FailureKind::Malformed));
        }
        let error = pipeline.search(1, &index, &embedding(&[1.0])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Call(FailureKind::Malformed));
    }
}

fn set(configuration: &mut Configuration, stage: usize, field: &Field, value: u32) {
    configuration.stages[stage].stage.set(field, &Value::from(value)).unwrap();
}

#[test]
fn corpora_differ_by_all_that_their_vectors_depend_on() {
    let key = |change: fn(&mut Configuration)| {
        let mut configuration = retrieval("documents", 2, 0);
        change(&mut configuration);
        let pipeline = Pipeline::try_new(&configuration).unwrap();
        let mut progress = sample();
        let Step::Output(chunks) = pipeline.begin(0, &progress, &documents(), 1).unwrap() else { panic!() };
        progress.passed("cut", chunks);
        match pipeline.begin(1, &progress, &documents(), 1).unwrap() {
            Step::Search(search) => search.corpus.key().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    let plain = key(|_| {});
    for change in [
        (|c| set(c, 0, &Field::ChunkSize, 3)) as fn(&mut Configuration),
        |c| set(c, 0, &Field::ChunkOverlap, 1),
        |c| c.stages[1].binding.as_mut().unwrap().model = "other".into(),
        |c| c.stages[1].binding.as_mut().unwrap().endpoint.url = "http://other/v1".into(),
    ] {
        assert_ne!(key(change), plain);
    }
    assert_eq!(key(|c| set(c, 1, &Field::TopK, 1)), plain, "how many are kept does not matter");
}

#[test]
fn equally_similar_texts_stay_in_their_order() {
    let pipeline = Pipeline::try_new(&retrieval("documents", 1, 0)).unwrap();
    let mut progress = sample();
    let Step::Output(chunks) = pipeline.begin(0, &progress, &documents(), 1).unwrap() else { panic!() };
    progress.passed("cut", chunks);
    let Step::Search(search) = pipeline.begin(1, &progress, &documents(), 1).unwrap() else { panic!() };
    let corpus = search.corpus;
    let same = embedding(&[1.0; 9]);
    let index = corpus.index(&vec![&same; corpus.len()]).unwrap();
    let found = pipeline.search(1, &index, &same).unwrap();
    let indices: Vec<String> =
        found.as_list().unwrap().iter().map(|hit| hit.as_map().unwrap()["index"].canonical()).collect();
    assert_eq!(indices, ["0", "1"]);
}

#[test]
fn a_stage_reports_wrong_input() {
    let pipeline = Pipeline::try_new(&retrieval("{{ sample.meta.text }}", 2, 1)).unwrap();
    let mut progress = sample();
    let none = Value::List(Vec::new());
    let nothing = || Ok(Step::Output(Value::List(Vec::new()).into()));
    progress.passed("cut", none.clone());
    assert_eq!(pipeline.begin(1, &progress, &none, 1), nothing(), "nothing to ask");
    progress.passed("cut", Value::from("a text"));
    let error = pipeline.begin(1, &progress, &none, 1).unwrap_err();
    assert_eq!((error.kind.as_str(), error.message.contains("`cut`")), ("wrong_input", true));

    let pipeline = Pipeline::try_new(&retrieval("documents", 2, 1)).unwrap();
    assert_eq!(pipeline.begin(0, &progress, &none, 1), nothing());
    progress.passed("cut", none.clone());
    assert_eq!(pipeline.begin(1, &progress, &none, 1), nothing(), "nothing to search");
    let (stage, error) = Pipeline::try_new(&retrieval("documents", 2, 2)).unwrap_err();
    assert_eq!((stage, error.kind.as_str()), (0, "configuration"));
}

#[test]
fn large_texts_are_not_processed_at_once() {
    let pipeline = Pipeline::try_new(&retrieval("documents", 2, 0)).unwrap();
    let progress = SampleProgress::new(Value::from([("input", Value::from("x"))]));
    let documents = Value::List(vec!["word ".repeat(100_000).into()]);
    assert_eq!(pipeline.begin_quickly(0, &progress, &documents, 1), None);
    assert!(pipeline.begin(0, &progress, &documents, 1).is_ok());
    assert!(pipeline.begin_quickly(0, &progress, &documents, 1).is_some(), "they are cut once");
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
