//! Previews make calls as sweeps do: within the endpoint's limits, and each call once.

use std::time::Duration;

use futures::future::join_all;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};

const PREVIEW: &str = "experiments/preview";

/// Two stages at an endpoint that allows one call at a time: the endpoint, and the document as the API takes it.
fn two_stages(url: &str) -> (Value, Value) {
    let stage = |name: &str, prompt: &str| {
        json!({"name": name, "kind": "llm", "endpoint": "fake", "model": "echo-1", "prompt": prompt,
               "parameters": {"max_tokens": 16}})
    };
    let stages = json!([stage("say", "Say {{ sample.input }}"), stage("again", "Repeat {{ previous }}")]);
    let file = Experiment::echo(url, 12, 1)
        .with("/endpoints/0/limits", json!({"concurrency": 1}))
        .with("/pipeline_stages", stages)
        .document;
    let mut document = file.clone();
    document.as_object_mut().unwrap().retain(|name, _| !["sweep", "endpoints"].contains(&name.as_str()));
    (file, document)
}

#[tokio::test]
async fn many_previews_at_once_keep_an_endpoint_s_limits_and_pay_once() {
    for (kind, roles) in [(Kind::Sqlite, &["serve"][..]), (Kind::Postgres, &["serve", "--no-execute"][..])] {
        let home = Home::new(kind).await;
        let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(20) }).await.unwrap();
        let server = Server::start_with(&home, roles, &[]).await;
        let (file, mut document) = two_stages(&fake.url());
        let id = server.import(&file).await;
        document["project_id"] = server.get(&format!("experiments/{id}")).await["project_id"].clone();

        let request = |sample: u32| json!({"document": document, "sample_index": sample, "call": true});
        let shown = server.post(PREVIEW, json!({"document": document, "sample_index": 0})).await;
        assert_eq!(shown["stages"].as_array().unwrap().len(), 1, "{shown}");
        assert!(
            shown["warnings"][0].as_str().unwrap().contains("`again` needs an earlier output"),
            "{shown}"
        );
        assert_eq!(fake.counts().calls, 0);

        // Each sample twice, all at the same time.
        let asked = (0..24).map(|n| server.post(PREVIEW, request(n % 12)));
        for (n, preview) in join_all(asked).await.into_iter().enumerate() {
            let word = format!("word-{}", n % 12);
            assert_eq!(preview["stages"][0]["output"], json!(word), "{preview}");
            assert_eq!(preview["stages"][1]["output"], json!(word), "{preview}");
        }
        let counts = fake.counts();
        assert_eq!((counts.calls, counts.distinct, counts.max_in_flight), (24, 24, 1), "{kind:?}");

        // Calls of previews are cached for sweeps.
        if kind == Kind::Sqlite {
            let at = format!("experiments/{id}");
            let begun = json!({"kind": "grid", "dry_run": true});
            let estimate = server.post(&format!("{at}/sweep"), begun).await;
            // The space has one temperature, which the previews used too.
            assert_eq!(
                (&estimate["calls"], &estimate["cached_calls"]),
                (&json!(24), &json!(24)),
                "{estimate}"
            );
            server.post(&format!("{at}/sweep"), json!({"kind": "grid"})).await;
            let sweep = server.settled(&id).await;
            assert_eq!((&sweep["calls"], &sweep["cache_hits"]), (&json!(0), &json!(24)), "{sweep}");
            assert_eq!(fake.counts().calls, 24);
        }
        assert_eq!(server.stop().await, Some(0), "{kind:?}");
    }
}

#[tokio::test]
async fn a_preview_says_why_a_call_failed_and_names_the_stage() {
    let home = Home::new(Kind::Sqlite).await;
    let fake = FakeLlm::start(Options::default()).await.unwrap();
    let server = Server::start(&home).await;
    let (file, mut document) = two_stages(&fake.url());
    let id = server.import(&file).await;
    document["project_id"] = server.get(&format!("experiments/{id}")).await["project_id"].clone();
    for (model, code) in [("fault-400", "stage `say`"), ("fault-401", "refuses every call")] {
        document["pipeline_stages"][0]["model"] = json!(model);
        let body = json!({"document": document, "call": true});
        let (status, problem) = server.send(reqwest::Method::POST, PREVIEW, Some(body)).await;
        assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("call_failed")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(code), "{problem}");
    }
}
