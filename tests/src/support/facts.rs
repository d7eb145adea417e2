//! The contents of a database once everything has ended.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};

use super::home::Home;

/// The results of one run, by its configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// Its status.
    pub status: String,
    /// Samples requested, done and failed; samples with a score.
    pub samples: [i64; 4],
    /// Tokens in and out, tokens paid for in and out, calls paid for, and cache hits.
    pub usage: [i64; 6],
    /// Its score and interval, as exact bits.
    pub score: Option<[u64; 3]>,
    /// Each scorer's totals, as stored.
    pub scores: String,
}

/// The contents of a whole database.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Runs by config hash.
    pub runs: BTreeMap<String, RunFacts>,
    /// The sweep's status.
    pub sweep: String,
    /// The sweep's counters: completed, failed, cached, running, samples, tokens in, tokens out, calls, pruned.
    pub totals: [i64; 9],
    /// Stored answers, and their tokens.
    pub answers: [i64; 3],
    /// Rows of stage results and of scores.
    pub rows: [i64; 2],
    /// The number of events of each type.
    pub events: BTreeMap<String, usize>,
}

impl Facts {
    /// Reads them, and checks what must be true of any database.
    ///
    /// # Panics
    /// Where something was lost or doubled.
    pub async fn read(home: &Home) -> Self {
        let connection = home.connection().await;
        let facts = Self {
            runs: runs(&connection).await,
            sweep: text(&all(&connection, "SELECT status FROM sweep ORDER BY id DESC LIMIT 1").await[0], "status"),
            totals: totals(&connection).await,
            answers: numbers(
                &connection,
                "SELECT count(*) AS a, COALESCE(SUM(tokens_in), 0) AS b, COALESCE(SUM(tokens_out), 0) AS c FROM answer",
                ["a", "b", "c"],
            )
            .await,
            rows: numbers(
                &connection,
                "SELECT (SELECT count(*) FROM stage_result) AS a, (SELECT count(*) FROM score) AS b",
                ["a", "b"],
            )
            .await,
            events: events(&connection).await,
        };
        facts.check();
        facts
    }

    /// Checks that every counter equals what it counts, and that nothing is left open.
    fn check(&self) {
        let sum = |of: fn(&RunFacts) -> i64| self.runs.values().map(of).sum::<i64>();
        assert_eq!(sum(|run| run.usage[2]), self.totals[5], "tokens read: runs against the sweep");
        assert_eq!(sum(|run| run.usage[3]), self.totals[6], "tokens written: runs against the sweep");
        assert_eq!(sum(|run| run.usage[4]), self.totals[7], "calls: runs against the sweep");
        assert_eq!(sum(|run| run.samples[1]), self.totals[4], "samples: runs against the sweep");
        assert_eq!(
            self.answers,
            [self.totals[7], self.totals[5], self.totals[6]],
            "answers against the sweep"
        );
        assert_eq!(self.totals[3], 0, "runs that are still counted as running");
        let ended = ["run.completed", "run.failed", "run.pruned"]
            .iter()
            .filter_map(|kind| self.events.get(*kind))
            .sum::<usize>();
        assert_eq!(ended, self.runs.len(), "runs that ended against runs");
        assert_eq!(self.events.get("run.started"), Some(&self.runs.len()), "runs that began against runs");
    }
}

async fn all(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn number(row: &QueryResult, column: &str) -> i64 {
    row.try_get::<Option<i64>>("", column).unwrap_or_else(|error| panic!("{column}: {error}")).unwrap_or(0)
}

fn text(row: &QueryResult, column: &str) -> String {
    row.try_get("", column).unwrap_or_else(|error| panic!("{column}: {error}"))
}

async fn numbers<const N: usize>(connection: &DatabaseConnection, sql: &str, columns: [&str; N]) -> [i64; N] {
    let rows =
        all(connection, &sql.replace("count(*)", "CAST(count(*) AS bigint)").replace("SUM(", "SUM(1 * "))
            .await;
    columns.map(|column| {
        let row = &rows[0];
        row.try_get::<i64>("", column)
            .or_else(|_| {
                let exact = row.try_get::<sea_orm::prelude::Decimal>("", column);
                exact.map(|exact| i64::try_from(exact).expect("a whole number"))
            })
            .unwrap_or_else(|error| panic!("{column}: {error}"))
    })
}

async fn totals(connection: &DatabaseConnection) -> [i64; 9] {
    let columns =
        ["completed", "failed", "cached", "running", "samples", "tokens_in", "tokens_out", "calls", "pruned"];
    let rows = all(connection, "SELECT * FROM sweep_total ORDER BY sweep_id DESC LIMIT 1").await;
    columns.map(|column| number(&rows[0], column))
}

async fn runs(connection: &DatabaseConnection) -> BTreeMap<String, RunFacts> {
    let sql = "SELECT r.* FROM run r WHERE sweep_id = (SELECT id FROM sweep ORDER BY id DESC LIMIT 1)";
    let rows = all(connection, sql).await;
    rows.iter().map(|row| (text(row, "config_hash"), run(row))).collect()
}

fn run(row: &QueryResult) -> RunFacts {
    let bits = |column: &str| row.try_get::<Option<f64>>("", column).expect(column).map(f64::to_bits);
    RunFacts {
        status: text(row, "status"),
        samples: ["asked", "done", "failures", "n"].map(|column| number(row, column)),
        usage: ["tokens_in", "tokens_out", "paid_in", "paid_out", "calls", "hits"]
            .map(|column| number(row, column)),
        score: bits("score")
            .zip(bits("ci_low"))
            .zip(bits("ci_high"))
            .map(|((score, low), high)| [score, low, high]),
        scores: row
            .try_get::<Option<serde_json::Value>>("", "scores")
            .expect("scores")
            .map_or_else(String::new, |s| s.to_string()),
    }
}

/// Counts events by type, and checks that their numbers have neither gaps nor duplicates.
async fn events(connection: &DatabaseConnection) -> BTreeMap<String, usize> {
    let rows = all(connection, "SELECT seq, type FROM event ORDER BY seq").await;
    let seqs: BTreeSet<i64> = rows.iter().map(|row| number(row, "seq")).collect();
    let last = seqs.last().copied().unwrap_or(0);
    assert!(
        seqs.iter().copied().eq(1..=last) && seqs.len() == rows.len(),
        "event numbers have gaps: {seqs:?}"
    );
    let mut counts = BTreeMap::new();
    for row in &rows {
        *counts.entry(text(row, "type")).or_insert(0) += 1;
    }
    counts
}
