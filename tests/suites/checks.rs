//! Scoring entries: parts of outputs, several references, checks of single samples, and held-out samples.

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};

/// An experiment whose model answers each sample with the sample's own text.
fn echo(url: &str, samples: Value, scoring: Value) -> Experiment {
    Experiment::echo(url, 0, 1)
        .with("/sample_data", samples)
        .with("/pipeline_stages/0/model", json!("good-1"))
        .with("/pipeline_stages/0/prompt", json!("[[answer:{{ sample.input }}]]"))
        .with("/scoring_config", scoring)
}

/// The experiment's only run, and its samples.
async fn tried(server: &Server, experiment: &str) -> (Value, Vec<Value>) {
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    server.settled(experiment).await;
    let runs = server.get(&format!("experiments/{experiment}/runs")).await;
    let run = runs["items"][0].clone();
    let page = server.get(&format!("runs/{}/samples", run["id"].as_str().unwrap())).await;
    (run, page["items"].as_array().unwrap().clone())
}

fn values(sample: &Value) -> Vec<(String, Value)> {
    let scores = sample["scores"].as_array().unwrap().iter();
    scores.map(|score| (score["scorer_name"].as_str().unwrap().to_owned(), score["value"].clone())).collect()
}

async fn a_suite_of_different_checks_is_one_experiment(kind: Kind) {
    let (home, fake) = (Home::new(kind).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    let samples = json!([
        {"input": "The answer is {\"city\": \"Paris\"}", "references": ["Lyon", "Paris"]},
        {"input": "It is 12", "checks": [
            {"scorer": "contains", "weight": 2, "options": {"value": "{{ sample.meta.expected }}"}},
            {"scorer": "contains", "options": {"value": "13"}},
            {"name": "city", "scorer": "exact_match", "extract": {"regex": "\\d+"}, "options": {"value": "12"}},
        ], "meta": {"expected": "12"}},
    ]);
    let scoring = json!([
        {"name": "city", "scorer": "exact_match", "extract": {"pointer": "/city"}},
        {"name": "short", "scorer": "length", "weight": 0, "negate": true, "pass_at": 0.5, "options": {"max": 20}},
    ]);
    let experiment = server.import(&echo(&fake.url(), samples, scoring).document).await;
    let (run, samples) = tried(&server, &experiment).await;
    let named = |name: &str, value: Value| (name.to_owned(), value);
    assert_eq!(values(&samples[0]), [named("city", json!(1.0)), named("short", json!(0.0))], "{samples:?}");
    let own = [named("city", json!(1.0)), named("short", json!(0.0)), named("contains", json!(2.0 / 3.0))];
    assert_eq!(values(&samples[1]), own);
    assert_eq!(samples[0]["references"], json!(["Lyon", "Paris"]));
    assert_eq!((&samples[0]["score"], &samples[1]["score"]), (&json!(1.0), &json!(0.75)));
    assert_eq!(run["score"], json!(0.875));
    assert_eq!(
        (&run["scores"]["contains"]["n"], &run["scores"]["contains"]["value"]),
        (&json!(1), &json!(2.0 / 3.0))
    );
    let board = server.get(&format!("experiments/{experiment}/leaderboard")).await;
    assert_eq!(board["items"][0]["scores"]["city"], json!(1.0), "{board}");
}

async fn samples_that_are_held_out_are_not_tried(kind: Kind) {
    let (home, fake) = (Home::new(kind).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    let samples: Vec<Value> = (0..10).map(|i| json!({"input": format!("s{i}"), "reference": "x"})).collect();
    let document = echo(&fake.url(), Value::Array(samples), json!([{"scorer": "exact_match"}]))
        .with("/holdout", json!(0.3))
        .document;
    let experiment = server.import(&document).await;
    let dry = server.post(&format!("experiments/{experiment}/sweep"), json!({"dry_run": true})).await;
    assert_eq!(dry["calls"], json!(7), "{dry}");
    let (run, samples) = tried(&server, &experiment).await;
    assert_eq!((&run["samples"]["total"], samples.len(), fake.counts().calls), (&json!(7), 7, 7));
    let detail = server.get(&format!("experiments/{experiment}")).await;
    assert_eq!((&detail["holdout"], &detail["sample_data"]["count"]), (&json!(0.3), &json!(10)));
}

#[tokio::test]
async fn checks_sqlite() {
    a_suite_of_different_checks_is_one_experiment(Kind::Sqlite).await;
    samples_that_are_held_out_are_not_tried(Kind::Sqlite).await;
}

#[tokio::test]
async fn checks_postgres() {
    a_suite_of_different_checks_is_one_experiment(Kind::Postgres).await;
    samples_that_are_held_out_are_not_tried(Kind::Postgres).await;
}

#[tokio::test]
async fn what_cannot_be_scored_is_refused_before_anything_is_paid() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    let project = server.post("projects", json!({"name": "p"})).await["id"].clone();
    let sample = |fields: Value| {
        let mut sample = json!({"input": "a", "meta": {"label": "b"}});
        sample.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!([sample])
    };
    let length = json!([{"scorer": "length", "options": {"max": 5}}]);
    for (samples, scoring, pointer, advice) in [
        (
            sample(json!({})),
            json!([{"scorer": "exact_match"}]),
            "/scoring_config/0/scorer",
            "`label` looks like one",
        ),
        (
            sample(json!({"reference": "a", "references": ["b"]})),
            length.clone(),
            "/sample_data/0/references",
            "not both",
        ),
        (
            sample(json!({"checks": [{"scorer": "contains"}]})),
            length.clone(),
            "/sample_data/0/checks/0/scorer",
            "option `value`",
        ),
        (
            sample(json!({"checks": [{"scorer": "contains", "options": {"value": "{{ sample.meta.no }}"}}]})),
            length.clone(),
            "/sample_data/0/checks/0/options/value",
            "the sample has no `meta.no`",
        ),
        (
            sample(json!({})),
            json!([{"scorer": "keyword", "options": {"required": ["{{ previous }}"]}}]),
            "/scoring_config/0/options/required/0",
            "options of scorers see",
        ),
        (
            sample(json!({})),
            json!([{"scorer": "length", "options": {"max": 1}, "extract": {"regex": "("}}]),
            "/scoring_config/0/extract/regex",
            "",
        ),
        (
            sample(json!({})),
            json!([{"scorer": "length", "options": {"max": 1}, "pass_at": 2}]),
            "/scoring_config/0/pass_at",
            "0 to 1",
        ),
    ] {
        let mut document = echo(&fake.url(), samples, scoring).document;
        let fields = document.as_object_mut().unwrap();
        fields.retain(|name, _| !["endpoints", "sweep"].contains(&name.as_str()));
        fields.insert("project_id".to_owned(), project.clone());
        let (status, problem) = server.send(reqwest::Method::POST, "experiments", Some(document)).await;
        assert_eq!(status.as_u16(), 422, "{problem}");
        let found = problem["errors"].as_array().unwrap().iter().find(|error| error["pointer"] == pointer);
        let found = found.unwrap_or_else(|| panic!("nothing at {pointer}: {problem}"));
        assert!(found["detail"].as_str().unwrap().contains(advice), "{found}");
    }
    assert_eq!(fake.counts().calls, 0);
}
