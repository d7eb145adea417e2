//! Measures the cost of the engine against a bare HTTP loop on the same fake server, on SQLite and PostgreSQL.
//!
//! `cargo build --release --bins -p promptlooper -p promptlooper-tests && cargo bench -p promptlooper-tests`, with
//! `PROMPTLOOPER_TEST_POSTGRES`.

use std::fs;
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::Counts;
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

const RUNS: usize = 100;
const SAMPLES: usize = 100;
const CALLS: usize = RUNS * SAMPLES;
const IN_FLIGHT: usize = 64;
/// Runs of one sample, of which the median is printed.
const SINGLE_ROUNDS: usize = 9;

type Failed = Box<dyn std::error::Error>;

/// The time and resources that something took.
#[derive(Debug, Clone, Copy)]
struct Taken {
    wall: Duration,
    cpu: Duration,
    /// From the beginning of the sweep to its end. The rest is the start and end of the program.
    sweep: Duration,
}

impl Taken {
    fn cpu_per_call(self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / CALLS as f64
    }

    fn calls_per_second(self) -> f64 {
        CALLS as f64 / self.sweep.as_secs_f64()
    }

    fn start_and_end(self) -> Duration {
        self.wall.saturating_sub(self.sweep)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    // `cargo test --benches` passes an argument, and measures nothing.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let mut out = io::stdout();
    writeln!(out, "{CALLS} calls, 1 KB prompts, 300 B answers, 2 scorers, {IN_FLIGHT} in flight")?;
    for kind in Kind::ALL {
        writeln!(out, "\n{kind:?}")?;
        quick(&mut out, kind).await?;
        slow(&mut out, kind).await?;
        single(&mut out, kind).await?;
    }
    Ok(())
}

/// An endpoint that answers at once: measures the cost of a call.
async fn quick(out: &mut impl io::Write, kind: Kind) -> Result<(), Failed> {
    let fake = Fake::start(0)?;
    let bare = bare(&fake.url).await?;
    let home = Home::new(kind).await;
    let engine = engine(&home, &fake.url).await?;
    let (uncached, loop_cpu) = (engine.cpu_per_call(), bare.cpu_per_call());
    writeln!(out, "CPU per uncached call     {uncached:.3} ms, bare loop {loop_cpu:.3} ms")?;
    let (rate, loop_rate) = (engine.calls_per_second(), bare.calls_per_second());
    writeln!(out, "uncached calls a second   {rate:.0}, bare loop {loop_rate:.0}")?;
    let before = fake.counts().await?.calls;
    let cached = engine_again(&home).await?;
    let sent = fake.counts().await?.calls - before;
    let (cpu, rate) = (cached.cpu_per_call(), cached.calls_per_second());
    writeln!(out, "CPU per cached call       {cpu:.3} ms, {rate:.0} calls/s, {sent} requests sent")?;
    if kind == Kind::Sqlite {
        let bytes = disk_per_result(&home).await?;
        writeln!(out, "disk                      {bytes:.0} B a result beyond its texts")?;
    }
    Ok(())
}

/// A slow endpoint: measures what the engine adds to the wall time.
async fn slow(out: &mut impl io::Write, kind: Kind) -> Result<(), Failed> {
    let fake = Fake::start(50)?;
    let bare = bare(&fake.url).await?;
    let engine = engine(&Home::new(kind).await, &fake.url).await?;
    let (sweep, loop_wall) = (engine.sweep.as_secs_f64(), bare.wall.as_secs_f64());
    let (ratio, rest) = (sweep / loop_wall, engine.start_and_end().as_secs_f64());
    writeln!(
        out,
        "wall at 50 ms latency     {sweep:.2} s, bare loop {loop_wall:.2} s: {ratio:.3} ×; start and end {rest:.2} s"
    )?;
    Ok(())
}

/// A sweep of one sample whose answer is cached.
async fn single(out: &mut impl io::Write, kind: Kind) -> Result<(), Failed> {
    let (fake, home) = (Fake::start(0)?, Home::new(kind).await);
    Experiment::echo(&fake.url, 1, 1).write(&home);
    engine_again(&home).await?;
    let mut taken = Vec::new();
    for _ in 0..SINGLE_ROUNDS {
        taken.push(engine_again(&home).await?);
    }
    taken.sort_unstable_by_key(|taken| taken.wall);
    let Taken { wall, cpu, .. } = taken[SINGLE_ROUNDS / 2];
    let (wall, cpu) = (wall.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3);
    writeln!(out, "cached run of one sample  {wall:.0} ms, {cpu:.0} ms of them CPU")?;
    Ok(())
}

/// A fake server in its own process.
struct Fake {
    process: Child,
    url: String,
}

impl Fake {
    fn start(latency_ms: u64) -> Result<Self, Failed> {
        let path = program::path().with_file_name("fake_llm");
        let mut command = Command::new(path);
        command.args(["--latency-ms", &latency_ms.to_string()]).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut url = String::new();
        let printed = process.stdout.take().ok_or("a server without a voice")?;
        io::BufRead::read_line(&mut io::BufReader::new(printed), &mut url)?;
        Ok(Self { process, url: url.trim().to_owned() })
    }

