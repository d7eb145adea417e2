//! Ended runs that are scored again, and ratings of people and other programs.

use std::time::{Duration, Instant};

use promptlooper_tests::support::effort;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::{Method, StatusCode};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

async fn started(kind: Kind) -> (Home, FakeLlm, Server) {
    let home = Home::new(kind).await;
    let server = Server::start(&home).await;
    (home, FakeLlm::start(Options::default()).await.unwrap(), server)
}

async fn swept(server: &Server, id: &str) -> Value {
    server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid"})).await;
    server.settled(id).await
}

/// Another scoring than [`Experiment::echo`] has, with an entry of the same name in another place.
fn other_scoring() -> Value {
    json!([
        {"name": "ends", "scorer": "contains", "weight": 3, "options": {"value": ["7", "8", "word-1"], "match": "any"}},
        {"name": "exact_match", "scorer": "exact_match", "negate": true},
        {"scorer": "latency", "weight": 0, "options": {"target_ms": 60_000}},
    ])
}

/// Waits until an experiment's rescoring is over. Returns its events.
async fn rescored(server: &Server, id: &str, times: usize) -> Vec<Value> {
    for _ in 0..600 {
        let path = format!("experiments/{id}/events?type=experiment.rescored&limit=500");
        let events = server.get(&path).await["items"].as_array().unwrap().clone();
        if events.iter().filter(|event| event["data"]["finished"] == true).count() >= times {
            return events;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the rescoring does not end");
}

/// What the runs of an experiment came to, by their values, without what differs between runs.
async fn results(server: &Server, id: &str) -> Vec<String> {
    let runs = server.get(&format!("experiments/{id}/runs?limit=500")).await;
    let mut results: Vec<String> = Vec::new();
    for run in runs["items"].as_array().unwrap() {
        let page = server.get(&format!("runs/{}/samples?limit=500", run["id"].as_str().unwrap())).await;
        let samples: Vec<Value> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|sample| json!([sample["sample_index"], sample["score"], sample["scores"]]))
            .collect();
        results.push(json!([run["values"], run["score"], run["scores"], samples]).to_string());
    }
    results.sort();
    results
}

async fn number(home: &Home, sql: &str) -> i64 {
    let connection = home.connection().await;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

#[tokio::test]
async fn another_scoring_gives_what_scoring_anew_gives_without_a_call() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        let experiment = Experiment::echo(&fake.url(), 70, 5).with("/repeats", json!(2));
        let id = server.import(&experiment.document).await;
        swept(&server, &id).await;
        fake.reset();
        let answer = server
            .post(&format!("experiments/{id}/rescore"), json!({"scoring_config": other_scoring()}))
            .await;
        assert_eq!(answer, json!({"runs": 5, "judge_calls": 0, "http_calls": 0}));
        let events = rescored(&server, &id, 1).await;
        let last = events.last().unwrap();
        assert_eq!((&last["data"]["runs"], &last["data"]["done"]), (&json!(5), &json!(5)), "{events:?}");
        assert_eq!(fake.counts().calls, 0);

        let anew = experiment.with("/endpoints", json!([])).with("/scoring_config", other_scoring());
        let fresh = server.import(&anew.document).await;
        swept(&server, &fresh).await;
        assert_eq!(fake.counts().calls, 0, "the calls of both are the same");
        assert_eq!(results(&server, &id).await, results(&server, &fresh).await, "{kind:?}");
        let board = async |id: &str| {
            let board = server.get(&format!("experiments/{id}/leaderboard?sort=-scores.ends")).await;
            let rows = board["items"].as_array().unwrap().iter();
            rows.map(|row| json!([row["score"], row["ci_low"], row["n"], row["scores"]])).collect::<Vec<_>>()
        };
        assert_eq!(board(&id).await, board(&fresh).await);
        let document = server.get(&format!("experiments/{id}")).await;
        assert_eq!(document["scoring_config"][0]["name"], "ends", "{document}");
    }
}

