//! Sweeps, their runs and exports over the API.

use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::fake;

/// From an empty database to an exported winner.
async fn an_experiment_is_created_swept_and_exported(kind: Kind) {
    let (home, fake) = (Home::new(kind).await, fake().await);
    let server = Server::start(&home).await;
    let price = json!({"echo-1": {"input_per_million": 2, "output_per_million": 4}});
    let experiment = Experiment::echo(&fake.url(), 20, 5).with("/endpoints/0/prices", price);
    let id = server.import(&experiment.document).await;
    let dry = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
    assert_eq!(
        (&dry["configurations"], &dry["calls"], &dry["cached_calls"]),
        (&json!(5), &json!(100), &json!(0))
    );
    assert_eq!(fake.counts().calls, 0, "a dry run calls nobody");
    let (status, sweep) =
        server.send(Method::POST, &format!("experiments/{id}/sweep"), Some(json!({"kind": "grid"}))).await;
    assert_eq!((status, &sweep["status"]), (StatusCode::ACCEPTED, &json!("running")));
    let done = server.settled(&id).await;
    assert_eq!((&done["status"], &done["finish_reason"]), (&json!("completed"), &json!("all_runs")));
    assert_eq!((&done["progress"]["completed"], &done["calls"]), (&json!(5), &json!(100)));
    assert_eq!((fake.counts().calls, fake.counts().distinct), (100, 100));

    let again =
        server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid", "dry_run": true})).await;
    assert_eq!(
        (&again["cached_calls"], &again["estimated_tokens"], &again["estimated_seconds"]),
        (&json!(100), &json!(0), &json!(0.0))
    );
    server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid"})).await;
    let cached = server.settled(&id).await;
    assert_eq!((&cached["progress"]["cached"], &cached["cache_hits"]), (&json!(5), &json!(100)));
    assert_eq!(fake.counts().calls, 100, "nothing is asked twice");

    let detail = server.get(&format!("experiments/{id}")).await;
    assert_eq!(
        (&detail["runs"]["completed"], &detail["runs"]["cached"], &detail["runs"]["pending"]),
        (&json!(5), &json!(5), &json!(0))
    );
    assert_eq!((&detail["sample_data"]["count"], &detail["status"]), (&json!(20), &json!("completed")));
    let board = server.get(&format!("experiments/{id}/leaderboard")).await;
    let rows = board["items"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["score"], &rows[0]["status"]), (5, &json!(1.0), &json!("cached")));

    let run = rows[0]["run_id"].as_str().unwrap();
    let shown = server.get(&format!("runs/{run}")).await;
    assert_eq!(shown["stage_results"]["count"], 20);
    assert_eq!(
        shown["config"]["stages"][0]["parameters"]["temperature"],
        shown["config"]["values"]["temperature"]
    );
    let first = &shown["stage_results"]["items"][0];
    assert_eq!((&first["cached"], &first["prompt_sent"][0]["role"]), (&json!(true), &json!("user")));
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("runs/{run}/samples?limit=7{cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 20);
    assert!(
        seen.iter()
            .all(|sample| sample["score"] == 1.0 && sample["scores"][0]["scorer_name"] == "exact_match")
    );
    assert!(
        seen.iter().all(|sample| sample["stages"][0]["response_raw"] == sample["reference"]),
        "{seen:#?}"
    );

    let best = server.get(&format!("experiments/{id}/export/best")).await;
    assert_eq!(
        (&best["model"], &best["score"], &best["experiment"]),
        (&json!("echo-1"), &json!(1), &json!("echo"))
    );
    for (form, begins) in [
        ("env", "LLM_MODEL=echo-1"),
        ("yaml", "model: echo-1"),
        ("report", "# "),
        ("runs?format=csv", "run_id,"),
    ] {
        let response = server.raw(Method::GET, &format!("experiments/{id}/export/{form}"), None, &[]).await;
        let text = response.text().await.unwrap();
        assert!(text.starts_with(begins), "{form}: {text}");
    }
    let project = detail["project_id"].as_str().unwrap();
    let history = server.get(&format!("projects/{project}/exports")).await;
    let forms: Vec<&str> =
        history["items"].as_array().unwrap().iter().filter_map(|entry| entry["format"].as_str()).collect();
    assert_eq!(forms, ["csv", "report", "yaml", "env", "json"]);
    assert_eq!(history["items"][0]["by"], "API_KEY");

    let events = server.get(&format!("experiments/{id}/events?type=experiment.started")).await;
    assert_eq!(
        (events["items"].as_array().unwrap().len(), &events["items"][0]["by"]),
        (2, &json!("API_KEY"))
    );
    events_hold_the_results(&server, &id).await;
    assert_eq!(server.stop().await, Some(0));
}

