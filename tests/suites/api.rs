//! The API over real HTTP.

use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn fake() -> FakeLlm {
    FakeLlm::start(Options::default()).await.unwrap()
}

/// From an empty database to an exported winner.
async fn an_experiment_goes_its_whole_way(kind: Kind) {
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
    events_tell_what_it_came_to(&server, &id).await;
    assert_eq!(server.stop().await, Some(0));
}

/// Five runs at known prices, and the same five again from the cache.
async fn events_tell_what_it_came_to(server: &Server, id: &str) {
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
async fn an_experiment_goes_its_whole_way_on_sqlite() {
    an_experiment_goes_its_whole_way(Kind::Sqlite).await;
}

#[tokio::test]
async fn an_experiment_goes_its_whole_way_on_postgres() {
    an_experiment_goes_its_whole_way(Kind::Postgres).await;
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
        // Calls in flight come to their end; a busy machine may take its time to tell.
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

#[tokio::test]
async fn bad_requests_say_what_is_wrong_and_change_nothing() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let server = Server::start(&home).await;
    let id = server.import(&Experiment::echo(&fake.url(), 3, 2).document).await;
    let refused = async |method: Method, path: &str, body: Value| {
        let (status, problem) = server.send(method, path, Some(body)).await;
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        (status.as_u16(), problem["code"].as_str().unwrap_or_default().to_owned(), pointer)
    };
    let row = |status, code: &str, pointer: &str| (status, code.to_owned(), pointer.to_owned());
    let sweep = format!("experiments/{id}/sweep");
    let (post, get, put) = (Method::POST, Method::GET, Method::PUT);
    let stage = json!({"name": "say", "kind": "llm", "prompt": "{{ smaple.input }}", "endpoint": "fake", "model": "m"});
    let draft = |project: &str| {
        json!({"project_id": project, "name": "x", "sample_data": [{"input": "a"}], "pipeline_stages": [stage],
            "scoring_config": [{"scorer": "exact_match"}]})
    };
    for (method, path, body, expected) in [
        (&post, "projects", json!({}), row(422, "invalid", "/name")),
        (&post, "projects", json!({"name": ""}), row(422, "invalid", "/name")),
        (&post, "projects", json!({"name": "a", "colour": "red"}), row(422, "invalid", "/colour")),
        (&post, &sweep, json!({"max_runs": 0}), row(422, "invalid", "/max_runs")),
        (&post, &sweep, json!({"kind": "tpe"}), row(422, "invalid", "/kind")),
        (&post, &sweep, json!({"max_cost": 1}), row(422, "invalid", "/pipeline_stages/0/model")),
        (&get, "projects?limit=0", Value::Null, row(422, "invalid", "/query/limit")),
        (&get, "projects?limit=501", Value::Null, row(422, "invalid", "/query/limit")),
        (&get, "projects?cursor=x", Value::Null, row(422, "invalid", "/query/cursor")),
        (&get, "projects?colour=red", Value::Null, row(422, "invalid", "/query/colour")),
        (&get, "projects/x", Value::Null, row(404, "not_found", "")),
        (&get, "nothing", Value::Null, row(404, "not_found", "")),
        (&put, "projects", json!({}), row(405, "method_not_allowed", "")),
        (
            &post,
            "experiments",
            draft("018f4e3a-7b1c-7e65-9d8a-0123456789ab"),
            row(422, "invalid", "/project_id"),
        ),
        (
            &post,
            "endpoints",
            json!({"label": "fake", "kind": "openai", "url": "http://127.0.0.1:1/v1"}),
            row(409, "label_taken", ""),
        ),
        (
            &post,
            "endpoints",
            json!({"label": "x", "kind": "openai", "url": "ftp://x"}),
            row(422, "invalid", "/url"),
        ),
        (
            &post,
            "endpoints",
            json!({"label": "x", "kind": "simulated", "limits": {"concurrency": 0}}),
            row(422, "invalid", "/limits/concurrency"),
        ),
    ] {
        assert_eq!(refused(method.clone(), path, body).await, expected, "{method} {path}");
    }
    for (path, told) in [
        ("projects?limit=501", "a whole number from 1 to 500"),
        ("projects?limit=x", "a whole number"),
        ("events?since=-1", "a whole number, not below 0"),
        ("experiments?project_id=7", "an id"),
        ("events?type=run.exploded", "takes experiment.started, "),
        (&format!("experiments/{id}/runs?sort=scores.charm"), "latency_ms, scores.exact_match;"),
    ] {
        let (_, problem) = server.send(Method::GET, path, None).await;
        assert!(problem["detail"].as_str().unwrap().contains(told), "{path}: {problem}");
    }
    let project = server.get("projects").await["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        refused(post.clone(), "experiments", draft(&project)).await,
        row(422, "invalid", "/pipeline_stages/0/prompt")
    );
    let xml = reqwest::Client::new()
        .post(format!("{}/api/v1/projects", server.url))
        .bearer_auth(server.token.as_ref().unwrap());
    let response = xml.header("content-type", "application/xml").body("<name>x</name>").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = json!({"name": "x".repeat(2 << 20)});
    assert_eq!(server.send(Method::POST, "projects", Some(large)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let broken = reqwest::Client::new()
        .post(format!("{}/api/v1/projects", server.url))
        .bearer_auth(server.token.as_ref().unwrap());
    let response = broken.header("content-type", "application/json").body("{").send().await.unwrap();
    assert_eq!(
        (response.status(), response.headers()["content-type"].to_str().unwrap()),
        (StatusCode::BAD_REQUEST, "application/problem+json")
    );
    assert_eq!(server.get("projects").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("experiments").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("endpoints").await["items"].as_array().unwrap().len(), 2);
    assert_eq!(server.get(&format!("experiments/{id}/sweeps")).await["items"], json!([]));
}

#[tokio::test]
async fn what_has_been_tried_keeps_its_document() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let server = Server::start(&home).await;
        let mut document = Experiment::echo(&fake.url(), 3, 2).document;
        let id = server.import(&document).await;
        let fields = document.as_object_mut().unwrap();
        fields.retain(|name, _| !["sweep", "endpoints", "sample_data"].contains(&name.as_str()));
        fields.insert(
            "project_id".into(),
            server.get(&format!("experiments/{id}")).await["project_id"].clone(),
        );
        fields.insert("repeats".into(), json!(2));
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

/// What sweeps went through and runs were made of stays as it was when the experiment's space changes.
#[tokio::test]
async fn a_space_changes_between_sweeps() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let server = Server::start(&home).await;
        let experiment = Experiment::echo(&fake.url(), 3, 2);
        let id = server.import(&experiment.document).await;
        let at = format!("experiments/{id}");
        let mut document = experiment.document.clone();
        let fields = document.as_object_mut().unwrap();
        fields.retain(|name, _| !["sweep", "endpoints", "sample_data"].contains(&name.as_str()));
        fields.insert("project_id".into(), server.get(&at).await["project_id"].clone());
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
async fn lists_come_in_pages_without_gaps() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let server = Server::start(&home).await;
        let id = server.import(&Experiment::echo(&fake.url(), 2, 17).document).await;
        server.post(&format!("experiments/{id}/sweep"), json!({})).await;
        server.settled(&id).await;
        for (list, count) in [
            (format!("experiments/{id}/runs?sort=-score"), 17),
            (format!("experiments/{id}/runs?sort=score"), 17),
            (format!("experiments/{id}/runs?"), 17),
            (format!("experiments/{id}/runs?sort=-scores.exact_match"), 17),
            (format!("experiments/{id}/runs?sort=scores.exact_match&status=completed"), 17),
            (format!("experiments/{id}/runs?sort=latency_ms"), 17),
            (format!("experiments/{id}/runs?sort=-cost_estimate"), 17),
            (format!("experiments/{id}/runs?sort=created_at"), 17),
            (format!("experiments/{id}/leaderboard?"), 17),
            (format!("experiments/{id}/events?type=run.completed"), 17),
        ] {
            let mut keys = Vec::new();
            let mut latencies = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = server.get(&format!("{list}&limit=5{cursor}").replace("?&", "?")).await;
                let items = page["items"].as_array().unwrap().clone();
                keys.extend(
                    items.iter().map(|item| {
                        [&item["id"], &item["run_id"], &item["seq"]].map(Value::to_string).concat()
                    }),
                );
                latencies.extend(items.iter().filter_map(|item| item["latency_ms"].as_f64()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                assert_eq!(items.len(), 5, "{list}");
                cursor = format!("&cursor={next}");
            }
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), count, "{kind:?} {list}");
            if list.ends_with("sort=latency_ms") {
                assert!(latencies.is_sorted() && latencies[0] < latencies[16], "{kind:?} {latencies:?}");
            }
        }
    }
}