#[tokio::test]
async fn judges_are_asked_only_for_what_is_not_known_and_what_is_new_is_paid_by_its_run() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        let id = server.import(&Experiment::echo(&fake.url(), 12, 2).document).await;
        swept(&server, &id).await;
        fake.reset();
        let judge = json!({"scorer": "llm_judge", "options": {"endpoint": "fake", "model": "judge-1"}});
        let scoring = json!({"scoring_config": [{"scorer": "exact_match"}, judge]});
        let answer = server.post(&format!("experiments/{id}/rescore"), scoring.clone()).await;
        assert_eq!((&answer["runs"], &answer["judge_calls"]), (&json!(2), &json!(24)), "{answer}");
        rescored(&server, &id, 1).await;
        let counts = fake.counts();
        assert_eq!((counts.calls, &counts.models["judge-1"]), (12, &12), "both runs have the same outputs");
        let paid = async || {
            let runs = server.get(&format!("experiments/{id}/runs")).await;
            let runs = runs["items"].as_array().unwrap().clone();
            runs.iter().map(|run| run["paid"]["tokens_in"].as_u64().unwrap()).sum::<u64>()
        };
        let after = paid().await;
        assert!(after > counts.input_tokens, "{after}: the sweep, and {} for the judge", counts.input_tokens);
        let again = server.post(&format!("experiments/{id}/rescore"), json!({})).await;
        assert_eq!(again["judge_calls"], json!(0), "{again}");
        rescored(&server, &id, 2).await;
        assert_eq!((fake.counts().calls, paid().await), (12, after));
        let run = server.get(&format!("experiments/{id}/runs")).await["items"][0].clone();
        assert_eq!(run["scores"]["llm_judge"]["n"], json!(12), "{run}");
    }
}

#[tokio::test]
async fn retrieved_texts_are_recalled() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    let experiment = Experiment::echo(&fake.url(), 6, 1)
        .with("/documents", json!(["word-0 is red", "word-1 is blue", "word-2 is green", "word-3 is grey"]))
        .with(
            "/pipeline_stages",
            json!([
                {"name": "cut", "kind": "chunk", "input": "documents", "unit": "words", "chunk_size": 2},
                {"name": "find", "kind": "retrieve", "from": "cut", "endpoint": "fake", "model": "embed-a", "top_k": 2},
                {"name": "say", "kind": "llm", "endpoint": "fake", "model": "echo-1", "parameters": {"max_tokens": 16},
                 "prompt": "{{ sample.input }} {{ stages.find.output[0].text }}"},
            ]),
        );
    let id = server.import(&experiment.document).await;
    swept(&server, &id).await;
    fake.reset();
    let scoring = json!([
        {"scorer": "contains", "stage": "find", "options": {"value": "{{ sample.input }}"}},
        {"scorer": "latency", "weight": 0, "options": {"target_ms": 60_000}},
    ]);
    server.post(&format!("experiments/{id}/rescore"), json!({"scoring_config": scoring})).await;
    rescored(&server, &id, 1).await;
    let anew = experiment.with("/endpoints", json!([])).with("/scoring_config", scoring);
    let fresh = server.import(&anew.document).await;
    swept(&server, &fresh).await;
    assert_eq!(results(&server, &id).await, results(&server, &fresh).await);
    assert_eq!((fake.counts().calls, fake.counts().embedded_texts), (0, 0));
}

/// Servers that rescore are killed, one after the other.
async fn killed_while_rescoring(kind: Kind, kills: u64) {
    let (home, fake, server) = started(kind).await;
    let experiment = Experiment::echo(&fake.url(), 40, 24);
    let id = server.import(&experiment.document).await;
    swept(&server, &id).await;
    let judge = json!({"scorer": "llm_judge", "options": {"endpoint": "fake", "model": "judge-1"}});
    let scoring = json!([judge, {"scorer": "length", "options": {"max": 6}}]);
    fake.set_latency(Duration::from_millis(20));
    server.post(&format!("experiments/{id}/rescore"), json!({"scoring_config": scoring})).await;
    let (mut server, mut open) = (server, 0);
    for kill in 1..=kills {
        tokio::time::sleep(Duration::from_millis(150 + kill * 37 % 200)).await;
        server.kill().await;
        open += number(&home, "SELECT COUNT(*) AS n FROM response_cache WHERE answer_id IS NULL").await;
        server = Server::start(&home).await;
    }
    fake.set_latency(Duration::ZERO);
    rescored(&server, &id, 1).await;
    let most = number(&home, "SELECT CAST(MAX(scores_version) AS bigint) AS n FROM run").await;
    let least = number(&home, "SELECT CAST(MIN(scores_version) AS bigint) AS n FROM run").await;
    assert_eq!((least, most), (1, 1), "each run is scored again once");
    let anew = experiment.with("/endpoints", json!([])).with("/scoring_config", scoring);
    let fresh = server.import(&anew.document).await;
    swept(&server, &fresh).await;
    assert_eq!(results(&server, &id).await, results(&server, &fresh).await, "{kind:?}");
    let counts = fake.counts();
    assert_eq!(counts.distinct, 24 * 40 + 40, "{counts:?}");
    let judged = i64::try_from(counts.models["judge-1"]).unwrap();
    assert!((40..=40 + open).contains(&judged), "{judged} calls of the judge, {open} were open at kills");
}

