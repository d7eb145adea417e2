//! Budgets with kills: the endpoint never bills more than the budget, nor more than the sweep reports.

use std::time::{Duration, Instant};

use promptlooper_tests::support::effort;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};
use tokio::process::Child;

const WORKERS: usize = 16;
const KILLS: u64 = 10;
const BUDGET: u64 = 12_000;

/// Sixteen workers spend a budget while some of them are killed and some answers never arrive.
#[tokio::test]
async fn a_budget_holds_whatever_happens() {
    for seed in 0..effort::scaled(1, 100) {
        spend(seed).await;
    }
}

async fn spend(seed: u64) {
    let home = Home::new(Kind::Postgres).await;
    let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(30) }).await.unwrap();
    let server = Server::start_with(&home, &["serve", "--no-execute"], &[]).await;
    let mut workers: Vec<Child> = (0..WORKERS).map(|_| program::start(&home, &["worker"])).collect();
    let experiment = server.import(&document(&fake.url(), seed)).await;
    server.post(&format!("experiments/{experiment}/sweep"), json!({"max_tokens": BUDGET})).await;
    let mut chance = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let end = Instant::now() + Duration::from_mins(2);
    let (mut kills, mut next_kill) = (0, 10);
    let sweep = loop {
        let sweep = server.get(&format!("experiments/{experiment}")).await["sweep"].clone();
        if sweep["status"] != "running" {
            break sweep;
        }
        if fake.counts().calls >= next_kill && kills < KILLS {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let victim = usize::try_from(chance >> 33).unwrap() % WORKERS;
            program::kill(std::mem::replace(&mut workers[victim], program::start(&home, &["worker"]))).await;
            (kills, next_kill) = (kills + 1, fake.counts().calls + 6);
        }
        assert!(Instant::now() < end, "seed {seed}: neither spent nor over: {sweep}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((&sweep["status"], &sweep["pause_reason"]), (&json!("paused"), &json!("budget")), "{sweep}");
    let counts = fake.counts();
    let billed = counts.input_tokens + counts.output_tokens;
    let number = |field: &str| sweep[field].as_u64().unwrap();
    let told = number("tokens_in") + number("tokens_out") + number("tokens_unknown");
    assert!(billed <= BUDGET, "seed {seed}: {billed} billed of {BUDGET}, {kills} kills: {sweep}");
    assert!(told >= billed, "seed {seed}: {told} told, {billed} billed, {kills} kills: {sweep}");
    assert!(billed > BUDGET / 2, "seed {seed}: only {billed} of {BUDGET} were spent: {sweep}");
    effort::report(&format!(
        "seed {seed}: budget {BUDGET}, billed {billed}, told {told}, {kills} kills, {} unknown",
        sweep["calls_unknown"]
    ));
}

fn document(url: &str, seed: u64) -> Value {
    let mut document = Experiment::echo(url, 24, 24)
        .with("/pipeline_stages/0/model", json!("costly-1"))
        .with("/pipeline_stages/0/prompt", json!(format!("{seed} {{{{ sample.input }}}}")))
        .document;
    document["endpoints"][0]["timeout_s"] = json!(1);
    document
}
