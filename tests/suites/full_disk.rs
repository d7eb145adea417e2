//! Disks that become full during a sweep: writes fail with a message, calls stop, and the sweep continues once there
//! is room.

use std::time::{Duration, Instant};

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::facts::Facts;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::postgres::OwnPostgres;
use promptlooper_tests::support::server::Server;
use promptlooper_tests::support::small_disk::SmallDisk;
use reqwest::Method;
use serde_json::json;

use crate::crash::{assert_equal, undisturbed};

const RUNS: usize = 30;
const SAMPLES: usize = 40;
const CALLS: u64 = (RUNS * SAMPLES) as u64;

#[tokio::test]
async fn sqlite_on_a_full_disk_goes_on_once_there_is_room() {
    let disk = SmallDisk::new(6);
    let home = Home::within(disk.path());
    survives(Kind::Sqlite, &disk, home, || ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_on_a_full_disk_goes_on_once_there_is_room() {
    let disk = SmallDisk::new(150);
    let postgres = OwnPostgres::start_at(&disk.path().join("data"));
    let home = Home::on(&postgres, postgres.port()).await;
    // Without room for its log the database server itself ends. Its operator has to restart it.
    let revive = || tokio::task::block_in_place(|| postgres.ensure_running());
    survives(Kind::Postgres, &disk, home, revive).await;
}

async fn survives(kind: Kind, disk: &SmallDisk, home: Home, revive: impl Fn()) {
    let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(40) }).await.unwrap();
    let server = Server::start_with(&home, &["serve"], &[("WORKER_LEASE_SECONDS", "15")]).await;
    let experiment = server.import(&Experiment::echo(&fake.url(), SAMPLES, RUNS).document).await;
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    wait(|| fake.counts().calls >= 200).await;
    disk.fill();

    // It reports the full disk, and stops.
    let health = unhealthy(&server).await;
    if kind == Kind::Sqlite {
        assert!(health["reason"].as_str().unwrap().contains("room"), "{health}");
    }
    // A small write may still fit into an existing file. Then it is stored.
    let (status, body) = server.send(Method::POST, "projects", Some(json!({"name": "late"}))).await;
    assert!(matches!(status.as_u16(), 503 | 201), "{status} {body}");
    let late = body["id"].as_str().map(str::to_owned);
    wait(|| fake.counts().in_flight == 0).await;
    let stopped_at = fake.counts().calls;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(fake.counts().calls, stopped_at, "calls are made whose answers cannot be stored");
    assert!(stopped_at < CALLS, "the disk was full too late");

    // With room again the sweep continues, and nothing is missing.
    disk.free();
    revive();
    let sweep = ended(&server, &experiment).await;
    assert_eq!(sweep["status"], "completed", "{sweep}");
    assert_eq!((fake.counts().calls, fake.counts().distinct), (CALLS, CALLS));
    let project = server.post("projects", json!({"name": "kept"})).await;
    server.get(&format!("projects/{}", project["id"].as_str().unwrap())).await;
    let (status, _) = server.send(Method::GET, "/health", None).await;
    assert_eq!(status.as_u16(), 200);
    let expected = undisturbed(kind, &|url| Experiment::echo(url, SAMPLES, RUNS)).await;
    assert_equal(&Facts::read(&home).await, &expected);
    assert_eq!(server.stop().await, Some(0));
    let again = Server::start(&home).await;
    if let Some(late) = late {
        again.get(&format!("projects/{late}")).await;
    }
    again.get(&format!("projects/{}", project["id"].as_str().unwrap())).await;
}

async fn wait(until: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !until() {
        assert!(Instant::now() < end, "it takes too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn unhealthy(server: &Server) -> serde_json::Value {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let (status, health) = server.send(Method::GET, "/health", None).await;
        if status.as_u16() == 503 {
            return health;
        }
        assert!(Instant::now() < end, "nothing is said of the full disk: {health}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ended(server: &Server, experiment: &str) -> serde_json::Value {
    let end = Instant::now() + Duration::from_mins(2);
    loop {
        let (status, body) = server.send(Method::GET, &format!("experiments/{experiment}"), None).await;
        if status.is_success() && body["sweep"]["status"] != "running" {
            return body["sweep"].clone();
        }
        assert!(Instant::now() < end, "the sweep does not end: {status} {body}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
