//! Leaderboards and lists of runs over the API: sorted, filtered, and with current standings.

use std::time::{Duration, Instant};

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn started() -> (Home, FakeLlm, Server) {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let server = Server::start(&home).await;
    (home, fake, server)
}

/// Each sample is answered correctly with one tone only, so that the other tone scores 0.
fn tones(url: &str) -> Value {
    let space = json!({
        "temperature": {"target": "say.temperature", "type": "choice", "values": [0.25, 0.5, 0.75]},
        "word": {"type": "choice", "values": ["Say", "Shout"]},
    });
    let experiment = Experiment::echo(url, 4, 1).with("/parameter_space", space);
    let prompt = json!("{% if params.word == 'Say' %}Say {{ sample.input }}{% else %}Say x{% endif %}");
    let document = experiment.with("/pipeline_stages/0/prompt", prompt).document;
    Experiment { document }
        .with("/scoring_config", json!([{"scorer": "exact_match", "name": "exact"}]))
        .document
}

fn column(page: &Value, pointer: &str) -> Vec<Value> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item.pointer(pointer).cloned().unwrap_or_default()).collect()
}

/// The board once its standings are current.
async fn settled_board(server: &Server, experiment: &str) -> Value {
    let begun = Instant::now();
    loop {
        let board = server.get(&format!("experiments/{experiment}/leaderboard")).await;
        if board["standings_current"] == true && board["items"] != json!([]) {
            return board;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "standings do not follow: {board}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn lists_are_sorted_and_filtered_by_the_server() {
    let (_home, fake, server) = started().await;
    let experiment = server.import(&tones(&fake.url())).await;
    server.post(&format!("experiments/{experiment}/sweep"), json!({"kind": "grid"})).await;
    assert_eq!(server.settled(&experiment).await["status"], "completed");
    for list in ["runs", "leaderboard"] {
        let get = async |query: &str| server.get(&format!("experiments/{experiment}/{list}?{query}")).await;
        let hot = get("sort=-values.temperature").await;
        assert_eq!(column(&hot, "/values/temperature")[..3], [0.75, 0.75, 0.5].map(Value::from), "{list}");
        let best = get("sort=-scores.exact&values.word=Say").await;
        assert_eq!(column(&best, "/values/word"), vec![json!("Say"); 3], "{list}");
        for one in
            ["values.word=Shout&values[temperature]=0.50", "values=word%3DShout&values=temperature%3D0.50"]
        {
            let one = get(&format!("{one}&sort=latency_ms")).await;
            assert_eq!(column(&one, "/values/temperature"), [0.5], "{list}");
        }
        assert_eq!(column(&get("status=failed").await, ""), Vec::<Value>::new(), "{list}");
        let first = get("sort=score&limit=4").await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = get(&format!("sort=score&limit=4&cursor={cursor}")).await;
        let words = [column(&first, "/values/word"), column(&rest, "/values/word")].concat();
        let expected = ["Shout", "Shout", "Shout", "Say", "Say", "Say"].map(Value::from);
        assert_eq!(words, expected, "{list}");
        for (query, said) in [
            ("sort=-cost", "latency_ms, scores.exact, values.temperature, values.word"),
            ("values.wrod=Say", "unknown dimension `wrod`. Known: temperature, word"),
            ("status=done", "cancelled"),
            (&format!("sort=values.word&cursor={cursor}"), "belongs to another order"),
            ("values=word", "NAME=VALUE"),
            ("value.word=Say", "this operation takes"),
        ] {
            let path = format!("experiments/{experiment}/{list}?{query}");
            let (status, problem) = server.send(Method::GET, &path, None).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {problem}");
            assert!(problem.to_string().contains(said), "{path}: {problem}");
        }
    }
    let board = settled_board(&server, &experiment).await;
    assert_eq!(column(&board, "/rank"), [1, 2, 3, 4, 5, 6].map(Value::from));
    let by_cost = server.get(&format!("experiments/{experiment}/leaderboard?sort=-created_at")).await;
    let mut ranks: Vec<i64> = column(&by_cost, "/rank").iter().filter_map(Value::as_i64).collect();
    ranks.sort_unstable();
    assert_eq!(ranks, [1, 2, 3, 4, 5, 6], "ranks are told in any order");
}

/// A run outside any sweep is on the board when it has ended, and is compared with the others soon after.
#[tokio::test]
async fn standings_follow_runs_outside_sweeps() {
    let (_home, fake, server) = started().await;
    let experiment = server.import(&tones(&fake.url())).await;
    for (word, runs) in [("Shout", 1), ("Say", 2)] {
        let wanted = json!({"experiment_id": experiment, "values": {"word": word}});
        let (status, run) = server.send(Method::POST, "runs?wait=20", Some(wanted)).await;
        assert_eq!(status, StatusCode::OK, "{run}");
        let board = server.get(&format!("experiments/{experiment}/leaderboard")).await;
        assert!(column(&board, "/run_id").contains(&run["id"]), "{board}");
        let begun = Instant::now();
        let board = settled_board(&server, &experiment).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "took {:?}", begun.elapsed());
        assert_eq!(board["items"].as_array().unwrap().len(), runs);
        assert!(board["items"][0]["p_best"].is_number(), "{board}");
    }
}

/// If a process is killed while it computes standings, the next one computes them.
#[tokio::test]
async fn a_kill_loses_no_standings() {
    let (home, fake, mut server) = started().await;
    let experiment = server.import(&tones(&fake.url())).await;
    for _ in 0..4 {
        let wanted = json!({"experiment_id": experiment, "values": {"word": "Say"}});
        let (status, run) = server.send(Method::POST, "runs?wait=20", Some(wanted)).await;
        assert_eq!(status, StatusCode::OK, "{run}");
        server.kill().await;
        server = Server::start(&home).await;
        let board = settled_board(&server, &experiment).await;
        assert_eq!(column(&board, "/run_id"), std::slice::from_ref(&run["id"]));
        assert!(board["items"][0]["p_best"].is_number(), "{board}");
    }
}
