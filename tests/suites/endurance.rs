//! Inputs and situations that could end a process. At most their own run fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use promptlooper_tests::support::effort;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use serde_json::{Value, json};

/// A template that needs almost all steps that a rendering may take.
const HEAVY: &str = "{% if params.heavy %}{% for a in sample.meta.many %}{% for b in sample.meta.many %}\
     {% if a == b %}{% endif %}{% endfor %}{% endfor %}{% endif %}Say {{ sample.input }}";

fn many(count: usize) -> Value {
    Value::from((0..count).collect::<Vec<_>>())
}

async fn fake(latency: u64) -> FakeLlm {
    FakeLlm::start(Options { port: 0, latency: Duration::from_millis(latency) }).await.unwrap()
}

/// Changes of an experiment's samples race with new runs of it. Whichever is first succeeds, and no run uses samples
/// that were replaced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_and_runs_of_an_experiment_may_race() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake(0).await);
        let server = Arc::new(Server::start(&home).await);
        for round in 0..effort::scaled(6, 75) {
            let document = Experiment::echo(&fake.url(), 3, 2).document;
            let experiment =
                if round == 0 { server.import(&document).await } else { again(&server, &document).await };
            race(&server, &experiment).await;
        }
        server.get("/health").await;
    }
}

/// Creates a new experiment with the same document.
async fn again(server: &Server, document: &Value) -> String {
    let mut document = document.clone();
    let fields = document.as_object_mut().unwrap();
    fields.remove("sweep");
    fields.remove("endpoints");
    let projects = server.get("projects").await;
    fields.insert("project_id".to_owned(), projects["items"][0]["id"].clone());
    server.post("experiments", document).await["id"].as_str().unwrap().to_owned()
}

