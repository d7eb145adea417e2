//! Long computations delay nothing else: neither requests nor events, heartbeats or the shutdown.

use std::time::{Duration, Instant};

use promptlooper_tests::support::effort;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

/// Computations may delay `/health` or an event by 50 ms. This is ten times that.
const DELAY: Duration = Duration::from_millis(500);
/// How long delays are measured.
const WATCHED: Duration = Duration::from_secs(6);

/// Each prompt takes a large part of the steps that a rendering may take.
const TEMPLATE: &str = "{% for a in sample.meta.many %}{% for b in sample.meta.many %}\
     {% if a == b %}{% endif %}{% endfor %}{% endfor %}Say {{ sample.input }}";

/// Renders and compares for minutes, on all threads for such work.
fn computing(url: &str) -> Value {
    let long: Vec<String> = (0..20_000).map(|n| format!("w{}", n * 7919 % 1000)).collect();
    let long = long.join(" ");
    let mut document = Experiment::echo(url, 60, 16)
        .with("/pipeline_stages/0/prompt", json!(TEMPLATE))
        .with("/scoring_config", json!([{"scorer": "exact_match"}, {"scorer": "similarity", "options": {"method": "levenshtein"}}]))
        .document;
    let many: Vec<usize> = (0..450).collect();
    for sample in document["sample_data"].as_array_mut().unwrap() {
        sample["meta"] = json!({"many": many});
        sample["reference"] = json!(long);
    }
    document
}

/// A document whose check takes long.
fn large(project: &Value) -> Value {
    let mut document = Experiment::echo("http://127.0.0.1:1/v1", 3, 2).document;
    let values: Vec<String> = (0..30_000).map(|n| format!("{n:040}")).collect();
    document["parameter_space"] = json!({"text": {"type": "choice", "values": values}});
    let fields = document.as_object_mut().unwrap();
    fields.remove("endpoints");
    fields.remove("sweep");
    fields.insert("project_id".to_owned(), project.clone());
    document
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn computations_delay_nothing_else() {
    let home = Home::new(Kind::Sqlite).await;
    let fake = FakeLlm::start(Options::default()).await.unwrap();
    let server =
        std::sync::Arc::new(Server::start_with(&home, &["serve"], &[("WORKER_LEASE_SECONDS", "2")]).await);
    let experiment = server.import(&computing(&fake.url())).await;
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    let project = server.get("projects").await["items"][0]["id"].clone();

    // Documents are checked at the same time.
    let checking = {
        let server = std::sync::Arc::clone(&server);
        tokio::spawn(async move {
            for _ in 0..2 {
                let (status, body) = server.send(Method::POST, "experiments", Some(large(&project))).await;
                assert!(status.is_success(), "{status} {body}");
            }
        })
    };
    let (mut delays, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < WATCHED {
        let asked = Instant::now();
        let (status, _) = server.send(Method::GET, "/health", None).await;
        assert!(status.is_success());
        delays.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    checking.await.unwrap();
    let sweep = server.get(&format!("experiments/{experiment}")).await["sweep"].clone();
    assert_eq!(sweep["status"], "running", "it was over before anything was seen: {sweep}");
    assert!(leases_hold(&home).await, "the heartbeats stood still");
    delays.sort();
    let of = |share: usize| delays[(delays.len() - 1) * share / 100];
    let (median, usual, most) = (of(50), of(99), of(100));
    effort::report(&format!(
        "/health while it computes: {} asked, median {median:?}, 99 % within {usual:?}, at most {most:?}",
        delays.len()
    ));
    assert!(most < DELAY, "/health took {most:?}");

    // The server stops when it is asked to, whatever is being computed.
    let told = Instant::now();
    let server = std::sync::Arc::into_inner(server).unwrap();
    assert_eq!(server.stop().await, Some(0));
    effort::report(&format!("stopped after {:?}", told.elapsed()));
}

/// Whether the worker's lease never expired: it is renewed after a third of its time.
async fn leases_hold(home: &Home) -> bool {
    use sea_orm::{ConnectionTrait as _, Statement};
    let connection = home.connection().await;
    let sql =
        "SELECT CAST(lease_until / 1000 - unixepoch('now', 'subsec') * 1000 AS INTEGER) AS left FROM worker";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.len() == 1 && rows[0].try_get::<i64>("", "left").unwrap() > 0
}
