//! A database with many finished runs, created by writing its tables instead of executing runs.

use migrations::{Migrator, MigratorTrait as _};
use sea_orm::prelude::Uuid;
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, Statement, TransactionTrait as _,
    Value,
};
use serde_json::json;

use super::home::Home;

/// The experiment of all runs.
pub const EXPERIMENT: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0001;

/// The sweep of all runs.
const SWEEP: u128 = 0x0190_0000_0003_7000_8000_0000_0000_0000;
/// The endpoint of its stage.
pub const ENDPOINT: &str = "fake";
/// Its number of samples.
const SAMPLES: usize = 20;
/// The last migration before sort keys of lists are stored. The next one computes them.
const BEFORE_FIGURES: u32 = 11;
/// Runs inserted by one statement.
const CHUNK: usize = 400;

const TOP_P: [f64; 4] = [0.5, 0.8, 0.9, 1.0];
const TONES: [&str; 4] = ["neutral", "friendly", "short", "formal"];

/// Columns of a run.
const RUN: &str = "INSERT INTO run (id, experiment_id, config_hash, config, status, asked, done, blocks, score, \
     ci_low, ci_high, n, rank_class, rank_score, listed, scores, cost_nano, paid_nano, latency_ms, tokens_in, \
     tokens_out)";

/// The id of a run by its number.
#[must_use]
pub const fn run_id(number: usize) -> u128 {
    0x0190_0000_0001_7000_8000_0000_0000_0000 + number as u128
}

/// Creates a database with an experiment and this many runs, as the program would have left it.
///
/// # Panics
/// Where the database does not take them.
pub async fn make(home: &Home, runs: usize) {
    let connection = connect(home).await;
    Migrator::up(&connection, Some(BEFORE_FIGURES)).await.expect("a schema");
    let transaction = connection.begin().await.expect("a transaction");
    make_experiment(&transaction).await;
    for first in (0..runs).step_by(CHUNK) {
        let numbers = first..runs.min(first + CHUNK);
        insert(&transaction, RUN, numbers.clone().map(run_row)).await;
        let blocks = "INSERT INTO block (run_id, no, outcome_seq, upto, scores)";
        insert(&transaction, blocks, numbers.clone().map(block_row)).await;
        let events = "INSERT INTO event (seq, experiment_id, type, payload)";
        insert(&transaction, events, numbers.map(event_row)).await;
    }
    execute(&transaction, "UPDATE event_clock SET last = $1", vec![whole(runs)]).await;
    let times = "UPDATE run SET started_at = created_at, completed_at = created_at";
    execute(&transaction, times, vec![]).await;
    make_sweep(&transaction, runs).await;
    transaction.commit().await.expect("a commit");
    make_results(&connection).await;
    Migrator::up(&connection, None).await.expect("a schema");
    if home.url().is_some() {
        connection.execute_unprepared("VACUUM ANALYZE").await.expect("statistics");
    }
    connection.close().await.expect("an end");
}

async fn connect(home: &Home) -> DatabaseConnection {
    let url = match home.url() {
        Some(url) => url.to_owned(),
        None => {
            std::fs::create_dir_all(home.data()).expect("a folder");
            format!("sqlite://{}?mode=rwc", home.data().join("promptlooper.db").display())
        }
    };
    Database::connect(url).await.expect("a database")
}

async fn execute<C: ConnectionTrait>(connection: &C, sql: &str, values: Vec<Value>) {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await.expect("a statement");
}

async fn insert(transaction: &DatabaseTransaction, into: &str, rows: impl Iterator<Item = Vec<Value>>) {
    let rows: Vec<Vec<Value>> = rows.collect();
    let columns = rows.first().map_or(0, Vec::len);
    let row = |row: usize| {
        let places: Vec<String> =
            (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(","))
    };
    let places: Vec<String> = (0..rows.len()).map(row).collect();
    let sql = format!("{into} VALUES {}", places.join(","));
    execute(transaction, &sql, rows.into_iter().flatten().collect()).await;
}

fn whole(number: usize) -> Value {
    i64::try_from(number).expect("a number").into()
}

fn id(bits: u128) -> Value {
    Uuid::from_u128(bits).into()
}

fn document(doc: &serde_json::Value) -> Value {
    json!({"v": 1, "doc": doc}).into()
}

async fn make_experiment(transaction: &DatabaseTransaction) {
    execute(transaction, "INSERT INTO project (id, name) VALUES ($1, 'many')", vec![id(EXPERIMENT)]).await;
    let set = "INSERT INTO sample_set (id, digest, count) VALUES ($1, $2, $3)";
    execute(transaction, set, vec![id(EXPERIMENT), "0".repeat(64).into(), whole(SAMPLES)]).await;
    let sample = |number: usize| {
        let doc = json!({"input": format!("word-{number}"), "reference": format!("word-{number}")});
        vec![id(EXPERIMENT), whole(number), doc.into()]
    };
    insert(transaction, "INSERT INTO sample (set_id, idx, doc)", (0..SAMPLES).map(sample)).await;
    let experiment = "INSERT INTO experiment (id, project_id, sample_set_id, name, documents, pipeline_stages, \
         scoring_config, parameter_space, repeats, holdout, status) \
         VALUES ($1, $1, $1, 'many', $2, $3, $4, $5, 1, 0.0, 'draft')";
    let stage = json!({
        "name": "say", "kind": "llm", "endpoint": ENDPOINT, "model": "echo-1",
        "prompt": "{{ params.tone }}: say {{ sample.input }}", "parameters": {"max_tokens": 16},
    });
    let scorers = json!([
        {"scorer": "exact_match"},
        {"scorer": "length", "name": "short", "options": {"unit": "words", "max": 1}},
    ]);
    let space = json!({
        "temperature": {"target": "say.temperature", "type": "float", "low": 0.0, "high": 1.0, "step": 0.000_01},
        "top_p": {"target": "say.top_p", "type": "choice", "values": TOP_P},
        "tone": {"type": "choice", "values": TONES},
    });
    let documents = [json!([]), json!([stage]), scorers, space];
    let values = std::iter::once(id(EXPERIMENT)).chain(documents.iter().map(document));
    execute(transaction, experiment, values.collect()).await;
}