/// Only so many runs are ranked against each other; the list goes on behind them without a gap.
#[tokio::test]
async fn a_long_leaderboard_has_all_its_rows() {
    const RUNS: usize = 520;
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let server = Server::start(&home).await;
        let id = server.import(&Experiment::echo(&fake.url(), 1, RUNS).document).await;
        server.post(&format!("experiments/{id}/sweep"), json!({})).await;
        assert_eq!(server.settled(&id).await["progress"]["completed"], RUNS, "{kind:?}");
        let (mut ranks, mut runs, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = server.get(&format!("experiments/{id}/leaderboard?limit=201&cursor={cursor}")).await;
            for row in page["items"].as_array().unwrap() {
                ranks.push(row["rank"].as_u64().unwrap());
                runs.push(row["run_id"].as_str().unwrap().to_owned());
                assert_eq!((&row["score"], &row["n"]), (&json!(1.0), &json!(1)));
            }
            let Some(next) = page["next_cursor"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        assert_eq!(ranks, (1..=RUNS as u64).collect::<Vec<_>>(), "{kind:?}");
        assert!(runs.is_sorted(), "older runs first among equals");
        let best = server.get(&format!("experiments/{id}")).await["best"]["run_id"].clone();
        assert_eq!(best, runs[0], "lists and details agree on the best");
    }
}

#[tokio::test]
async fn a_preview_shows_and_makes_the_calls_of_one_sample() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let server = Server::start(&home).await;
    let mut document = Experiment::echo(&fake.url(), 3, 2).document;
    let id = server.import(&document).await;
    document.as_object_mut().unwrap().retain(|name, _| !["sweep", "endpoints"].contains(&name.as_str()));
    document["project_id"] = server.get(&format!("experiments/{id}")).await["project_id"].clone();
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

#[tokio::test]
async fn endpoints_keep_their_keys_to_themselves() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let server = Server::start(&home).await;
    let body = |url: &str, key: Option<&str>| {
        let mut body = json!({"label": "mine", "kind": "openai", "url": url});
        if let Some(key) = key {
            body["api_key"] = json!(key);
        }
        body
    };
    let made = server.post("endpoints", body(&fake.url(), Some("sk-1234567890"))).await;
    assert_eq!(
        (&made["has_key"], &made["key_last4"], &made["api_key"]),
        (&json!(true), &json!("7890"), &Value::Null)
    );
    let at = format!("endpoints/{}", made["id"].as_str().unwrap());
    let tested = server.post(&format!("{at}/test"), json!({})).await;
    assert_eq!(
        (&tested["ok"], tested["models"].as_array().unwrap().is_empty()),
        (&json!(true), false),
        "{tested}"
    );
    let (_, kept) = server.send(Method::PUT, &at, Some(body(&format!("{}/", fake.url()), None))).await;
    assert_eq!(kept["has_key"], true, "another path of the same server");
    let (_, dropped) = server.send(Method::PUT, &at, Some(body("http://127.0.0.1:9/v1", None))).await;
    assert_eq!(dropped["has_key"], false, "a key does not follow to another server");
    let tested = server.post(&format!("{at}/test"), json!({})).await;
    assert_eq!(tested["ok"], false);
    assert!(!tested["error"].as_str().unwrap().is_empty());
    assert_eq!(server.send(Method::DELETE, &at, None).await.0, StatusCode::NO_CONTENT);
}

