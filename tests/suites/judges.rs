//! Scorers that ask others: judges, embeddings, services.

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::fake_service::FakeService;
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::{Method, StatusCode};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

/// Samples with the grade that a judge gives them, judged by this model and compared by their embeddings.
fn judged(url: &str, judge: &str) -> Experiment {
    let samples: Vec<Value> = (0..20)
        .map(|i| json!({"input": format!("[[answer:{}]] case {i}", 1 + i % 5), "reference": format!("case {i}")}))
        .collect();
    Experiment::echo(url, 0, 3)
        .with("/sample_data", Value::Array(samples))
        .with("/pipeline_stages/0/prompt", json!("Repeat {{ sample.input }}"))
        .with(
            "/scoring_config",
            json!([
                {"scorer": "llm_judge", "weight": 3, "options": {"endpoint": "fake", "model": judge, "max_tokens": 64}},
                {"scorer": "embedding_similarity", "options": {"endpoint": "fake", "model": "embed-a"}},
            ]),
        )
}

async fn started(kind: Kind) -> (Home, FakeLlm, Server) {
    let home = Home::new(kind).await;
    let server = Server::start(&home).await;
    (home, FakeLlm::start(Options::default()).await.unwrap(), server)
}

/// The experiment of a document, whose endpoint is made the first time.
async fn imported(server: &Server, mut experiment: Experiment) -> String {
    if server.get("endpoints").await.to_string().contains("\"fake\"") {
        experiment = experiment.with("/endpoints", json!([]));
    }
    server.import(&experiment.document).await
}

async fn swept(server: &Server, id: &str, request: Value) -> Value {
    server.post(&format!("experiments/{id}/sweep"), request).await;
    server.settled(id).await
}

/// The scores of the samples of an experiment's newest run under a name.
async fn scores(server: &Server, id: &str, name: &str) -> Vec<Value> {
    let runs = server.get(&format!("experiments/{id}/runs?sort=-created_at")).await;
    let run = runs["items"][0]["id"].as_str().unwrap().to_owned();
    let page = server.get(&format!("runs/{run}/samples?limit=500")).await;
    let samples = page["items"].as_array().unwrap().iter();
    let named = samples.flat_map(|sample| sample["scores"].as_array().unwrap().clone());
    named.filter(|score| score["scorer_name"] == name).collect()
}

#[tokio::test]
async fn judges_and_embeddings_are_paid_once_and_counted_apart_from_the_configuration() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        let id = server.import(&judged(&fake.url(), "judge-1").document).await;
        let dry = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
        let done = swept(&server, &id, json!({})).await;
        assert_eq!(
            (&done["status"], &done["progress"]["failed"]),
            (&json!("completed"), &json!(0)),
            "{done}"
        );
        let counts = fake.counts();
        let received = counts.calls + counts.embedded_texts;
        assert_eq!(
            (counts.calls, counts.embedded_texts),
            (counts.distinct, counts.distinct_texts),
            "{counts:?}"
        );
        // Three temperatures, of 20 answers each, and the outputs of all three are alike.
        assert_eq!(counts.models, [("echo-1".to_owned(), 60), ("judge-1".to_owned(), 20)].into());
        assert_eq!((counts.distinct_texts, &done["calls"]), (40, &json!(received)));
        assert_eq!(done["tokens_in"], json!(counts.input_tokens), "{done}");
        assert_eq!(done["tokens_out"], json!(counts.output_tokens), "{done}");
        // What rests on answers that are not there yet is counted call by call.
        assert_eq!(dry["calls"], json!(60 + 60 + 60 + 60), "{dry}");

        let runs = server.get(&format!("experiments/{id}/runs")).await;
        let runs = runs["items"].as_array().unwrap().clone();
        let own: u64 = runs.iter().map(|run| run["tokens_in"].as_u64().unwrap()).sum();
        let paid: u64 = runs.iter().map(|run| run["paid"]["tokens_in"].as_u64().unwrap()).sum();
        assert_eq!(paid, counts.input_tokens, "what was paid is shown with the runs");
        assert!(own < paid, "{own} of {paid}: judges are no part of what a configuration takes");
        assert_eq!(runs[0]["scores"]["llm_judge"]["value"], json!(0.5), "{}", runs[0]);
        let judgements = scores(&server, &id, "llm_judge").await;
        assert!(
            judgements[3]["metadata"]["reason"].as_str().unwrap().starts_with("because"),
            "{judgements:?}"
        );

        fake.reset();
        let dry = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
        assert_eq!(
            (&dry["calls"], &dry["cached_calls"]),
            (&json!(60 + 60 + 120), &json!(60 + 60 + 120)),
            "{dry}"
        );
        let again = swept(&server, &id, json!({})).await;
        assert_eq!((&again["progress"]["cached"], fake.counts().calls), (&json!(3), 0), "{again}");
    }
}