    async fn counts(&self) -> Result<Counts, Failed> {
        let url = self.url.replace("/v1", "/_counts");
        Ok(serde_json::from_str(&reqwest::get(url).await?.text().await?)?)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // The process ends either way.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn input(sample: usize) -> String {
    let answer = format!("{sample:03}").repeat(100);
    format!("[[answer:{answer}]] {}", "lorem ipsum dolor ".repeat(39))
}

fn body(run: usize, sample: usize) -> Value {
    json!({
        "model": "good-1",
        "messages": [{"role": "user", "content": input(sample)}],
        "temperature": run as f64 / 1024.0,
        "max_tokens": 200,
    })
}

/// Sends the same requests and reads the answers, without anything else.
async fn bare(url: &str) -> Result<Taken, Failed> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{url}/chat/completions");
    let (begun, cpu) = (Instant::now(), cpu_of_self()?);
    let requests = (0..CALLS).map(|call| {
        let (client, url) = (client.clone(), url.clone());
        async move {
            let request = client.post(url).json(&body(call / SAMPLES, call % SAMPLES));
            request.send().await?.bytes().await.map(|bytes| bytes.len())
        }
    });
    let mut answers = stream::iter(requests).buffer_unordered(IN_FLIGHT);
    while let Some(answer) = answers.next().await {
        answer?;
    }
    let wall = begun.elapsed();
    Ok(Taken { wall, cpu: cpu_of_self()?.saturating_sub(cpu), sweep: wall })
}

async fn engine(home: &Home, url: &str) -> Result<Taken, Failed> {
    let samples: Vec<Value> =
        (0..SAMPLES).map(|sample| json!({"input": input(sample), "reference": "000"})).collect();
    Experiment::echo(url, 1, 1)
        .with("/endpoints/0/limits", json!({"concurrency": IN_FLIGHT}))
        .with("/sample_data", Value::Array(samples))
        .with("/pipeline_stages/0/model", json!("good-1"))
        .with("/pipeline_stages/0/prompt", json!("{{ sample.input }}"))
        .with("/pipeline_stages/0/parameters", json!({"max_tokens": 200}))
        .with(
            "/scoring_config",
            json!([{"scorer": "contains"}, {"scorer": "length", "options": {"max": 400}}]),
        )
        .with(
            "/parameter_space/temperature/values",
            (0..RUNS).map(|run| json!(run as f64 / 1024.0)).collect(),
        )
        .write(home);
    engine_again(home).await
}

async fn engine_again(home: &Home) -> Result<Taken, Failed> {
    let (begun, cpu) = (Instant::now(), cpu_of_children()?);
    let finished = program::run(home, &["run", "experiment.json", "--json"]).await;
    let (wall, cpu) = (begun.elapsed(), cpu_of_children()?.saturating_sub(cpu));
    if finished.code != Some(0) {
        return Err(finished.stderr.into());
    }
    let told = finished.json();
    let moment = |name: &str| told["sweep"][name].as_str().unwrap_or_default().parse::<DateTimeUtc>();
    let sweep = (moment("finished_at")? - moment("started_at")?).to_std()?;
    Ok(Taken { wall, cpu, sweep })
}

/// Bytes of the database for each result, without the texts of requests and answers.
async fn disk_per_result(home: &Home) -> Result<f64, Failed> {
    let connection = home.connection().await;
    let sql = "SELECT COALESCE(SUM(LENGTH(CAST(request AS BLOB)) + LENGTH(CAST(response AS BLOB))), 0) AS texts, \
               (SELECT count(*) FROM stage_result) AS results FROM answer";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?.ok_or("no answers")?;
    let (texts, results): (i64, i64) = (row.try_get("", "texts")?, row.try_get("", "results")?);
    let size = fs::metadata(home.data().join("promptlooper.db"))?.len();
    Ok((size as f64 - texts as f64) / results as f64)
}

fn cpu_of_self() -> Result<Duration, Failed> {
    cpu(13)
}

/// The processor time of child processes that have ended.
fn cpu_of_children() -> Result<Duration, Failed> {
    cpu(15)
}

/// User and system time, from a field of `/proc/self/stat`. Linux counts it in hundredths of a second.
fn cpu(field: usize) -> Result<Duration, Failed> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no process")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = fields[field - 2].parse::<u64>()? + fields[field - 1].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}
