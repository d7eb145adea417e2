//! Measures how fast ended runs are scored again, on SQLite and PostgreSQL.
//!
//! `cargo build --release --bins -p promptlooper && cargo bench -p promptlooper-tests --bench rescoring`, with
//! `PROMPTLOOPER_TEST_POSTGRES`.

use std::fs;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};

const RUNS: usize = 100;
const SAMPLES: usize = 200;
/// Cheap scorers, of which each gives a score for each output.
const SCORERS: usize = 2;
const ROUNDS: usize = 5;

type Failed = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    // `cargo test --benches` passes an argument, and measures nothing.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let mut out = io::stdout();
    let scores = RUNS * SAMPLES * SCORERS;
    writeln!(out, "{RUNS} runs of {SAMPLES} outputs of 300 B, {SCORERS} scorers: {scores} scores")?;
    for kind in Kind::ALL {
        measure(&mut out, kind).await?;
    }
    Ok(())
}

async fn measure(out: &mut impl io::Write, kind: Kind) -> Result<(), Failed> {
    let (home, fake) = (Home::new(kind).await, FakeLlm::start(Options::default()).await?);
    let server = Server::start(&home).await;
    let id = server.import(&experiment(&fake.url())).await;
    server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid"})).await;
    server.settled(&id).await;
    fake.reset();
    let mut rates = Vec::new();
    for round in 0..ROUNDS {
        let scoring = json!([
            {"scorer": "contains", "options": {"value": format!("{round}")}},
            {"scorer": "length", "options": {"max": 400}},
        ]);
        let (begun, cpu) = (Instant::now(), cpu(&server)?);
        server.post(&format!("experiments/{id}/rescore"), json!({"scoring_config": scoring})).await;
        finished(&server, &id, round + 1).await;
        let scores = (RUNS * SAMPLES * SCORERS) as f64;
        let spent = cpu_since(&server, cpu)?;
        rates.push((scores / begun.elapsed().as_secs_f64(), scores / spent.as_secs_f64()));
    }
    rates.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (wall, cpu) = rates[ROUNDS / 2];
    let calls = fake.counts().calls;
    writeln!(
        out,
        "{kind:?}: {wall:.0} scores a second of wall time, {cpu:.0} of the server's CPU time, {calls} calls"
    )?;
    Ok(())
}

fn experiment(url: &str) -> Value {
    let samples: Vec<Value> = (0..SAMPLES)
        .map(|sample| {
            let answer = format!("{sample:03}").repeat(100);
            json!({"input": format!("[[answer:{answer}]]"), "reference": "000"})
        })
        .collect();
    let temperatures: Vec<f64> = (0..RUNS).map(|run| run as f64 / 1024.0).collect();
    Experiment::echo(url, 0, 1)
        .with("/sample_data", Value::Array(samples))
        .with("/pipeline_stages/0/model", json!("good-1"))
        .with("/pipeline_stages/0/prompt", json!("{{ sample.input }}"))
        .with("/parameter_space/temperature/values", json!(temperatures))
        .document
}

/// Waits until an experiment's runs have been scored again so many times.
async fn finished(server: &Server, id: &str, times: usize) {
    loop {
        let events = server.get(&format!("experiments/{id}/events?type=experiment.rescored&limit=500")).await;
        let over = events["items"].as_array().into_iter().flatten();
        if over.filter(|event| event["data"]["finished"] == true).count() >= times {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// User and system time of the server.
fn cpu(server: &Server) -> Result<Duration, Failed> {
    let id = server.process().id().ok_or("the server has ended")?;
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no process")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}

fn cpu_since(server: &Server, before: Duration) -> Result<Duration, Failed> {
    Ok(cpu(server)?.saturating_sub(before))
}
