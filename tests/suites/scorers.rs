//! Scorers with inputs that could take unlimited time, memory or stack. Their scores fail, and nothing else does.

use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};

/// The most memory that the server may use, in KiB.
const MAX_MEMORY: u64 = 300 << 10;

/// An experiment whose model answers with its samples, scored by these formats and by a keyword that all of them
/// contain.
fn answers(url: &str, samples: &[String], formats: &[Value]) -> Value {
    let samples: Vec<Value> = samples.iter().map(|text| json!({ "input": text })).collect();
    let named = |(i, options): (usize, &Value)| json!({"name": format!("{}-{i}", options["type"].as_str().unwrap()), "scorer": "format", "options": options});
    let mut scoring: Vec<Value> = formats.iter().enumerate().map(named).collect();
    scoring.push(json!({"scorer": "length", "options": {"min": 1}}));
    Experiment::echo(url, 0, 1)
        .with("/sample_data", Value::Array(samples))
        .with("/pipeline_stages/0/model", json!("good-1"))
        .with("/pipeline_stages/0/prompt", json!("[[answer:{{ sample.input }}]]"))
        .with("/scoring_config", Value::Array(scoring))
        .document
}

/// The scores of each sample of the experiment's only run.
async fn scores(server: &Server, experiment: &str) -> Vec<Value> {
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    let sweep = server.settled(experiment).await;
    assert_eq!(
        (&sweep["status"], &sweep["progress"]["completed"]),
        (&json!("completed"), &json!(1)),
        "{sweep}"
    );
    let runs = server.get(&format!("experiments/{experiment}/runs")).await;
    let run = runs["items"][0]["id"].as_str().unwrap().to_owned();
    let page = server.get(&format!("runs/{run}/samples?limit=500")).await;
    page["items"].as_array().unwrap().iter().map(|item| item["scores"].clone()).collect()
}

async fn check_server(server: &Server) {
    assert_eq!(server.get("/health").await["database"], "ok");
    let used = program::peak_memory(server.process()).unwrap();
    assert!(used < MAX_MEMORY, "the server used {used} KiB");
}

fn said<'a>(scores: &'a Value, scorer: &str) -> &'a Value {
    let found = scores
        .as_array()
        .unwrap()
        .iter()
        .find(|score| score["scorer_name"].as_str().unwrap().starts_with(scorer));
    found.unwrap_or_else(|| panic!("{scorer} said nothing: {scores}"))
}

#[tokio::test]
async fn a_schema_that_refers_to_itself_ends_no_server() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    let inner = json!({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]});
    let schema = json!({"anyOf": [inner, {"allOf": [inner, {"required": ["b"]}]}]});
    let deep = format!("{}1{}", r#"{"a":"#.repeat(40), "}".repeat(40));
    let formats = [json!({"type": "json_schema", "schema": schema}), json!({"type": "json"})];
    let experiment = server.import(&answers(&fake.url(), &[deep, "{\"a\":1}".to_owned()], &formats)).await;
    let scores = scores(&server, &experiment).await;
    let ended = said(&scores[0], "json_schema")["error"].as_str().unwrap_or_default();
    assert!(ended.contains("memory") || ended.contains("longer"), "{scores:?}");
    assert_eq!(said(&scores[1], "json_schema")["value"], json!(0.0), "{scores:?}");
    for scores in &scores {
        assert_eq!(said(scores, "json-1")["value"], json!(1.0), "{scores:?}");
        assert_eq!(said(scores, "length")["value"], json!(1.0), "{scores:?}");
    }
    check_server(&server).await;
}

#[tokio::test]
async fn texts_of_any_shape_get_a_score_or_a_reason() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    let aliases = (1..30).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", ")));
    let attributes: Vec<String> = (0..100_000).map(|i| format!("a{i}=''")).collect();
    let samples = [
        "[".repeat(200_000),
        r#"{"a":"#.repeat(50_000),
        "<a>".repeat(100_000),
        format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)),
        format!("<a {}/>", attributes.join(" ")),
        (0..5_000).map(|i| format!("<a xmlns:b{i}='c'>")).collect::<Vec<_>>().concat(),
        "- ".repeat(100_000),
        "{a: ".repeat(50_000),
        format!("a0: &a0 [x, x]\n{}", aliases.collect::<Vec<_>>().concat()),
        "\"".repeat(100_000),
    ];
    let formats = [
        json!({"type": "json"}),
        json!({"type": "json_schema", "schema": {"items": {"$ref": "#"}}}),
        json!({"type": "markdown", "headings": ["A"]}),
        json!({"type": "regex", "pattern": "(a|b)*c$"}),
        json!({"type": "xml"}),
        json!({"type": "yaml"}),
        json!({"type": "csv"}),
    ];
    let experiment = server.import(&answers(&fake.url(), &samples, &formats)).await;
    for (sample, scores) in scores(&server, &experiment).await.iter().enumerate() {
        assert_eq!(scores.as_array().unwrap().len(), formats.len() + 1, "sample {sample}: {scores}");
        assert_eq!(said(scores, "length")["value"], json!(1.0));
        for score in scores.as_array().unwrap() {
            assert_ne!(score["value"].is_null(), score["error"].is_null(), "sample {sample}: {score}");
        }
    }
    check_server(&server).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    check_server(&server).await;
}
