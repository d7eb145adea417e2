//! How long the server's pages take while it executes a sweep.

use std::time::{Duration, Instant};

use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

use super::fake_llm::{FakeLlm, Options};
use super::home::Home;
use super::many_runs::{self, ENDPOINT, EXPERIMENT, run_id};
use super::program;
use super::server::Server;

/// The queries of the measured lists.
const LISTS: [&str; 17] = [
    "?limit=50",
    "?limit=50&sort=-created_at",
    "?limit=50&sort=-score",
    "?limit=50&sort=score",
    "?limit=50&sort=-scores.exact_match",
    "?limit=50&sort=scores.short",
    "?limit=50&sort=cost_estimate",
    "?limit=50&sort=-latency_ms",
    "?limit=50&sort=values.temperature",
    "?limit=50&sort=-values.tone",
    "?limit=50&status=failed",
    "?limit=50&status=completed",
    "?limit=50&values.tone=friendly",
    "?limit=50&sort=-score&values.tone=friendly",
    "?limit=50&sort=-score&values.tone=neutral",
    "?limit=50&sort=-scores.exact_match&status=failed",
    "?limit=50&sort=cost_estimate&values.top_p=0.5&values.tone=formal",
];
/// The number of pages of 500 rows before a deep page.
const DEEP: usize = 60;
/// The latency of the model server.
const LATENCY: Duration = Duration::from_millis(20);

/// How long one page took, over all requests.
#[derive(Debug, Clone)]
pub struct PageTimes {
    /// The name of the page.
    pub name: String,
    path: String,
    times: Vec<Duration>,
}

impl PageTimes {
    /// The time that this percentage of the answers did not exceed.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[(times.len() * percent / 100).min(times.len() - 1)]
    }
}

/// The results of the measurement.
#[derive(Debug)]
pub struct PageLoad {
    /// Each page.
    pub pages: Vec<PageTimes>,
    /// Runs that ended during the measurement.
    pub ended: u64,
    /// The server's resident memory, in KiB.
    pub memory: u64,
}

/// Requests every page this many times while a sweep writes to the same experiment.
///
/// # Panics
/// Where a page is refused.
pub async fn measure(home: &Home, runs: usize, times: usize) -> PageLoad {
    many_runs::make(home, runs).await;
    let fake = FakeLlm::start(Options { port: 0, latency: LATENCY }).await.expect("a model server");
    let server = Server::start(home).await;
    let endpoint =
        json!({"label": ENDPOINT, "kind": "openai", "url": fake.url(), "limits": {"concurrency": 8}});
    server.post("endpoints", endpoint).await;
    let experiment = Uuid::from_u128(EXPERIMENT).to_string();
    let mut pages = pages(&server, &experiment, runs).await;
    let sweep = json!({"kind": "random", "max_runs": 1_000_000});
    let sweep = server.post(&format!("experiments/{experiment}/sweep"), sweep).await;
    let sweep = sweep["id"].as_str().expect("an id").to_owned();
    pages.push(page("sweep", format!("sweeps/{sweep}")));
    tokio::time::sleep(Duration::from_secs(3)).await;
    for _ in 0..times {
        for page in &mut pages {
            let begun = Instant::now();
            server.get(&page.path).await;
            page.times.push(begun.elapsed());
        }
    }
    let progress = server.get(&format!("sweeps/{sweep}")).await;
    let ended = progress["progress"]["completed"].as_u64().unwrap_or_default();
    let memory = program::memory(server.process()).expect("a server");
    PageLoad { pages, ended, memory }
}

fn page(name: impl Into<String>, path: String) -> PageTimes {
    PageTimes { name: name.into(), path, times: Vec::new() }
}

/// The first page and a deep page of every list, and the pages of single items.
async fn pages(server: &Server, experiment: &str, runs: usize) -> Vec<PageTimes> {
    let run = Uuid::from_u128(run_id(runs / 2)).to_string();
    let mut pages = vec![
        page("experiment", format!("experiments/{experiment}")),
        page("sweeps", format!("experiments/{experiment}/sweeps")),
        page("events", format!("experiments/{experiment}/events?since={}", runs / 2)),
        page("events of a type", format!("experiments/{experiment}/events?type=run.completed&limit=50")),
        page("run", format!("runs/{run}")),
        page("run samples", format!("runs/{run}/samples")),
    ];
    for list in ["runs", "leaderboard"] {
        for query in LISTS {
            let path = format!("experiments/{experiment}/{list}{query}");
            if let Some(cursor) = deep(server, &path).await {
                pages.push(page(format!("{list} {query} deep"), format!("{path}&cursor={cursor}")));
            }
            pages.push(page(format!("{list} {query}"), path));
        }
    }
    pages
}

/// The cursor of a page far down a list.
async fn deep(server: &Server, path: &str) -> Option<String> {
    let mut cursor: Option<String> = None;
    for _ in 0..DEEP {
        let behind = cursor.as_ref().map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page: Value = server.get(&format!("{path}{behind}").replace("limit=50", "limit=500")).await;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    cursor
}