#[tokio::test]
async fn a_judge_that_fails_marks_scores_and_never_the_run() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    for (judge, told) in [
        ("judge-refusing", "`judge-refusing` at `fake`: rejected: 400: fake error 400"),
        ("fault-length", "the judge's answer was cut at its max_tokens of 64: raise it"),
        ("fault-refusal", "the judge refused to answer"),
        ("echo-1", "the judge answered no JSON with `score`"),
        ("fault-404", "`fault-404` at `fake`: rejected: 404"),
    ] {
        let id = imported(&server, judged(&fake.url(), judge)).await;
        let done = swept(&server, &id, json!({"max_runs": 1})).await;
        assert_eq!(done["progress"]["failed"], json!(0), "{judge}: {done}");
        let said = scores(&server, &id, "llm_judge").await;
        let failed: Vec<&Value> = said.iter().filter(|score| score["value"].is_null()).collect();
        let all = if judge == "judge-refusing" { 1..20 } else { 20..21 };
        assert!(all.contains(&failed.len()), "{judge}: {} failed", failed.len());
        let reason = failed[0]["error"].as_str().unwrap();
        assert!(reason.contains(told), "{judge}: {reason}");
        let run = &server.get(&format!("experiments/{id}/runs")).await["items"][0].clone();
        assert_eq!(run["scores"]["llm_judge"]["failed"], json!(failed.len()), "{run}");
        assert_eq!(run["scores"]["embedding_similarity"]["failed"], json!(0), "{run}");
    }
}

#[tokio::test]
async fn a_judge_behind_a_fickle_server_is_retried_like_any() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        let id = server.import(&judged(&fake.url(), "judge-fickle").document).await;
        let done = swept(&server, &id, json!({})).await;
        assert_eq!(done["progress"]["completed"], json!(3), "{done}");
        let judgements = scores(&server, &id, "llm_judge").await;
        assert!(judgements.iter().all(|score| score["value"].is_number()), "{judgements:?}");
        let counts = fake.counts();
        let retried = counts.calls - counts.distinct;
        assert!(retried > 0 && retried < 20, "{counts:?}");
    }
}

#[tokio::test]
async fn a_budget_holds_for_judges() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    let id = server.import(&judged(&fake.url(), "judge-1").document).await;
    let paused = swept(&server, &id, json!({"max_tokens": 2_000})).await;
    assert_eq!(
        (&paused["status"], &paused["pause_reason"]),
        (&json!("paused"), &json!("budget")),
        "{paused}"
    );
    let counts = fake.counts();
    let told = paused["tokens_in"].as_u64().unwrap() + paused["tokens_out"].as_u64().unwrap();
    assert_eq!(told, counts.input_tokens + counts.output_tokens, "{paused}");
    assert!(counts.models.contains_key("judge-1") && told <= 2_000, "{counts:?}");
    let path = format!("experiments/{id}/sweep");
    server.post(&format!("experiments/{id}/stop"), json!({})).await;
    let (status, problem) = server.send(Method::POST, &path, Some(json!({"max_cost": 1}))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert!(pointers.contains(&json!("/scoring_config/0/options/model")), "{problem}");
}

#[tokio::test]
async fn a_judge_that_is_not_there_is_told_and_the_settings_name_one_for_those_that_name_none() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    let with = |options: Value| judged(&fake.url(), "judge-1").with("/scoring_config/0/options", options);
    let id = imported(&server, with(json!({"endpoint": "elsewhere", "model": "judge-1"}))).await;
    let (status, problem) =
        server.send(Method::POST, &format!("experiments/{id}/sweep"), Some(json!({}))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "/scoring_config/0/options/endpoint", "{problem}");

    let mut document = with(json!({})).document;
    let fields = document.as_object_mut().unwrap();
    fields.retain(|name, _| name != "endpoints" && name != "sweep");
    fields.insert("project_id".to_owned(), server.get("projects").await["items"][0]["id"].clone());
    let (status, problem) = server.send(Method::POST, "experiments", Some(document.clone())).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "/scoring_config/0/options/model", "{problem}");
    let settings =
        json!({"allow_guest_access": false, "default_endpoint": "fake", "default_judge_model": "judge-1"});
    let (status, said) = server.send(Method::PUT, "admin/settings", Some(settings)).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    let id = server.post("experiments", document).await["id"].as_str().unwrap().to_owned();
    let done = swept(&server, &id, json!({"max_runs": 1})).await;
    assert_eq!((&done["progress"]["completed"], fake.counts().models["judge-1"]), (&json!(1), 20), "{done}");
}

