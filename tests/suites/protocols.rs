//! The same experiment over each supported protocol.

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};

/// Fields of an endpoint for each protocol, and the protocol's words for a normal end, the limit and a refusal.
fn protocols() -> [(Value, [&'static str; 3]); 3] {
    [
        (json!({"kind": "openai"}), ["stop", "length", "content_filter"]),
        (
            json!({"kind": "openai", "api": "responses", "auth": "api-key"}),
            ["completed", "max_output_tokens", "content_filter"],
        ),
        (json!({"kind": "anthropic"}), ["end_turn", "max_tokens", "refusal"]),
    ]
}

async fn started() -> (Home, FakeLlm, Server) {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    (home, fake, server)
}

/// Calls several models over one protocol. Returns the stage results by model.
async fn asked(server: &Server, url: &str, protocol: &Value, models: &[&str]) -> Vec<Value> {
    let mut document = Experiment::echo(url, 2, 1)
        .with("/pipeline_stages/0/system", json!("Repeat it."))
        .with("/pipeline_stages/0/parameters", json!({}))
        .with(
            "/parameter_space",
            json!({"model": {"target": "say.model", "type": "choice", "values": models}}),
        )
        .document;
    let endpoint = document["endpoints"][0].as_object_mut().unwrap();
    endpoint.extend(protocol.as_object().unwrap().clone());
    endpoint.insert("api_key".to_owned(), json!("sk-test"));
    let label = json!(format!("{protocol}"));
    endpoint.insert("label".to_owned(), label.clone());
    document["pipeline_stages"][0]["endpoint"] = label;
    let id = server.import(&document).await;
    server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid"})).await;
    server.settled(&id).await;
    let runs = server.get(&format!("experiments/{id}/runs?sort=created_at")).await;
    let mut asked = Vec::new();
    for model in models {
        let mut named = runs["items"].as_array().unwrap().iter();
        let run = named.find(|run| run["values"]["model"] == *model).unwrap();
        asked.push(server.get(&format!("runs/{}", run["id"].as_str().unwrap())).await);
    }
    asked
}

fn first(run: &Value) -> &Value {
    &run["stage_results"]["items"][0]
}

#[tokio::test]
async fn texts_tokens_and_reasoning_are_read_over_every_protocol() {
    for (protocol, [end, ..]) in protocols() {
        // Each protocol needs its own server: caches ignore an endpoint's protocol.
        let (_home, fake, server) = started().await;
        let runs = asked(&server, &fake.url(), &protocol, &["echo-1", "good-1"]).await;
        let counts = fake.counts();
        assert_eq!((counts.calls, counts.distinct), (4, 4), "{protocol}");
        for run in &runs {
            assert_eq!((&run["status"], &run["score"]), (&json!("completed"), &json!(1.0)), "{run}");
            let result = first(run);
            assert_eq!((&result["response_raw"], &result["finish_reason"]), (&json!("word-0"), &json!(end)));
            assert!(result["flags"].as_array().is_none_or(Vec::is_empty), "{result}");
        }
        let sum = |name: &str| runs.iter().map(|run| run[name].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("tokens_in"), sum("tokens_out")), (counts.input_tokens, counts.output_tokens));
        let limit = &first(&runs[0])["parameters"]["max_tokens"];
        let demanded = if protocol["kind"] == "anthropic" { json!(4096) } else { Value::Null };
        assert_eq!(limit, &demanded, "{protocol}");
    }
}

#[tokio::test]
async fn flags_and_failures_are_recognized_over_every_protocol() {
    for (protocol, [_, limit, refusal]) in protocols() {
        let (_home, fake, server) = started().await;
        let models =
            ["fault-length", "fault-filter", "fault-500x1", "fault-error", "fault-400", "fault-malformed"];
        let runs = asked(&server, &fake.url(), &protocol, &models).await;
        let [length, filter, passing, failing @ ..] = runs.as_slice() else { panic!("{runs:?}") };
        for (run, reason, flag) in [(length, limit, "truncated"), (filter, refusal, "refused")] {
            let result = first(run);
            assert_eq!(result["finish_reason"], json!(reason), "{protocol}");
            assert_eq!(result["flags"], json!([flag]), "{protocol}");
        }
        assert_eq!((&passing["status"], &passing["score"]), (&json!("completed"), &json!(1.0)), "{passing}");
        for (run, kind) in failing.iter().zip(["upstream_5xx", "rejected", "malformed"]) {
            assert_eq!((&run["status"], &run["error"]["kind"]), (&json!("failed"), &json!(kind)), "{run}");
        }
    }
}

/// The protocol is stored with the endpoint, and its models are listed with the headers that it needs.
#[tokio::test]
async fn endpoints_keep_their_protocol() {
    let (_home, fake, server) = started().await;
    for (i, (protocol, auth)) in protocols().iter().zip(["bearer", "api-key", "x-api-key"]).enumerate() {
        let mut draft = json!({"label": format!("e{i}"), "url": fake.url(), "api_key": "sk-test"});
        draft.as_object_mut().unwrap().extend(protocol.0.as_object().unwrap().clone());
        let made = server.post("endpoints", draft).await;
        let path = format!("endpoints/{}", made["id"].as_str().unwrap());
        let kept = server.get(&path).await;
        assert_eq!((&kept["kind"], &kept["auth"]), (&protocol.0["kind"], &json!(auth)), "{kept}");
        let api = if kept["kind"] == "openai" { Some(i) } else { None };
        let api = api.map_or(Value::Null, |i| json!(["chat", "responses"][i]));
        assert_eq!(kept["api"], api, "{kept}");
        let tried = server.post(&format!("{path}/test"), json!(null)).await;
        assert_eq!((&tried["ok"], &tried["models"][0]), (&json!(true), &json!("echo-1")), "{tried}");
    }
}

/// Anthropic's protocol requires a limit, which bounds each call, so that a budget needs no other limit.
#[tokio::test]
async fn a_budget_holds_where_the_protocol_sets_the_limit() {
    let (_home, fake, server) = started().await;
    let endpoint = json!({"label": "fake", "kind": "anthropic", "url": fake.url(), "api_key": "sk-test"});
    let document = Experiment::echo(&fake.url(), 4, 1)
        .with("/endpoints/0", endpoint)
        .with("/pipeline_stages/0/parameters", json!({}))
        .document;
    let id = server.import(&document).await;
    // Less than the bound of one call.
    server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid", "max_tokens": 4_000})).await;
    let paused = server.settled(&id).await;
    assert_eq!(
        (&paused["status"], &paused["pause_reason"], fake.counts().calls),
        (&json!("paused"), &json!("budget"), 0),
        "{paused}"
    );
    let path = format!("experiments/{id}/resume");
    server.post(&path, json!({"max_tokens": 5_000})).await;
    let done = server.settled(&id).await;
    assert_eq!((&done["status"], fake.counts().calls), (&json!("completed"), 4), "{done}");
}