/// Five runs at known prices, and the same five again from the cache.
async fn events_hold_the_results(server: &Server, id: &str) {
    let told = async |kind: &str| {
        server.get(&format!("experiments/{id}/events?type={kind}")).await["items"].as_array().unwrap().clone()
    };
    for event in told("run.completed").await {
        let data = &event["data"];
        assert!(data["duration_ms"].is_u64() && data["cost_estimate"].as_f64().unwrap() > 0.0, "{event}");
        assert_eq!((&data["score"], &data["scores"]["exact_match"]), (&json!(1), &json!(1)), "{event}");
    }
    let ends = told("experiment.completed").await;
    let summaries: Vec<&Value> = ends.iter().map(|event| &event["data"]["summary"]).collect();
    assert_eq!((&summaries[0]["runs"], &summaries[1]["cached"]), (&json!(5), &json!(5)));
    assert_eq!((&summaries[0]["best_score"], &summaries[1]["cost"]), (&json!(1), &json!(0)));
    assert!(!json!(ends).to_string().contains("null"), "what is not known is left out: {ends:?}");
}

#[tokio::test]
async fn an_experiment_is_created_swept_and_exported_on_sqlite() {
    an_experiment_is_created_swept_and_exported(Kind::Sqlite).await;
}

#[tokio::test]
async fn an_experiment_is_created_swept_and_exported_on_postgres() {
    an_experiment_is_created_swept_and_exported(Kind::Postgres).await;
}

#[tokio::test]
async fn a_sweep_is_paused_resumed_and_stopped() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        fake.set_latency(Duration::from_millis(30));
        let server = Server::start(&home).await;
        let id = server.import(&Experiment::echo(&fake.url(), 40, 20).document).await;
        let steer = async |verb: &str, body| {
            server.send(Method::POST, &format!("experiments/{id}/{verb}"), body).await
        };
        assert_eq!(steer("pause", None).await.0, StatusCode::NOT_FOUND, "there is no sweep yet");
        let begun = steer("sweep", Some(json!({}))).await.1;
        assert_eq!(begun["allowed"], json!(["pause", "stop"]));
        while fake.counts().calls == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (status, problem) = steer("sweep", Some(json!({}))).await;
        assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("sweep_active")));
        let (status, problem) = server.send(Method::DELETE, &format!("experiments/{id}"), None).await;
        assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("sweep_active")), "{kind:?}");
        let paused = steer("pause", Some(json!({"now": true}))).await.1;
        assert_eq!(
            (&paused["status"], &paused["pause_reason"], &paused["allowed"]),
            (&json!("paused"), &json!("manual"), &json!(["resume", "stop"]))
        );
        let (status, problem) = steer("pause", None).await;
        assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("invalid_transition")));
        // Calls in flight are finished. On a busy machine their results may arrive late.
        let mut calls = 0;
        while fake.counts().calls != calls {
            calls = fake.counts().calls;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert!(calls < 400, "{kind:?}: paused in its midst, not after {calls} of 800 calls");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(fake.counts().calls, calls, "nothing is called while it is paused");
        assert_eq!(steer("resume", None).await.1["status"], "running");
        let stopped = steer("stop", None).await.1;
        assert_eq!(
            (&stopped["status"], &stopped["finish_reason"], &stopped["allowed"]),
            (&json!("stopped"), &json!("stopped"), &json!([]))
        );
        assert_eq!(
            server.send(Method::DELETE, &format!("experiments/{id}"), None).await.0,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            server.send(Method::GET, &format!("experiments/{id}"), None).await.0,
            StatusCode::NOT_FOUND
        );
        assert_eq!(server.stop().await, Some(0));
    }
}

/// A slow run shows its progress while it is executed.
#[tokio::test]
async fn a_slow_run_shows_how_far_it_is() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let server = Server::start(&home).await;
    let experiment = Experiment::echo(&fake.url(), 12, 1).with("/endpoints/0/limits/concurrency", json!(2));
    fake.set_latency(Duration::from_millis(600));
    let id = server.import(&experiment.document).await;
    server.post(&format!("experiments/{id}/sweep"), json!({})).await;
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let run = server.get(&format!("experiments/{id}/runs")).await["items"][0].clone();
        seen.insert(run["samples"]["done"].as_u64().unwrap_or_default());
        if run["status"] == "completed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(seen.len() >= 4 && seen.contains(&12), "{seen:?}");
}

