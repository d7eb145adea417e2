//! Sweeps against a model server over HTTP, on both databases.

use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::facts::Facts;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use serde_json::json;

async fn fake() -> FakeLlm {
    FakeLlm::start(Options::default()).await.unwrap()
}

async fn each_call_is_made_once(kind: Kind) {
    let (home, fake) = (Home::new(kind).await, fake().await);
    let experiment = Experiment::echo(&fake.url(), 20, 5);
    experiment.write(&home);
    let first = program::run(&home, &["run", "experiment.json", "--json"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!((fake.counts().calls, fake.counts().distinct), (100, 100));
    let facts = Facts::read(&home).await;
    assert_eq!((facts.sweep.as_str(), facts.runs.len()), ("completed", 5));
    assert!(facts.runs.values().all(|run| run.status == "completed" && run.samples == [20, 20, 0, 20]));
    assert_eq!(
        facts.answers,
        [100, fake.counts().input_tokens.cast_signed(), fake.counts().output_tokens.cast_signed()]
    );
    assert_eq!((facts.events["stage.completed"], facts.events.get("cache.hit")), (5, None));
    let again = program::run(&home, &["run", "experiment.json", "--json"]).await;
    assert_eq!(fake.counts().calls, 100, "a call was made again");
    assert_eq!(again.json()["sweep"]["progress"]["cached"], 5);
    assert_eq!(again.json()["sweep"]["cache_hits"], 100);
    assert_eq!(again.json()["leaderboard"][0]["score"], first.json()["leaderboard"][0]["score"]);
    assert_eq!(again.json()["leaderboard"].as_array().unwrap().len(), 5, "one row for each configuration");
}

#[tokio::test]
async fn each_call_is_made_once_on_sqlite() {
    each_call_is_made_once(Kind::Sqlite).await;
}

#[tokio::test]
async fn each_call_is_made_once_on_postgres() {
    each_call_is_made_once(Kind::Postgres).await;
}

/// A dimension that no prompt uses gives runs with equal calls.
#[tokio::test]
async fn equal_calls_in_flight_become_one() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        fake.set_latency(Duration::from_millis(50));
        let unused = json!({"type": "choice", "values": [1, 2, 3, 4, 5, 6, 7, 8]});
        Experiment::echo(&fake.url(), 10, 1).with("/parameter_space/unused", unused).write(&home);
        let finished = program::run(&home, &["run", "experiment.json", "--json"]).await;
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!((fake.counts().calls, fake.counts().distinct), (10, 10), "{kind:?}");
        assert_eq!(finished.json()["sweep"]["cache_hits"], 70);
        let facts = Facts::read(&home).await;
        assert!(facts.runs.values().all(|run| run.usage[0] == facts.runs.values().next().unwrap().usage[0]));
    }
}

