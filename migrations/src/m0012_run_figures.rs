//! What lists of runs are sorted and filtered by, in tables that a page is read from in order: the figures of runs that came
//! to an end, and the values that runs were made with.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::prelude::{Json, Uuid};
use sea_orm_migration::sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use crate::ddl::{WHOLE_OR_NOT_AT_ALL, drop_tables, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &[
    "CREATE TABLE run_metric ( \
     run_id uuid NOT NULL REFERENCES run (id) ON DELETE CASCADE, \
     name text NOT NULL, \
     experiment_id uuid NOT NULL, \
     value double precision NOT NULL, \
     PRIMARY KEY (run_id, name)) /* clustered */",
    // Texts that sort by their bytes: see `value_key`.
    "CREATE TABLE run_value ( \
     run_id uuid NOT NULL REFERENCES run (id) ON DELETE CASCADE, \
     name text NOT NULL, \
     experiment_id uuid NOT NULL, \
     value text COLLATE \"C\" NOT NULL, \
     PRIMARY KEY (run_id, name)) /* clustered */",
];

const INDEXES: &[&str] = &[
    "CREATE INDEX run_metric_order ON run_metric (experiment_id, name, value, run_id)",
    "CREATE INDEX run_value_order ON run_value (experiment_id, name, value, run_id)",
];

const RUNS: &str = "SELECT r.id, r.experiment_id, r.config, r.scores, r.score, r.cost_nano, r.latency_ms, \
     r.done * e.repeats AS asked, r.rank_class FROM run r JOIN experiment e ON e.id = r.experiment_id \
     WHERE r.id > $1 ORDER BY r.id LIMIT 500";

/// Rows of one statement.
const CHUNK: usize = 100;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE_OR_NOT_AT_ALL
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, TABLES).await?;
        let mut after = Uuid::nil();
        loop {
            let rows = query(manager, RUNS, vec![after.into()]).await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get("", "id")?;
            carry_over(manager, &rows).await?;
        }
        run(manager, INDEXES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["run_value", "run_metric"]).await
    }
}

async fn query(
    manager: &SchemaManager<'_>,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(manager.get_database_backend(), sql, values);
    manager.get_connection().query_all_raw(statement).await
}

/// One row of either table.
struct Entry {
    run: Uuid,
    name: String,
    experiment: Uuid,
    value: Value,
}

async fn carry_over(manager: &SchemaManager<'_>, rows: &[QueryResult]) -> Result<(), DbErr> {
    let (mut metrics, mut values) = (Vec::new(), Vec::new());
    for row in rows {
        metrics.extend(metrics_of(row)?);
        values.extend(values_of(row)?);
    }
    insert(manager, "run_metric", metrics).await?;
    insert(manager, "run_value", values).await
}

async fn insert(manager: &SchemaManager<'_>, table: &str, entries: Vec<Entry>) -> Result<(), DbErr> {
    let mut left = entries.into_iter().peekable();
    while left.peek().is_some() {
        let mut values: Vec<Value> = Vec::new();
        for Entry { run, name, experiment, value } in left.by_ref().take(CHUNK) {
            values.extend([run.into(), name.into(), experiment.into(), value]);
        }
        let places = (0..values.len() / 4).map(|row| {
            let place = |column| format!("${}", row * 4 + column);
            format!("({},{},{},{})", place(1), place(2), place(3), place(4))
        });
        let places = places.collect::<Vec<_>>().join(",");
        let sql = format!("INSERT INTO {table} (run_id, name, experiment_id, value) VALUES {places}");
        let statement = Statement::from_sql_and_values(manager.get_database_backend(), sql, values);
        manager.get_connection().execute_raw(statement).await?;
    }
    Ok(())
}

/// The figures of a run that can be ranked.
fn metrics_of(row: &QueryResult) -> Result<Vec<Entry>, DbErr> {
    if row.try_get::<Option<i64>>("", "rank_class")?.is_none() {
        return Ok(Vec::new());
    }
    let cost = row.try_get::<Option<i64>>("", "cost_nano")?.map(|nanos| nanos as f64 / 1e9);
    let latency = row.try_get::<i64>("", "latency_ms")? as f64;
    let asked = row.try_get::<i64>("", "asked")? as f64;
    let each = |total: f64| Some(total / asked).filter(|_| asked > 0.0);
    let figures = [
        ("score", row.try_get("", "score")?),
        ("cost_estimate", cost),
        ("latency_ms", Some(latency)),
        ("cost_per_sample", cost.and_then(each)),
        ("latency_per_sample", each(latency)),
    ];
    let mut entries = Vec::new();
    for (name, figure) in figures {
        entries.extend(figure.map(|value| entry(row, name.to_owned(), value.into())).transpose()?);
    }
    let scores = row.try_get::<Option<Json>>("", "scores")?.unwrap_or_default();
    for total in scores.as_array().into_iter().flatten() {
        if let (Some(name), Some(value)) = (total["name"].as_str(), total["value"].as_f64()) {
            entries.push(entry(row, format!("scores.{name}"), value.into())?);
        }
    }
    Ok(entries)
}

fn values_of(row: &QueryResult) -> Result<Vec<Entry>, DbErr> {
    let config: Json = row.try_get("", "config")?;
    let values = config["doc"]["values"].as_object();
    values
        .into_iter()
        .flatten()
        .map(|(name, value)| entry(row, name.clone(), value_key(value).into()))
        .collect()
}

fn entry(row: &QueryResult, name: String, value: Value) -> Result<Entry, DbErr> {
    Ok(Entry { run: row.try_get("", "id")?, experiment: row.try_get("", "experiment_id")?, name, value })
}

/// A text that is the same for equal values, and sorts as they do: numbers by size, then texts, then what is neither.
fn value_key(value: &Json) -> String {
    match value {
        Json::Number(number) => number_key(number.as_f64().unwrap_or_default()),
        Json::String(text) => shortened(&format!("t{text}")),
        other => shortened(&format!("z{other}")),
    }
}

fn number_key(number: f64) -> String {
    let bits = (number + 0.0).to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    format!("n{ordered:016x}")
}

/// Long texts are told apart by a hash (FNV-1a) behind their beginning.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 64;
    const KEPT: usize = 40;
    let text = text.replace('\0', "\u{fffd}");
    if text.len() <= LONGEST {
        return text;
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept = (0..=KEPT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…{hash:016x}", &text[..kept])
}
