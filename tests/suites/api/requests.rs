//! Refused requests, lists, and secrets in answers.

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::fake;

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
        (
            &format!("experiments/{id}/runs?sort=scores.charm"),
            "latency_ms, scores.exact_match, values.temperature;",
        ),
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

/// Only a limited number of runs is compared with the leader. The list continues after them without a gap.
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
    let with_headers = async |url: &str, headers: Value| {
        let body = json!({"label": "mine", "kind": "openai", "url": url, "headers": headers});
        let (status, changed) = server.send(Method::PUT, &at, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{changed}");
        changed["headers"].clone()
    };
    let (here, elsewhere) = ("http://127.0.0.1:9/v1", "http://127.0.0.1:7/v1");
    let shown = with_headers(here, json!({"X-Org": "org-1", "x-team": "t-1"})).await;
    assert_eq!(shown, json!({"x-org": "***", "x-team": "***"}));
    let (_, kept) = server.send(Method::PUT, &at, Some(body(here, None))).await;
    assert_eq!(kept["headers"], shown, "what is left out stays");
    assert_eq!(with_headers(here, json!({"x-org": "***"})).await, json!({"x-org": "***"}));
    assert_eq!(with_headers(here, json!({})).await, Value::Null, "all are gone");
    with_headers(here, json!({"x-org": "org-1"})).await;
    let (_, dropped) = server.send(Method::PUT, &at, Some(body(elsewhere, None))).await;
    assert_eq!(dropped["headers"], Value::Null, "headers do not follow to another server");
    assert!(!tested["error"].as_str().unwrap().is_empty());
    assert_eq!(server.send(Method::DELETE, &at, None).await.0, StatusCode::NO_CONTENT);
}
