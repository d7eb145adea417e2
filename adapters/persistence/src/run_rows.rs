//! Reads and writes parts of runs as rows hold them.

use application::ports::RunConfig;
use domain::call::{FlagCounts, Flags};
use domain::run::{ErrorKind, RunError, RunState, RunStatus, ScorerTotal, StageError};
use domain::value::{Map, Value};
use sea_orm::DbErr;
use wire::stored::{self, RunConfigDocument};

use crate::dialect::{Dialect, corrupt};
use crate::rows::Row;

pub(crate) fn vector(bytes: &[u8]) -> impl Iterator<Item = f64> {
    bytes.chunks_exact(8).map(|chunk| chunk.try_into().map_or(f64::NAN, f64::from_le_bytes))
}

pub(crate) fn config(row: Row<'_>) -> Result<RunConfig, DbErr> {
    let document: RunConfigDocument = stored::read(&row.raw_json("config")?).map_err(corrupt)?;
    RunConfig::try_from(document).map_err(corrupt)
}

pub(crate) fn state(row: Row<'_>, dialect: Dialect) -> Result<RunState, DbErr> {
    let word = row.text("status")?;
    let status = RunStatus::parse(&word).ok_or_else(|| corrupt(format!("run status {word}")))?;
    let ended_at = dialect.read_time(row.0, "completed_at")?;
    let not_before = dialect.read_time(row.0, "not_before")?;
    let error = row.maybe_json("error")?.as_ref().map(run_error);
    RunState::of(status, ended_at, not_before, error)
        .ok_or_else(|| corrupt(format!("a run that is {word} has no time of its end")))
}

/// Each scorer's totals of a run.
pub(crate) fn totals_of(row: Row<'_>) -> Result<Vec<ScorerTotal>, DbErr> {
    let totals = row.maybe_json("scores")?;
    Ok(totals.as_ref().and_then(Value::as_list).into_iter().flatten().filter_map(scorer).collect())
}

pub(crate) fn scorer(value: &Value) -> Option<ScorerTotal> {
    let fields = value.as_map()?;
    let real = |name: &str| fields.get(name).and_then(Value::as_number).map(domain::value::Number::as_f64);
    Some(ScorerTotal {
        name: fields.get("name")?.as_text()?.to_owned(),
        value: real("value"),
        interval: real("ci_low").zip(real("ci_high")),
        n: small(fields, "n").unwrap_or_default(),
        failed: small(fields, "failed").unwrap_or_default(),
    })
}

pub(crate) fn small(fields: &Map, name: &str) -> Option<u32> {
    u32::try_from(fields.get(name)?.as_number()?.as_u64()?).ok()
}

/// The JSON of a run's error.
pub(crate) fn error_value(error: &RunError) -> Value {
    let mut fields = Map::from([
        ("kind".to_owned(), Value::from(error.kind.as_str())),
        ("message".to_owned(), Value::from(error.message.replace('\0', "\u{fffd}"))),
    ]);
    if let Some(stage) = &error.stage {
        fields.insert("stage".to_owned(), Value::from(stage.as_str()));
    }
    if let Some(sample) = error.sample {
        fields.insert("sample_index".to_owned(), Value::from(sample));
    }
    Value::Map(fields)
}

pub(crate) fn run_error(value: &Value) -> RunError {
    let empty = Map::new();
    let fields = value.as_map().unwrap_or(&empty);
    let text = |name: &str| fields.get(name).and_then(Value::as_text).map(str::to_owned);
    RunError {
        kind: ErrorKind::of_word(&text("kind").unwrap_or_default()),
        message: text("message").unwrap_or_default(),
        stage: text("stage"),
        sample: small(fields, "sample_index"),
    }
}

pub(crate) fn stage_error(value: &Value) -> StageError {
    let RunError { kind, message, .. } = run_error(value);
    StageError { kind, message }
}

/// How many answers of a run have each flag.
pub(crate) fn flag_counts(row: Row<'_>) -> Result<FlagCounts, DbErr> {
    let mut counts = [0; Flags::COUNT];
    for (count, (name, _)) in counts.iter_mut().zip(Flags::default().named()) {
        *count = row.count(name)?;
    }
    Ok(FlagCounts::new(counts))
}
