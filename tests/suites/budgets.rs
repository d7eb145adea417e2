//! Budgets, and options of stages that could exceed them.

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// An experiment whose server bills as much as a request allows.
fn greedy(url: &str) -> Experiment {
    Experiment::echo(url, 8, 2).with("/pipeline_stages/0/model", json!("greedy-1"))
}

#[tokio::test]
async fn fields_that_would_undo_the_limit_of_an_answer_are_refused() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    server.import(&greedy(&fake.url()).document).await;
    let project = server.post("projects", json!({"name": "budgets"})).await["id"].clone();
    let refused = async |experiment: Experiment| {
        let mut document = experiment.with("/project_id", project.clone()).document;
        document.as_object_mut().unwrap().retain(|name, _| name != "endpoints" && name != "sweep");
        let (status, told) = server.send(Method::POST, "experiments", Some(document)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        (told["errors"][0]["pointer"].clone(), told["errors"][0]["detail"].to_string())
    };
    for (key, place) in [
        ("max_tokens", "parameters.max_tokens"),
        ("MAX_TOKENS", "parameters.max_tokens"),
        ("max_completion_tokens", "parameters.max_tokens"),
        ("n_predict", "parameters.max_tokens"),
        ("n", "repeats"),
        ("best_of", "repeats"),
        ("model", "`model`"),
    ] {
        let extra = greedy(&fake.url()).with("/pipeline_stages/0/extra", json!({ key: 8_000 }));
        let (pointer, detail) = refused(extra).await;
        assert_eq!(pointer, format!("/pipeline_stages/0/extra/{key}"));
        assert!(detail.contains(place), "{detail}");
        let dimension = json!({"target": format!("say.extra.{key}"), "type": "choice", "values": [1, 8_000]});
        let (pointer, detail) = refused(greedy(&fake.url()).with("/parameter_space/more", dimension)).await;
        assert_eq!(pointer, "/parameter_space/more/target");
        assert!(detail.contains(place), "{detail}");
    }
}

#[tokio::test]
async fn all_that_a_request_carries_is_reserved_before_it_is_sent() {
    const BUDGET: u64 = 9_000;
    let tool = json!({"type": "function", "function": {"name": "f", "description": "x".repeat(5_000)}});
    let schema = json!({"json_schema": {"type": "object", "description": "x".repeat(5_000)}});
    for (field, value, calls) in [
        ("extra", json!({"tools": [tool]}), 1),
        ("response_format", schema, 1),
        ("extra", json!({"top_k": 40}), 8),
    ] {
        let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
        let server = Server::start(&home).await;
        let experiment = greedy(&fake.url()).with(&format!("/pipeline_stages/0/{field}"), value);
        let id = server.import(&experiment.document).await;
        server.post(&format!("experiments/{id}/sweep"), json!({"max_tokens": BUDGET})).await;
        server.settled(&id).await;
        let counts = fake.counts();
        let spent = counts.input_tokens + counts.output_tokens;
        assert!(
            counts.calls >= calls && spent <= BUDGET,
            "{field}: {spent} of {BUDGET} in {} calls",
            counts.calls
        );
    }
}

/// The estimate of a sweep counts everything that a request contains.
#[tokio::test]
async fn an_estimate_counts_what_goes_along_with_messages() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    let schema = json!({"json_schema": {"type": "object", "description": "x".repeat(5_000)}});
    let tokens = async |experiment: Experiment| {
        let id = server.import(&experiment.document).await;
        let dry: Value = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
        dry["estimated_tokens"].as_u64().unwrap()
    };
    let plain = tokens(greedy(&fake.url())).await;
    let other = FakeLlm::start(Options::default()).await.unwrap();
    let label = |experiment: Experiment| {
        experiment
            .with("/endpoints/0/label", json!("other"))
            .with("/pipeline_stages/0/endpoint", json!("other"))
    };
    let with = tokens(label(greedy(&other.url()).with("/pipeline_stages/0/response_format", schema))).await;
    assert!(with > plain + 16 * 1_250, "{with} and {plain}");
}