/// An ended sweep, to which all runs belong.
async fn make_sweep(transaction: &DatabaseTransaction, runs: usize) {
    let sweep = "INSERT INTO sweep (id, experiment_id, kind, strategy, seed, max_runs, parameter_space, status, \
         finish_reason, version, asked, duplicates, epoch) SELECT $1, id, 'random', $2, 7, $3, parameter_space, \
         'completed', 'max_runs', 1, $3, 0, 0 FROM experiment";
    let values = vec![id(SWEEP), json!({}).into(), whole(runs)];
    execute(transaction, sweep, values).await;
    execute(transaction, "UPDATE run SET sweep_id = $1", vec![id(SWEEP)]).await;
    let totals = "INSERT INTO sweep_total (sweep_id, completed, failed) \
         SELECT $1, SUM(CASE WHEN status = 'failed' THEN 0 ELSE 1 END), \
         SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) FROM run";
    execute(transaction, totals, vec![id(SWEEP)]).await;
}

/// A pseudo-random number from 0 to below 1.
fn dice(number: usize, face: u64) -> f64 {
    let mut bits = (number as u64 ^ (face << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// One run in a hundred failed. The score depends mostly on the tone.
fn run_row(number: usize) -> Vec<Value> {
    let tone = number % 4;
    let failed = number % 100 == 99;
    let score = (0.25 * tone as f64 + 0.25 * (dice(number, 1) * 20.0).floor() / 20.0).min(1.0);
    let total = |name: &str, value: f64| json!({"name": name, "value": value, "ci_low": value / 2.0, "ci_high": value, "n": SAMPLES, "failed": 0});
    let scores = json!([total("exact_match", score), total("short", dice(number, 2))]);
    let config = json!({
        "values": {
            "temperature": (dice(number, 3) * 1e5).floor() / 1e5,
            "top_p": TOP_P[number / 4 % 4],
            "tone": TONES[tone],
        },
        "targets": {"temperature": "say.temperature", "top_p": "say.top_p"},
        "stages": [{
            "endpoint": Uuid::from_u128(EXPERIMENT).to_string(),
            "kind": "openai", "url": "http://127.0.0.1:1/v1", "model": "echo-1",
        }],
    });
    let score = (!failed).then_some(score);
    vec![
        id(run_id(number)),
        id(EXPERIMENT),
        format!("{number:064x}").into(),
        document(&config),
        if failed { "failed" } else { "completed" }.into(),
        whole(SAMPLES),
        whole(SAMPLES),
        whole(1),
        score.into(),
        score.map(|score| score / 2.0).into(),
        score.into(),
        whole(SAMPLES),
        (!failed).then_some(2_i64).into(),
        score.into(),
        whole(usize::from(!failed)),
        scores.into(),
        whole(number * 7_919_000 % 1_000_003),
        whole(0),
        whole(number * 104_729 % 9_973),
        whole(400),
        whole(40),
    ]
}

fn block_row(number: usize) -> Vec<Value> {
    let score = |sample: usize| dice(number * SAMPLES + sample, 6).to_le_bytes();
    let scores: Vec<u8> = (0..SAMPLES).flat_map(score).collect();
    vec![id(run_id(number)), whole(0), whole(0), whole(SAMPLES), scores.into()]
}

fn event_row(number: usize) -> Vec<Value> {
    let data = json!({"run_id": Uuid::from_u128(run_id(number)).to_string(), "status": "completed"});
    vec![whole(number + 1), id(EXPERIMENT), "run.completed".into(), data.into()]
}

/// Ten results for each run, which share a thousand answers.
async fn make_results(connection: &DatabaseConnection) {
    let series = "WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < 9)";
    let answers = "INSERT INTO answer (id, endpoint_id, request, response, model, parameters, tokens_in, tokens_out, \
         latency_us, flags, paid_run, paid_sample, paid_repeat, paid_stage) \
         SELECT 1 + a.n + 10 * b.n + 100 * c.n, $1, $2, 'word', 'echo-1', $3, 20, 2, 50000, 0, $1, 0, 1, 0 \
         FROM series a, series b, series c";
    let request = "[{\"role\":\"user\",\"content\":\"say word\"}]";
    let values = vec![id(EXPERIMENT), request.into(), json!({}).into()];
    execute(connection, &series_first(answers, series), values).await;
    let results = "INSERT INTO stage_result (run_id, sample_index, repeat, stage_index, answer_id, paid) \
         SELECT r.id, s.n, 1, 0, 1 + s.n * 100 + r.latency_ms % 100, 1 FROM run r, series s";
    execute(connection, &series_first(results, series), vec![]).await;
}

/// Puts a `WITH` clause before the `SELECT` of an `INSERT`.
fn series_first(insert: &str, series: &str) -> String {
    insert.replacen("SELECT", &format!("{series} SELECT"), 1)
}
