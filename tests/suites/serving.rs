//! The program as a service: start, import, health, stop, and restart.

use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use serde_json::json;

async fn fake() -> FakeLlm {
    FakeLlm::start(Options::default()).await.unwrap()
}

#[tokio::test]
async fn what_is_imported_can_be_swept() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    Experiment::echo(&fake.url(), 4, 3).write(&home);
    let imported = program::run(&home, &["import", "experiment.json"]).await;
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let again = program::run(&home, &["import", "experiment.json"]).await;
    assert_eq!(again.stdout, imported.stdout, "the same file is the same experiment");
    assert_eq!(fake.counts().calls, 0);
    let server = Server::start(&home).await;
    let experiment = imported.stdout.trim();
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    assert_eq!(server.settled(experiment).await["progress"]["completed"], 3);
    assert_eq!(fake.counts().calls, 12);
}

#[tokio::test]
async fn a_server_that_is_stopped_pays_for_nothing_twice() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        fake.set_latency(Duration::from_millis(40));
        let server = Server::start(&home).await;
        let experiment = server.import(&Experiment::echo(&fake.url(), 20, 20).document).await;
        server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(server.stop().await, Some(0));
        let before = fake.counts().calls;
        assert!(0 < before && before < 400, "{kind:?}: stopped in its midst, not after {before} calls");
        let server = Server::start(&home).await;
        let sweep = server.settled(&experiment).await;
        assert_eq!((&sweep["status"], &sweep["calls"]), (&json!("completed"), &json!(400)), "{kind:?}");
        assert_eq!((fake.counts().calls, fake.counts().distinct), (400, 400), "{kind:?}");
    }
}

#[tokio::test]
async fn a_server_can_leave_runs_to_workers() {
    let (home, fake) = (Home::new(Kind::Postgres).await, fake().await);
    let server = Server::start_with(&home, &["serve", "--no-execute"], &[]).await;
    let experiment = server.import(&Experiment::echo(&fake.url(), 5, 4).document).await;
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(fake.counts().calls, 0, "it executes nothing itself");
    let _worker = program::start(&home, &["worker"]);
    assert_eq!(server.settled(&experiment).await["progress"]["completed"], 4);
}

#[tokio::test]
async fn a_server_reports_its_health() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    let ask = async || {
        let mut command = program::command(&home, &["healthcheck"]);
        program::finish(command.env("PORT", &port).spawn().unwrap()).await
    };
    let well = ask().await;
    assert_eq!((well.code, &well.json()["database"]), (Some(0), &json!("ok")), "{well:?}");
    server.stop().await;
    let gone = ask().await;
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(gone.stderr.contains(&format!("127.0.0.1:{port}")), "{gone:?}");
}

/// Only the owner may read prompts and answers.
#[tokio::test]
async fn the_database_is_readable_by_its_owner_only() {
    use std::os::unix::fs::MetadataExt as _;
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    server.post("projects", json!({"name": "p"})).await;
    let files: Vec<_> = std::fs::read_dir(home.data()).unwrap().map(Result::unwrap).collect();
    assert!(files.iter().any(|file| file.file_name() == "promptlooper.db-wal"), "{files:?}");
    for file in files.iter().filter(|file| file.file_name() != "promptlooper.lock") {
        let mode = file.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} has mode {mode:o}", file.file_name());
    }
}

/// Paths that do not belong to the dashboard are never answered with its page.
#[tokio::test]
async fn addresses_of_the_api_are_never_pages() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    for path in
        ["/api", "/api/v2/projects", "/api/v1/nothing", "/ws/nothing", "/mcp", "/metrics", "/assets/old.js"]
    {
        let response = server.raw(reqwest::Method::GET, path, None, &[]).await;
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!((response.status().as_u16(), kind.as_str()), (404, "application/problem+json"), "{path}");
    }
    let page = server.raw(reqwest::Method::GET, "/projects/any", None, &[]).await;
    assert!(
        page.headers()["content-type"].to_str().unwrap().starts_with("text/"),
        "a page, or how to get one"
    );
    let post = server.raw(reqwest::Method::POST, "/projects/any", None, &[]).await;
    assert_eq!(post.status().as_u16(), 405);
}