#[tokio::test]
async fn kills_leave_no_run_out_and_score_none_twice_on_sqlite() {
    killed_while_rescoring(Kind::Sqlite, effort::scaled(3, 12)).await;
}

#[tokio::test]
async fn kills_leave_no_run_out_and_score_none_twice_on_postgres() {
    killed_while_rescoring(Kind::Postgres, effort::scaled(3, 12)).await;
}

#[tokio::test]
async fn two_processes_never_score_a_run_twice() {
    let (home, fake, server) = started(Kind::Postgres).await;
    let other = Server::start(&home).await;
    let id = server.import(&Experiment::echo(&fake.url(), 30, 40).document).await;
    swept(&server, &id).await;
    for round in 1..=3_i64 {
        other.post(&format!("experiments/{id}/rescore"), json!({})).await;
        rescored(&server, &id, usize::try_from(round).unwrap()).await;
        let sum = number(&home, "SELECT CAST(SUM(scores_version) AS bigint) AS n FROM run").await;
        assert_eq!(sum, 40 * round);
    }
}

#[tokio::test]
async fn a_run_that_ends_after_the_scoring_changed_is_scored_as_all_are() {
    for kind in Kind::ALL {
        let (home, fake, server) = started(kind).await;
        fake.set_latency(Duration::from_millis(40));
        let id = server.import(&Experiment::echo(&fake.url(), 60, 6).document).await;
        server.post(&format!("experiments/{id}/sweep"), json!({})).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.post(&format!("experiments/{id}/rescore"), json!({"scoring_config": other_scoring()})).await;
        server.settled(&id).await;
        let outdated = "SELECT COUNT(*) AS n FROM run r JOIN experiment e ON e.id = r.experiment_id \
                        WHERE r.scoring_rev < e.scoring_rev";
        for _ in 0..200 {
            if number(&home, outdated).await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let runs = server.get(&format!("experiments/{id}/runs")).await;
        for run in runs["items"].as_array().unwrap() {
            let names: Vec<&String> = run["scores"].as_object().unwrap().keys().collect();
            assert_eq!(names, ["ends", "exact_match", "latency"], "{run}");
        }
        assert_eq!(fake.counts().calls, 360);
    }
}

/// The runs of an experiment that people and programs rate, best first.
async fn rated(server: &Server, fake: &FakeLlm) -> (String, Vec<String>) {
    let experiment = Experiment::echo(&fake.url(), 10, 3).with(
        "/scoring_config",
        json!([
            {"scorer": "exact_match"},
            {"scorer": "human_rating", "weight": 2},
            {"scorer": "external", "name": "lint", "weight": 1},
        ]),
    );
    let id = server.import(&experiment.document).await;
    swept(server, &id).await;
    let board = server.get(&format!("experiments/{id}/leaderboard")).await;
    let runs = board["items"].as_array().unwrap().iter();
    (id, runs.map(|row| row["run_id"].as_str().unwrap().to_owned()).collect())
}

fn is_about(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() < 1e-12)
}

#[tokio::test]
async fn ratings_reach_run_board_and_listeners_within_a_second() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        let (id, runs) = rated(&server, &fake).await;
        let (first, last) = (&runs[0], &runs[2]);
        let rate = async |run: &str, body: Value| server.post(&format!("runs/{run}/score"), body).await;
        // All runs have 1.0 of `exact_match`, and nothing else counts yet.
        for run in &runs[..2] {
            let run = rate(run, json!({"thumb": "down"})).await;
            assert!(is_about(&run["score"], 1.0 / 3.0), "{run}");
            assert_eq!(run["scores"]["human_rating"]["value"], json!(0.0), "{run}");
        }
        let begun = Instant::now();
        let run = rate(last, json!({"stars": 4, "comment": "nearly"})).await;
        assert!(is_about(&run["score"], (1.0 + 2.0 * 0.75) / 3.0), "{run}");
        let one = rate(last, json!({"stars": 5, "sample_index": 3})).await;
        assert!(is_about(&one["scores"]["human_rating"]["value"], (9.0 * 0.75 + 1.0) / 10.0), "{one}");
        let posted = json!({"scorer_name": "lint", "value": 0.5, "metadata": {"warnings": 2}});
        let run = rate(first, posted).await;
        assert!(is_about(&run["score"], (1.0 + 0.5) / 4.0), "{run}");
        let board = server.get(&format!("experiments/{id}/leaderboard")).await;
        assert_eq!(&board["items"][0]["run_id"], last, "{board}");
        let sorted = server.get(&format!("experiments/{id}/runs?sort=-scores.lint")).await;
        assert_eq!(&sorted["items"][0]["id"], first, "{sorted}");
        assert!(begun.elapsed() < Duration::from_secs(10));
        let of = async |kind: &str| {
            let events = server.get(&format!("experiments/{id}/events?type={kind}&limit=100")).await;
            events["items"].as_array().unwrap().clone()
        };
        let added = of("score.added").await;
        assert_eq!((added.len(), &added[3]["data"]["sample_index"]), (5, &json!(3)), "{added:?}");
        assert_eq!(
            (&added[4]["data"]["scorer_name"], &added[4]["data"]["value"]),
            (&json!("lint"), &json!(0.5))
        );
        let best = of("new_best_found").await;
        assert_eq!(&best.last().unwrap()["data"]["run_id"], last, "{best:?}");
        let page = server.get(&format!("runs/{first}/samples")).await;
        let lint = page["items"][0]["scores"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(lint["metadata"]["warnings"], json!(2), "{lint}");
        // A rescoring keeps what people said.
        let before = results(&server, &id).await;
        server.post(&format!("experiments/{id}/rescore"), json!({})).await;
        rescored(&server, &id, 1).await;
        assert_eq!(results(&server, &id).await, before);
    }
}

