//! Runs outside a sweep. No sweep can be resumed for them, so they end, or say when they are tried again.

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

/// Starts one run of an experiment with this fake model. Returns the run after a while.
async fn tried(server: &Server, url: &str, model: &str) -> Value {
    let mut document = Experiment::echo(url, 3, 1).with("/pipeline_stages/0/model", json!(model)).document;
    document["endpoints"][0]["label"] = json!(model);
    document["pipeline_stages"][0]["endpoint"] = json!(model);
    let experiment = server.import(&document).await;
    let wanted = json!({"experiment_id": experiment, "values": {}});
    let (status, run) = server.send(Method::POST, "runs?wait=5", Some(wanted)).await;
    assert!(status.is_success(), "{model}: {status} {run}");
    run
}

#[tokio::test]
async fn endpoints_that_refuse_every_call_fail_the_run() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    for (model, kind) in [
        ("fault-401", "unauthorized"),
        ("fault-403", "refused_by_gateway"),
        ("fault-402", "quota_exhausted"),
        ("fault-quota", "quota_exhausted"),
    ] {
        let run = tried(&server, &fake.url(), model).await;
        assert_eq!(
            (&run["status"], &run["error"]["kind"]),
            (&json!("failed"), &json!(kind)),
            "{model}: {run}"
        );
        assert!(run["completed_at"].is_string(), "{run}");
    }
}

#[tokio::test]
async fn odd_answers_are_counted() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    for (model, flags) in [
        ("good-1", json!({})),
        ("fault-length", json!({"truncated": 3})),
        ("fault-null-content", json!({"no_output": 3})),
        ("fault-tool-calls", json!({})),
        ("fault-filter", json!({"refused": 3})),
        ("fault-no-usage", json!({"tokens_estimated": 3})),
        ("fault-nul", json!({"lossy_text": 3})),
    ] {
        let run = tried(&server, &fake.url(), model).await;
        assert_eq!((&run["status"], &run["flags"]), (&json!("completed"), &flags), "{model}: {run}");
    }
}

#[tokio::test]
async fn a_retry_after_of_a_day_postpones_the_run() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    let run = tried(&server, &fake.url(), "fault-429-retry-86400").await;
    assert_eq!(run["status"], "pending", "{run}");
    assert!(run["not_before"].is_string() && run["error"].is_null(), "{run}");
}

/// A new run tries refused calls again: the key may have been fixed.
#[tokio::test]
async fn a_new_run_tries_an_endpoint_again() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    let run = tried(&server, &fake.url(), "fault-401x3").await;
    assert_eq!(run["status"], "failed", "{run}");
    let wanted = json!({"experiment_id": run["experiment_id"], "values": {}});
    for _ in 0..5 {
        let (_, run) = server.send(Method::POST, "runs?wait=5", Some(wanted.clone())).await;
        if run["status"] == "completed" {
            return;
        }
    }
    panic!("no run gets through");
}

/// Answers of two versions of a model make a run mixed: it says so, and so do its report and each answer.
#[tokio::test]
async fn a_run_that_more_than_one_model_answered_is_marked_mixed() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    for (model, mixed) in [("echo-1", None), ("fault-versions", Some(true))] {
        let mut document =
            Experiment::echo(&fake.url(), 16, 1).with("/pipeline_stages/0/model", json!(model));
        document = document.with("/endpoints/0/label", json!(model));
        document = document.with("/pipeline_stages/0/endpoint", json!(model)).with("/name", json!(model));
        let experiment = server.import(&document.document).await;
        let wanted = json!({"experiment_id": experiment, "values": {}});
        let (_, run) = server.send(Method::POST, "runs?wait=10", Some(wanted)).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(run.get("mixed").and_then(Value::as_bool), mixed, "{run}");
        let path = format!("experiments/{experiment}/export/report");
        let report = server.raw(Method::GET, &path, None, &[]).await.text().await.unwrap();
        let says =
            report.contains("1 run with answers of more than one model, provider or version of a server");
        assert_eq!(says, mixed.is_some(), "{report}");
    }
}