#[tokio::test]
async fn a_sweep_that_reaches_its_budget_pauses_and_says_which() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let server = Server::start(&home).await;
    let id = server.import(&Experiment::echo(&fake.url(), 10, 10).document).await;
    let budget = json!({"kind": "random", "seed": 7, "max_runs": 9, "max_tokens": 200});
    server.post(&format!("experiments/{id}/sweep"), budget).await;
    let paused = server.settled(&id).await;
    assert_eq!((&paused["status"], &paused["pause_reason"]), (&json!("paused"), &json!("budget")));
    let spent = paused["tokens_in"].as_u64().unwrap() + paused["tokens_out"].as_u64().unwrap();
    assert!(spent <= 200, "{paused}");
    let events = server.get(&format!("experiments/{id}/events?limit=500")).await;
    let data = |kind: &str| {
        let event = events["items"].as_array().unwrap().iter().find(|event| event["type"] == kind);
        event.map(|event| event["data"].clone()).unwrap_or_default()
    };
    assert_eq!(
        data("experiment.started")["sweep_config"],
        json!({"kind": "random", "seed": 7, "max_runs": 9, "max_tokens": 200})
    );
    let exhausted = data("budget.exhausted");
    assert_eq!((&exhausted["limit"], &exhausted["cost"]), (&json!({"max_tokens": 200}), &Value::Null));
    assert!(exhausted["token_count"].as_u64().unwrap() <= 200, "{exhausted}");
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_raised_with_resume() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let server = Server::start(&home).await;
    let id = server.import(&Experiment::echo(&fake.url(), 10, 10).document).await;
    let budget = json!({"kind": "random", "seed": 7, "max_runs": 8, "max_tokens": 200});
    server.post(&format!("experiments/{id}/sweep"), budget).await;
    let paused = server.settled(&id).await;
    assert_eq!((&paused["pause_reason"], &paused["progress"]["running"]), (&json!("budget"), &json!(0)));
    let spent = paused["tokens_in"].as_u64().unwrap() + paused["tokens_out"].as_u64().unwrap();

    let resume = async |body: Value| {
        let answer = server.raw(Method::POST, &format!("experiments/{id}/resume"), Some(body), &[]).await;
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    for same in [json!({}), json!({"max_tokens": 200}), json!({"max_tokens": 150}), json!({"max_runs": 9})] {
        let (status, problem) = resume(same.clone()).await;
        assert_eq!((status, &problem["code"]), (409, &json!("budget_exhausted")), "{same}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("{spent} of max_tokens")), "{detail}");
    }
    for (wrong, code, pointer) in [
        (json!({"max_tokens": 0}), "out_of_range", "/max_tokens"),
        (json!({"max_cost": 1.0}), "unknown_price", "/pipeline_stages/0/model"),
        (json!({"tokens": 1}), "unknown_field", "/tokens"),
    ] {
        let (status, problem) = resume(wrong.clone()).await;
        let first = &problem["errors"][0];
        assert_eq!(
            (status, &first["code"], &first["pointer"]),
            (422, &json!(code), &json!(pointer)),
            "{wrong}"
        );
    }
    assert_eq!(server.settled(&id).await["limits"], paused["limits"], "a refusal changed something");

    let (status, resumed) = resume(json!({"max_tokens": 1_000_000})).await;
    assert_eq!((status, &resumed["limits"]["max_tokens"]), (200, &json!(1_000_000)), "{resumed}");
    let done = server.settled(&id).await;
    assert_eq!((&done["status"], &done["progress"]["completed"]), (&json!("completed"), &json!(8)), "{done}");
}

#[tokio::test]
async fn single_runs_go_beyond_the_space_and_are_made_once_for_a_key() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let server = Server::start(&home).await;
        let id = server.import(&Experiment::echo(&fake.url(), 5, 2).document).await;
        let body = json!({"experiment_id": id, "values": {"temperature": 1.5}});
        let send = async |body: &Value| {
            server.raw(Method::POST, "runs?wait=30", Some(body.clone()), &[("Idempotency-Key", "one")]).await
        };
        let first = send(&body).await;
        assert_eq!(first.status(), StatusCode::OK, "{kind:?}");
        let first: Value = first.json().await.unwrap();
        assert_eq!(
            (&first["status"], &first["score"], &first["values"]["temperature"]),
            (&json!("completed"), &json!(1.0), &json!(1.5))
        );
        let again: Value = send(&body).await.json().await.unwrap();
        assert_eq!(again["id"], first["id"], "the same request is answered again");
        let other = send(&json!({"experiment_id": id})).await;
        assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY, "another request with the same key");
        assert_eq!(fake.counts().calls, 5);
        let runs = server.get(&format!("experiments/{id}/runs?sort=-score&status=completed")).await;
        assert_eq!(runs["items"].as_array().unwrap().len(), 1);
        for (values, pointer) in [(json!({"heat": 1}), "/values/heat"), (json!({"temperature": "hot"}), "")] {
            let body = json!({"experiment_id": id, "values": values});
            let (status, problem) = server.send(Method::POST, "runs", Some(body)).await;
            assert_eq!(status.as_u16(), 422, "{problem}");
            assert!(problem["errors"][0]["pointer"].as_str().unwrap().starts_with(pointer), "{problem}");
        }
    }
}