#[tokio::test]
async fn the_concurrency_of_an_endpoint_is_not_exceeded() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    fake.set_latency(Duration::from_millis(10));
    Experiment::echo(&fake.url(), 30, 4).with("/endpoints/0/limits", json!({"concurrency": 3})).write(&home);
    let finished = program::run(&home, &["run", "experiment.json"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(fake.counts().max_in_flight, 3);
}

#[tokio::test]
async fn transient_faults_are_retried_and_others_fail_their_samples() {
    let home = Home::new(Kind::Sqlite).await;
    let fake = fake().await;
    let models = json!({"target": "say.model", "type": "choice", "values": [
        "echo-1", "fault-429x1-retry-0", "fault-500x1", "fault-resetx1", "fault-truncatex1", "fault-malformedx1",
        "fault-400", "fault-no-choices",
    ]});
    Experiment::echo(&fake.url(), 3, 1).with("/parameter_space/model", models).write(&home);
    let finished = program::run(&home, &["run", "experiment.json", "--json", "--output", "runs.jsonl"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let facts = Facts::read(&home).await;
    let failed = facts.runs.values().filter(|run| run.status == "failed").count();
    assert_eq!((facts.runs.len(), failed), (8, 2));
    let board = finished.json()["leaderboard"].as_array().unwrap().clone();
    assert_eq!(board.len(), 6);
    assert!(board.iter().all(|row| row["score"] == 1.0), "{board:#?}");
    let runs = std::fs::read_to_string(home.folder().join("runs.jsonl")).unwrap();
    assert!(runs.contains(r#""kind":"rejected""#) && runs.contains(r#""kind":"no_choices""#), "{runs}");
}

#[tokio::test]
async fn a_budget_is_not_overshot_and_can_be_raised() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let experiment = Experiment::echo(&fake.url(), 20, 4);
        experiment.clone().with("/sweep/max_tokens", json!(300)).write(&home);
        let paused = program::run(&home, &["run", "experiment.json", "--json"]).await;
        assert_eq!(paused.code, Some(1), "{paused:?}");
        assert_eq!(paused.json()["sweep"]["pause_reason"], "budget");
        assert!(paused.stderr.contains("raise max_tokens"), "{paused:?}");
        let spent = fake.counts().input_tokens + fake.counts().output_tokens;
        assert!(spent <= 300 && spent > 250, "{spent} tokens of 300");
        experiment.clone().with("/sweep/max_tokens", json!(100_000)).write(&home);
        let done = program::run(&home, &["run", "experiment.json", "--json"]).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.stderr.contains("Resuming the unfinished sweep"), "{done:?}");
        assert_eq!((fake.counts().calls, fake.counts().distinct), (80, 80), "{kind:?}");
        assert_eq!(Facts::read(&home).await.runs.len(), 4);
    }
}

#[tokio::test]
async fn a_refused_key_pauses_the_sweep_until_it_is_replaced() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let experiment = Experiment::echo(&fake.url(), 5, 2);
    experiment.clone().with("/pipeline_stages/0/model", json!("fault-401x1")).write(&home);
    let paused = program::run(&home, &["run", "experiment.json", "--json"]).await;
    assert_eq!(paused.code, Some(1), "{paused:?}");
    assert_eq!(paused.json()["sweep"]["pause_reason"], "endpoint");
    assert!(fake.counts().calls <= 16, "the endpoint was asked {} times", fake.counts().calls);
    for _ in 0..10 {
        let again = program::run(&home, &["run", "experiment.json", "--json"]).await;
        if again.code == Some(0) {
            let facts = Facts::read(&home).await;
            assert!(facts.runs.values().all(|run| run.status == "completed"), "{facts:#?}");
            return;
        }
    }
    panic!("the sweep does not go on");
}

#[tokio::test]
async fn stages_see_what_came_before() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let second = json!({
        "name": "wrap", "kind": "llm", "endpoint": "fake", "model": "echo-2",
        "prompt": "Of {{ stages.say.output.answer }} and {{ previous.answer }} say {{ stages['say'].output.n }}",
    });
    let mut experiment = Experiment::echo(&fake.url(), 4, 1)
        .with("/pipeline_stages/0/model", json!("json-1"))
        .with("/pipeline_stages/0/response_format", json!("json"));
    experiment.document["pipeline_stages"].as_array_mut().unwrap().push(second);
    let scoring = json!([
        {"scorer": "format", "stage": "say", "options": {"type": "json"}},
        {"scorer": "format", "name": "number", "options": {"type": "regex", "pattern": "^[0-9]+$"}},
    ]);
    experiment.with("/scoring_config", scoring).write(&home);
    let finished = program::run(&home, &["run", "experiment.json", "--json", "--output", "best.json"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.json()["leaderboard"][0]["score"], 1.0, "{finished:?}");
    let best: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(home.folder().join("best.json")).unwrap()).unwrap();
    assert_eq!(best["stages"][1]["name"], "wrap");
}

#[tokio::test]
async fn a_sweep_that_is_interrupted_goes_on_where_it_was() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    fake.set_latency(Duration::from_millis(30));
    Experiment::echo(&fake.url(), 40, 6).write(&home);
    let running = program::start(&home, &["run", "experiment.json"]);
    while fake.counts().calls < 40 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let id = running.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let stopped = program::finish(running).await;
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert!(stopped.stderr.contains("run the same command again"), "{stopped:?}");
    let again = program::run(&home, &["run", "experiment.json"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!((fake.counts().calls, fake.counts().distinct), (240, 240), "a call in flight was lost");
    assert_eq!(Facts::read(&home).await.runs.len(), 6);
}

#[tokio::test]
async fn repetitions_are_calls_of_their_own_and_one_sample() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    Experiment::echo(&fake.url(), 4, 2).with("/repeats", json!(3)).write(&home);
    let finished = program::run(&home, &["run", "experiment.json", "--json"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(fake.counts().calls, 24);
    assert_eq!(finished.json()["leaderboard"][0]["n"], 4);
}