async fn race(server: &Arc<Server>, experiment: &str) {
    let end = Instant::now() + Duration::from_millis(700);
    let tasks: Vec<_> = (0..6)
        .map(|n| {
            let (server, experiment) = (Arc::clone(server), experiment.to_owned());
            tokio::spawn(async move {
                while Instant::now() < end {
                    if n % 2 == 0 {
                        replace(&server, &experiment).await;
                    } else {
                        try_run(&server, &experiment).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut open = 1;
    let deadline = Instant::now() + Duration::from_mins(1);
    while open > 0 {
        let runs = server.get(&format!("experiments/{experiment}/runs?limit=500")).await;
        let all = runs["items"].as_array().unwrap().clone();
        open = all.iter().filter(|run| run["status"] == "pending" || run["status"] == "running").count();
        assert!(all.iter().all(|run| run["status"] != "failed"), "{all:?}");
        assert!(Instant::now() < deadline, "{open} runs do not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Replaces the experiment with one sample more or fewer.
async fn replace(server: &Server, experiment: &str) {
    let (status, known) = server.send(Method::GET, &format!("experiments/{experiment}"), None).await;
    assert!(status.is_success(), "{status} {known}");
    let count = if known["sample_data"]["count"] == 3 { 4 } else { 3 };
    let mut document = Experiment::echo("http://127.0.0.1:1/v1", count, 2).document;
    let fields = document.as_object_mut().unwrap();
    fields.remove("sweep");
    fields.remove("endpoints");
    fields.insert("project_id".to_owned(), known["project_id"].clone());
    let (status, body) = server.send(Method::PUT, &format!("experiments/{experiment}"), Some(document)).await;
    assert!(matches!(status.as_u16(), 200 | 409), "{status} {body}");
}

async fn try_run(server: &Server, experiment: &str) {
    let wanted = json!({"experiment_id": experiment, "values": {"temperature": 0.0}});
    let (status, body) = server.send(Method::POST, "runs", Some(wanted)).await;
    // 200 if the run has ended by then.
    assert!(matches!(status.as_u16(), 200 | 202 | 409), "{status} {body}");
}

/// If the stored run contradicts its stored experiment, that run fails and the others do not.
#[tokio::test]
async fn a_contradiction_fails_its_run() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake(0).await);
    Experiment::echo(&fake.url(), 4, 3)
        .with("/parameter_space/temperature/values/2", json!(0.5))
        .write(&home);
    assert_eq!(program::run(&home, &["run", "experiment.json"]).await.code, Some(0));
    let reopen = "UPDATE run SET asked = 9, completed_at = NULL, status = 'running' \
         WHERE id = (SELECT min(id) FROM run)";
    change(&home, reopen).await;
    change(&home, "UPDATE sweep_total SET completed = 2").await;
    change(&home, "UPDATE sweep SET status = 'running', finish_reason = NULL, finished_at = NULL").await;
    let again = program::run(&home, &["run", "experiment.json"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    let failed = column(&home, "SELECT error AS n FROM run WHERE status = 'failed'").await;
    assert!(failed.len() == 1 && failed[0].contains("corrupt"), "{failed:?}");
}

/// A run that always kills its process does not keep the others from being executed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_kills_its_processes_fails_alone() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake(5).await);
    let mut experiment = Experiment::echo(&fake.url(), 6, 1)
        .with("/pipeline_stages/0/prompt", json!(HEAVY))
        .with("/parameter_space", json!({"heavy": {"type": "choice", "values": [false, true]}}));
    for sample in experiment.document["sample_data"].as_array_mut().unwrap() {
        sample["meta"] = json!({"many": many(450)});
    }
    experiment.write(&home);
    assert_eq!(program::run(&home, &["migrate"]).await.code, Some(0));
    let tables = connection(&home, "ro").await;
    // After the third loss of the run alone, a process may live to fail the run.
    let heavy = "SELECT CAST(lease_epoch AS text) AS n FROM run WHERE status = 'running' AND losses_alone < 3 \
         AND config LIKE '%\"heavy\":true%'";
    let mut deaths = 0;
    loop {
        let before = values(&tables, heavy).await;
        let mut child = program::start(&home, &["run", "experiment.json"]);
        let mut taken_up = false;
        while !taken_up && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let now = values(&tables, heavy).await;
            taken_up = !now.is_empty() && now != before;
        }
        if !taken_up {
            let ended = program::finish(child).await;
            assert_eq!(ended.code, Some(0), "{ended:?}");
            break;
        }
        program::kill(child).await;
        deaths += 1;
        assert!(deaths < 12, "the run is executed again and again");
    }
    tables.close().await.unwrap();
    assert_eq!(deaths, 6, "three that may have been others' fault, and three alone");
    let failed = column(&home, "SELECT error AS n FROM run WHERE status = 'failed'").await;
    assert!(failed.len() == 1 && failed[0].contains("worker_lost"), "{failed:?}");
    let whole = column(&home, "SELECT config AS n FROM run WHERE status = 'completed'").await;
    assert!(whole.len() == 1 && whole[0].contains("\"heavy\":false"), "{whole:?}");
}

/// Files that expand, never end or nest deeply are refused at once, with little memory.
#[tokio::test]
async fn malicious_files_are_refused() {
    let home = Home::new(Kind::Sqlite).await;
    let rest = "pipeline_stages: [{name: s, kind: llm, endpoint: simulated, model: sim-small, prompt: hi}]\n\
         scoring_config: [{scorer: length, options: {max: 3}}]\nparameter_space: {}\n";
    let laughs = (1..10).fold("    a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        let below = vec![format!("*a{}", level - 1); 10].join(",");
        format!("{text}    a{level}: &a{level} [{below}]\n")
    });
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (name, text) in [
        ("laughs.yaml", format!("name: x\nsample_data:\n  - input: 1\n    meta:\n{laughs}{rest}")),
        ("deep.yaml", format!("name: x\nsample_data: [{{input: {deep}}}]\n{rest}")),
        ("deep.json", format!(r#"{{"name": "x", "sample_data": [{{"input": {deep}}}]}}"#)),
        ("long.yaml", format!("name: {}", "x".repeat(40 << 20))),
    ] {
        std::fs::write(home.folder().join(name), text).unwrap();
        refused(&home, name).await;
    }
    refused(&home, "/dev/zero").await;
}

async fn refused(home: &Home, file: &str) {
    let mut child = program::start(home, &["run", file]);
    let (begun, mut peak) = (Instant::now(), 0);
    while child.try_wait().unwrap().is_none() {
        peak = program::peak_memory(&child).unwrap_or(peak);
        assert!(begun.elapsed() < Duration::from_secs(30), "{file} is still being read");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ended = program::finish(child).await;
    assert_eq!(ended.code, Some(1), "{file}: {ended:?}");
    assert!(ended.stderr.contains("error") || ended.stderr.contains(file), "{file}: {ended:?}");
    assert!(peak < 400 * 1024, "{file} took {peak} KiB");
}

async fn connection(home: &Home, mode: &str) -> DatabaseConnection {
    let path = home.data().join("promptlooper.db");
    sea_orm::Database::connect(format!("sqlite://{}?mode={mode}", path.display())).await.unwrap()
}

async fn change(home: &Home, sql: &str) {
    let connection = connection(home, "rw").await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn column(home: &Home, sql: &str) -> Vec<String> {
    let connection = connection(home, "ro").await;
    let values = values(&connection, sql).await;
    connection.close().await.unwrap();
    values
}

async fn values(connection: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get("", "n").unwrap()).collect()
}