/// The document that clients are generated from is the one that the program has.
#[tokio::test]
async fn the_api_document_is_kept() {
    let home = Home::new(Kind::Sqlite).await;
    let printed = program::run(&home, &["openapi"]).await.stdout;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontend/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        printed == kept,
        "frontend/openapi.json is of another version: cargo run -- openapi > frontend/openapi.json"
    );
    let document: Value = serde_json::from_str(&printed).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["operationId"].is_string() && operation["tags"][0].is_string(), "{place}");
            assert!(operation["summary"].is_string() && operation["responses"]["422"].is_object(), "{place}");
            for (schema, example) in bodies(operation, &document) {
                let example = example.unwrap_or_else(|| panic!("{place} has a body without an example"));
                let whole = json!({"allOf": [schema], "components": document["components"]});
                let validator = jsonschema::draft4::new(&whole).unwrap();
                let wrong: Vec<String> =
                    validator.iter_errors(&example).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{place}: {wrong:?} in {example:#}");
            }
        }
    }
}

/// The bodies that an operation takes and answers, each with its example.
fn bodies(operation: &Value, document: &Value) -> Vec<(Value, Option<Value>)> {
    let answers = operation["responses"].as_object().unwrap().values();
    let contents = answers.chain(operation.get("requestBody")).filter_map(|body| body["content"].as_object());
    let of = |content: &Value| {
        let named = content["schema"]["$ref"].as_str().and_then(|at| document.pointer(&at[1..]));
        let example = content.get("example").or_else(|| named?.get("example"));
        (content["schema"].clone(), example.cloned())
    };
    contents.flat_map(|content| content.values().map(of)).collect()
}
