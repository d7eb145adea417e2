//! Experiments: how they are created, changed and previewed.

use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::FakeLlm;
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

use super::fake;

/// An experiment with 3 samples and 2 configurations: its id, and its document as the API takes it.
async fn imported(server: &Server, fake: &FakeLlm) -> (String, Value) {
    let mut document = Experiment::echo(&fake.url(), 3, 2).document;
    let id = server.import(&document).await;
    document.as_object_mut().unwrap().retain(|name, _| !["sweep", "endpoints"].contains(&name.as_str()));
    document["project_id"] = server.get(&format!("experiments/{id}")).await["project_id"].clone();
    (id, document)
}

#[tokio::test]
async fn an_experiment_with_runs_keeps_its_document() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let server = Server::start(&home).await;
        let (id, mut document) = imported(&server, &fake).await;
        document.as_object_mut().unwrap().remove("sample_data");
        document["repeats"] = json!(2);
        let at = format!("experiments/{id}");
        let (status, changed) = server.send(Method::PUT, &at, Some(document.clone())).await;
        assert_eq!(
            (status.as_u16(), &changed["repeats"], &changed["sample_data"]["count"]),
            (200, &json!(2), &json!(3)),
            "{kind:?}"
        );
        server.post(&format!("{at}/sweep"), json!({})).await;
        server.settled(&id).await;
        document["name"] = json!("renamed");
        let (status, renamed) = server.send(Method::PUT, &at, Some(document.clone())).await;
        assert_eq!((status.as_u16(), &renamed["name"]), (200, &json!("renamed")), "{renamed}");
        document["repeats"] = json!(3);
        let (status, problem) = server.send(Method::PUT, &at, Some(document.clone())).await;
        assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("experiment_has_runs")));
        assert_eq!(server.get(&at).await["repeats"], 2);
        let endpoint = server.get("endpoints").await["items"][0]["id"].as_str().unwrap().to_owned();
        let renamed = json!({"label": "other", "kind": "openai", "url": fake.url()});
        for (method, body) in [(Method::DELETE, None), (Method::PUT, Some(renamed))] {
            let (status, problem) = server.send(method, &format!("endpoints/{endpoint}"), body).await;
            assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("endpoint_in_use")), "{problem}");
        }
    }
}

/// Past sweeps and runs do not change when the experiment's space changes.
#[tokio::test]
async fn a_space_changes_between_sweeps() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let server = Server::start(&home).await;
        let (id, mut document) = imported(&server, &fake).await;
        let at = format!("experiments/{id}");
        document.as_object_mut().unwrap().remove("sample_data");
        document["parameter_space"] = json!({
            "limit": {"target": "say.max_tokens", "type": "choice", "values": [8, 12, 16]},
        });

        fake.set_latency(Duration::from_millis(300));
        server.post(&format!("{at}/sweep"), json!({})).await;
        let (status, problem) = server.send(Method::PUT, &at, Some(document.clone())).await;
        assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("sweep_active")), "{kind:?}");
        let first = server.settled(&id).await;
        fake.set_latency(Duration::ZERO);

        let (status, changed) = server.send(Method::PUT, &at, Some(document.clone())).await;
        assert_eq!((status.as_u16(), &changed["parameter_space"]), (200, &document["parameter_space"]));
        server.post(&format!("{at}/sweep"), json!({})).await;
        let second = server.settled(&id).await;
        assert_eq!((&second["progress"]["total"], &second["progress"]["completed"]), (&json!(3), &json!(3)));
        let first = server.get(&format!("sweeps/{}", first["id"].as_str().unwrap())).await;
        assert_eq!((&first["progress"]["total"], &first["progress"]["completed"]), (&json!(2), &json!(2)));
        let mut sent = Vec::new();
        for run in server.get(&format!("{at}/runs")).await["items"].as_array().unwrap() {
            let shown = server.get(&format!("runs/{}", run["id"].as_str().unwrap())).await;
            sent.push(shown["config"]["stages"][0]["parameters"].clone());
        }
        sent.sort_by_key(ToString::to_string);
        let expected = [
            json!({"max_tokens": 12}),
            json!({"max_tokens": 16, "temperature": 0.015_625}),
            json!({"max_tokens": 16, "temperature": 0}),
            json!({"max_tokens": 16}),
            json!({"max_tokens": 8}),
        ];
        assert_eq!(sent, expected, "{kind:?}");
        assert_eq!(server.get(&format!("{at}/leaderboard")).await["items"].as_array().unwrap().len(), 5);
    }
}

#[tokio::test]
async fn a_preview_shows_and_makes_the_calls_of_one_sample() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let server = Server::start(&home).await;
    let (_, mut document) = imported(&server, &fake).await;
    let shown = server.post("experiments/preview", json!({"document": document, "sample_index": 1})).await;
    assert_eq!(shown["stages"][0]["messages"], json!([{"role": "user", "content": "Say word-1"}]));
    assert_eq!((&shown["stages"][0]["output"], fake.counts().calls), (&Value::Null, 0));
    let called = server
        .post("experiments/preview", json!({"document": document, "sample_index": 1, "call": true}))
        .await;
    assert_eq!((&called["stages"][0]["output"], fake.counts().calls), (&json!("word-1"), 1));
    document["pipeline_stages"][0]["prompt"] = json!("Say {{ sample.reference }}");
    let warned = server.post("experiments/preview", json!({"document": document})).await;
    assert!(warned["warnings"][0].as_str().unwrap().contains("reference"), "{warned}");
    let (status, problem) = server
        .send(Method::POST, "experiments/preview", Some(json!({"document": document, "sample_index": 9})))
        .await;
    assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!("/sample_index")));
}