#[tokio::test]
async fn speed_and_price_can_count() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    let prices = json!({"echo-1": {"input_per_million": 100, "output_per_million": 100}});
    let document = judged(&fake.url(), "judge-1").with("/endpoints/0/prices", prices).with(
        "/scoring_config",
        json!([
            {"scorer": "latency", "options": {"target_ms": 600_000}},
            {"name": "slow", "scorer": "latency", "options": {"target_ms": 0.000_001}},
            {"scorer": "cost", "options": {"target": 1}},
            {"name": "dear", "scorer": "cost", "options": {"target": 0.000_001}},
        ]),
    );
    let id = server.import(&document.document).await;
    swept(&server, &id, json!({"max_runs": 1})).await;
    let run = server.get(&format!("experiments/{id}/runs")).await["items"][0].clone();
    let value = |name: &str| run["scores"][name]["value"].as_f64().unwrap();
    assert_eq!((value("latency"), value("cost")), (1.0, 1.0), "{run}");
    assert!(value("slow") < 0.01 && value("dear") < 0.01, "{run}");
}

/// Samples that a service scores.
fn served(url: &str, service: &str) -> Experiment {
    Experiment::echo(url, 12, 2).with(
        "/scoring_config",
        json!([{"scorer": "http", "options": {"url": service, "headers": {"X-Key": "sk-never-shown"}}}]),
    )
}

#[tokio::test]
async fn a_service_scores_and_is_asked_anew_for_each_run_and_each_scoring() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, FakeLlm::start(Options::default()).await.unwrap());
        let service = FakeService::start(std::time::Duration::from_millis(2)).await;
        let server = Server::start_with(&home, &["serve"], &[("OUTBOUND_ALLOW", "127.0.0.1")]).await;
        let id = server.import(&served(&fake.url(), &service.url("/score/5")).document).await;
        swept(&server, &id, json!({})).await;
        let judged = scores(&server, &id, "http").await;
        let value = |score: &Value| score["value"].as_f64().unwrap();
        assert_eq!(judged.iter().map(value).sum::<f64>(), 3.0 + 9.0 * 0.5, "{judged:?}");
        assert_eq!(judged[4]["metadata"]["seen"], json!("word-4"), "{judged:?}");
        let (all, distinct) = service.counts();
        assert!((24..40).contains(&all) && distinct == 24, "{all} requests, {distinct} different");
        let request = service.requests().pop().unwrap();
        assert_eq!(request.key.as_deref(), Some("sk-never-shown"));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let context = body["context"].as_object().unwrap();
        let names: Vec<&str> = context.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["latency_ms", "meta", "params", "reference", "repeat", "sample_index", "stages", "vars"],
            "{body}"
        );
        assert_eq!((&body["input"], &body["output"]), (&context["vars"], &context["reference"]), "{body}");

        service.reset();
        let cost = server.post(&format!("experiments/{id}/rescore"), json!({})).await;
        assert_eq!((&cost["runs"], &cost["http_calls"]), (&json!(2), &json!(24)), "{cost}");
        for _ in 0..200 {
            let events = server.get(&format!("experiments/{id}/events?type=experiment.rescored")).await;
            if events["items"].as_array().unwrap().iter().any(|event| event["data"]["finished"] == true) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let (all, distinct) = service.counts();
        assert!((24..40).contains(&all) && distinct == 24, "{all} requests, {distinct} different");
        assert_eq!(fake.counts().calls, 24, "{kind:?}");

        let shown = server.get(&format!("experiments/{id}")).await;
        assert_eq!(shown["scoring_config"][0]["options"]["headers"]["X-Key"], json!("***"), "{shown}");
        let connection = home.connection().await;
        let sql = "SELECT CAST(scoring_config AS text) AS scoring FROM experiment";
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let stored: String =
            connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "scoring").unwrap();
        assert!(!stored.contains("never-shown"), "{stored}");
        // What comes back masked stays.
        let scoring = json!({"scoring_config": shown["scoring_config"]});
        server.post(&format!("experiments/{id}/rescore"), scoring).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(service.requests().pop().unwrap().key.as_deref(), Some("sk-never-shown"));
    }
}

#[tokio::test]
async fn a_service_that_gives_no_score_or_may_not_be_asked_fails_scores_alone() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let service = FakeService::start(std::time::Duration::ZERO).await;
    let server = Server::start_with(&home, &["serve"], &[("OUTBOUND_ALLOW", "127.0.0.1")]).await;
    for (url, told) in [
        (service.url("/score-of/1.5"), "a score is a number from 0 to 1, not 1.5"),
        (service.url("/shout"), "the service's answer has no number as `score`"),
        (service.url("/plain"), "the service answered no JSON object with a `score`"),
        (service.url("/status/401"), "the service did not answer"),
        ("http://10.1.2.3/score".to_owned(), "OUTBOUND_ALLOW"),
    ] {
        let id = imported(&server, served(&fake.url(), &url)).await;
        let done = swept(&server, &id, json!({"max_runs": 1})).await;
        assert_eq!(done["progress"]["failed"], json!(0), "{url}: {done}");
        let failed = scores(&server, &id, "http").await;
        assert!(
            failed.len() == 12 && failed.iter().all(|score| score["value"].is_null()),
            "{url}: {failed:?}"
        );
        let error = failed[0]["error"].as_str().unwrap();
        assert!(error.contains(told) && !error.contains("never-shown"), "{url}: {error}");
    }
}
