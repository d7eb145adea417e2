//! Measures the server: its start, its memory, the delay between a commit and its listeners, and pages over many
//! runs.
//!
//! `cargo build --release --bins -p promptlooper && cargo bench -p promptlooper-tests --bench server`, with
//! `PROMPTLOOPER_TEST_POSTGRES` for the events, which another process commits.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::listeners::{Load, listen};
use promptlooper_tests::support::page_load;
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;

type Failed = Box<dyn std::error::Error>;

/// Starts, of which the median is printed.
const STARTS: usize = 9;
/// How long a server is idle before its memory is measured.
const IDLE_BEFORE_MEASURE: Duration = Duration::from_secs(3);
/// Runs of the experiment whose pages are requested, and how often each page is requested.
const RUNS: usize = 100_000;
const PAGE_ROUNDS: usize = 100;
const LOAD: Load = Load { listeners: 100, rate: 1_000, events: 20_000 };

#[tokio::main]
async fn main() -> Result<(), Failed> {
    // `cargo test --benches` passes an argument, and measures nothing.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let mut out = io::stdout();
    if std::env::args().any(|argument| argument == "pages") {
        for kind in Kind::ALL {
            pages(&mut out, kind).await?;
        }
        return Ok(());
    }
    let home = Home::new(Kind::Sqlite).await;
    let first = start(&home).await?;
    let mut later = Vec::new();
    for _ in 0..STARTS {
        later.push(start(&home).await?);
    }
    later.sort_unstable();
    writeln!(
        out,
        "start to first answer     {:.0} ms with a new database, {:.0} ms with one that is there",
        milliseconds(first),
        milliseconds(later[STARTS / 2])
    )?;
    let idle = Server::start(&home).await;
    tokio::time::sleep(IDLE_BEFORE_MEASURE).await;
    writeln!(out, "memory idle               {} MiB", memory(&idle)?)?;
    drop(idle);

    let home = Home::new(Kind::Postgres).await;
    let server = Server::start(&home).await;
    let heard = listen(&server, &home.stores().await, LOAD).await;
    let all: Vec<u64> = (0..LOAD.events).collect();
    let whole = heard.numbers.iter().filter(|numbers| **numbers == all).count();
    writeln!(
        out,
        "{} sockets, {}/s        {whole} heard each of {} events once and in order",
        LOAD.listeners, LOAD.rate, LOAD.events
    )?;
    writeln!(
        out,
        "commit to frame           p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
        milliseconds(heard.percentile(50)),
        milliseconds(heard.percentile(99)),
        milliseconds(heard.percentile(100))
    )?;
    writeln!(out, "memory with them          {} MiB", memory(&server)?)?;
    drop(server);
    for kind in Kind::ALL {
        pages(&mut out, kind).await?;
    }
    Ok(())
}

/// Measures pages over many runs while a sweep writes.
async fn pages(out: &mut impl io::Write, kind: Kind) -> Result<(), Failed> {
    let load = page_load::measure(&Home::new(kind).await, RUNS, PAGE_ROUNDS).await;
    writeln!(out, "\n{RUNS} runs on {kind:?}, {} more ended meanwhile", load.ended)?;
    let worst = load.pages.iter().map(|page| page.percentile(99)).max().unwrap_or_default();
    for page in &load.pages {
        let [median, late] = [50, 99].map(|percent| milliseconds(page.percentile(percent)));
        writeln!(out, "  p50 {median:>6.1} ms, p99 {late:>6.1} ms   {}", page.name)?;
    }
    writeln!(out, "slowest page              p99 {:.1} ms", milliseconds(worst))?;
    writeln!(out, "memory                    {} MiB", load.memory / 1024)?;
    Ok(())
}

/// Starts a server and sends a request. Returns how long that took.
async fn start(home: &Home) -> Result<Duration, Failed> {
    let begun = Instant::now();
    let server = Server::start(home).await;
    server.get("/health").await;
    let took = begun.elapsed();
    if server.stop().await == Some(0) { Ok(took) } else { Err("the server did not stop in order".into()) }
}

fn memory(server: &Server) -> Result<u64, Failed> {
    Ok(program::memory(server.process()).ok_or("the server is gone")? / 1024)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