#[tokio::test]
async fn what_lacks_a_rating_is_listed() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        let (id, runs) = rated(&server, &fake).await;
        let mut listed = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = server.get(&format!("experiments/{id}/review?limit=7{cursor}")).await;
            listed.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(listed.len(), 30);
        assert!(
            listed.iter().all(|item| item["output"].as_str().unwrap().starts_with("word-")),
            "{listed:?}"
        );
        server.post(&format!("runs/{}/score", runs[0]), json!({"thumb": "up"})).await;
        server.post(&format!("runs/{}/score", runs[1]), json!({"stars": 1, "sample_index": 4})).await;
        let left = server.get(&format!("experiments/{id}/review?limit=500")).await;
        assert_eq!(left["items"].as_array().unwrap().len(), 19, "{left}");
    }
}

#[tokio::test]
async fn many_people_rate_at_once_and_no_rating_is_lost() {
    for kind in Kind::ALL {
        let (home, fake, server) = started(kind).await;
        let (_, runs) = rated(&server, &fake).await;
        let rate = |index: usize| {
            let body =
                json!({"thumb": if index.is_multiple_of(2) { "up" } else { "down" }, "sample_index": index});
            let path = format!("runs/{}/score", runs[0]);
            let server = &server;
            async move { server.post(&path, body).await }
        };
        futures::future::join_all((0..10).map(rate)).await;
        assert_eq!(number(&home, "SELECT COUNT(*) AS n FROM rating").await, 10);
        let run = server.get(&format!("runs/{}", runs[0])).await;
        let human = &run["scores"]["human_rating"];
        assert_eq!((&human["n"], &human["value"]), (&json!(10), &json!(0.5)), "{run}");
    }
}

#[tokio::test]
async fn what_is_no_rating_is_refused_with_its_place() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    let (_, runs) = rated(&server, &fake).await;
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"thumb": "up", "stars": 1}), ""),
        (json!({"stars": 6}), "/stars"),
        (json!({"thumb": "sideways"}), "/thumb"),
        (json!({"value": 0.5}), "/scorer_name"),
        (json!({"scorer_name": "lint"}), "/value"),
        (json!({"scorer_name": "lint", "value": 1.5}), "/value"),
        (json!({"scorer_name": "exact_match", "value": 0.5}), "/scorer_name"),
        (json!({"thumb": "up", "sample_index": 10}), "/sample_index"),
        (json!({"thumb": "up", "colour": "red"}), "/colour"),
    ] {
        let path = format!("runs/{}/score", runs[0]);
        let (status, problem) = server.send(Method::POST, &path, Some(body.clone())).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
    let path = "runs/01a2142c-9ce0-77ac-9de6-a6a90e72ff4a/score";
    let (status, _) = server.send(Method::POST, path, Some(json!({"thumb": "up"}))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let broken = Experiment::echo(&fake.url(), 2, 1)
        .with("/endpoints", json!([]))
        .with("/pipeline_stages/0/model", json!("fault-404"));
    let id = server.import(&broken.document).await;
    swept(&server, &id).await;
    let run = server.get(&format!("experiments/{id}/runs")).await["items"][0]["id"].clone();
    let path = format!("runs/{}/score", run.as_str().unwrap());
    let (status, problem) = server.send(Method::POST, &path, Some(json!({"thumb": "up"}))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_ratable")), "{problem}");
}
