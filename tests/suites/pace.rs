//! Limits a minute of endpoints, as three processes keep them, and pauses that endpoints ask for.

use std::time::{Duration, Instant};

use promptlooper_tests::support::effort;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{Arrival, FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};
use tokio::process::Child;

const MINUTE: Duration = Duration::from_mins(1);

/// What was seen of a sweep.
struct SweepTraffic {
    sweep: Value,
    arrivals: Vec<Arrival>,
    took: Duration,
}

impl SweepTraffic {
    /// The most that arrived in any minute: requests, tokens.
    fn fullest_minute(&self) -> (usize, u64) {
        let minutes = self.arrivals.iter().map(|first| {
            let minute = self.arrivals.iter().filter(|one| one.at >= first.at && one.at < first.at + MINUTE);
            minute.fold((0, 0), |(requests, tokens), one| (requests + 1, tokens + one.tokens))
        });
        minutes.fold((0, 0), |most, minute| (most.0.max(minute.0), most.1.max(minute.1)))
    }

    /// What arrived within the first seconds: requests, tokens.
    fn first(&self, seconds: u64) -> (usize, u64) {
        let Some(first) = self.arrivals.first() else { return (0, 0) };
        let end = first.at + Duration::from_secs(seconds);
        let early = self.arrivals.iter().filter(|one| one.at < end);
        early.fold((0, 0), |(requests, tokens), one| (requests + 1, tokens + one.tokens))
    }
}

/// A sweep of three processes over so many calls at an endpoint with these limits.
async fn swept(calls: usize, model: &str, limits: Value) -> SweepTraffic {
    let home = Home::new(Kind::Postgres).await;
    let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(50) }).await.unwrap();
    let server = Server::start_with(&home, &["serve"], &[]).await;
    let _workers: Vec<Child> = (0..2).map(|_| program::start(&home, &["worker"])).collect();
    let document = Experiment::echo(&fake.url(), calls / 15, 15)
        .with("/pipeline_stages/0/model", json!(model))
        .with("/endpoints/0/limits", limits)
        .document;
    let experiment = server.import(&document).await;
    let began = Instant::now();
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    loop {
        let sweep = server.get(&format!("experiments/{experiment}")).await["sweep"].clone();
        let took = began.elapsed();
        if sweep["status"] == "completed" {
            return SweepTraffic { sweep, arrivals: fake.arrivals(), took };
        }
        assert!(took < 10 * MINUTE, "still {}", sweep["status"]);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn three_processes_keep_a_limit_of_requests() {
    let (calls, limit) = if effort::is_full() { (600, 240) } else { (30, 40) };
    let limits = json!({"concurrency": 16, "requests_per_minute": limit});
    // Each call fails once: what is sent again counts like any other request.
    let seen = swept(calls, "fault-500x1", limits).await;
    assert_eq!(seen.sweep["progress"]["completed"], 15, "{}", seen.sweep);
    assert_eq!(seen.arrivals.len(), 2 * calls);
    let (fullest, _) = seen.fullest_minute();
    assert!(fullest <= limit, "{fullest} requests in a minute, of {limit}");
    assert_eq!(seen.first(30).0, limit, "the limit is used up at once");
    effort::report(&format!(
        "{} requests in {:?}, fullest minute {fullest} of {limit}",
        2 * calls,
        seen.took
    ));
}

#[tokio::test]
async fn three_processes_keep_a_limit_of_tokens() {
    let (calls, limit) = (60, 300);
    let limits = json!({"concurrency": 16, "tokens_per_minute": limit});
    let seen = swept(calls, "echo-1", limits).await;
    assert_eq!(seen.sweep["progress"]["completed"], 15, "{}", seen.sweep);
    assert_eq!(seen.arrivals.len(), calls);
    let (_, fullest) = seen.fullest_minute();
    assert!(fullest <= limit, "{fullest} tokens in a minute, of {limit}");
    // A call is counted at its bound until it is answered, and at what it used from then on.
    let (_, early) = seen.first(30);
    assert!(early > limit / 2, "only {early} tokens of {limit} in half a minute");
    effort::report(&format!("{calls} calls in {:?}, fullest minute {fullest} tokens of {limit}", seen.took));
}

/// A dry run of calls that have not been made knows from others of their model how long they take, and what they are bound
/// by: concurrency or a limit a minute.
#[tokio::test]
async fn a_dry_run_knows_how_long_such_calls_take() {
    let home = Home::new(Kind::Sqlite).await;
    let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(100) }).await.unwrap();
    let server = Server::start_with(&home, &["serve"], &[]).await;
    let endpoint =
        json!({"label": "fake", "kind": "openai", "url": fake.url(), "limits": {"concurrency": 8}});
    let endpoint = server.post("endpoints", endpoint).await;
    let estimate = async |prompt: &str| {
        let document = Experiment::echo(&fake.url(), 20, 4)
            .with("/name", json!(prompt))
            .with("/pipeline_stages/0/prompt", json!(format!("{prompt} {{{{ sample.input }}}}")))
            .with("/endpoints", json!([]))
            .document;
        let experiment = server.import(&document).await;
        let path = format!("experiments/{experiment}/sweep");
        (experiment, server.post(&path, json!({"dry_run": true})).await)
    };
    let (experiment, unknown) = estimate("Say").await;
    assert_eq!((&unknown["calls"], unknown.get("estimated_seconds")), (&json!(80), None), "{unknown}");
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    while server.get(&format!("experiments/{experiment}")).await["sweep"]["status"] != "completed" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seconds = |dry_run: &Value| dry_run["estimated_seconds"].as_f64().unwrap();
    let (_, cached) = estimate("Say").await;
    assert!(seconds(&cached) < 1e-9 && cached["cached_calls"] == 80, "{cached}");
    // 80 calls of about 0.1 s, 8 at once.
    let (_, known) = estimate("Tell").await;
    assert!((0.9..3.0).contains(&seconds(&known)), "{known}");
    let path = format!("endpoints/{}", endpoint["id"].as_str().unwrap());
    let limits = json!({"concurrency": 8, "requests_per_minute": 40});
    let slower = json!({"label": "fake", "kind": "openai", "url": fake.url(), "limits": limits});
    let (status, body) = server.send(reqwest::Method::PUT, &path, Some(slower)).await;
    assert!(status.is_success(), "{body}");
    let (_, bound) = estimate("Sing").await;
    assert!((60.0..65.0).contains(&seconds(&bound)), "{bound}");
}
