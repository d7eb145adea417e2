//! Writes what an experiment came to.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use application::exports::{ExportError, Exports};
use application::leaderboard::Row;
use application::ports::RunSummary;
use application::report;
use domain::id::{ExperimentId, RunId};
use domain::value::{Map, Value};

use crate::cli::Format;
use crate::failure::Failure;

/// An experiment's best configuration, a run's, or a table or report of all.
pub(crate) async fn text(
    exports: &Exports,
    experiment: ExperimentId,
    run: Option<RunId>,
    format: Format,
) -> Result<String, Failure> {
    let configuration = async || exports.configuration(experiment, run).await.map_err(Failure::error);
    match format {
        Format::Json => wire::export::json(&configuration().await?).map_err(Failure::error),
        Format::Yaml => wire::export::yaml(&configuration().await?).map_err(Failure::error),
        Format::Env => Ok(configuration().await?.env()),
        Format::Report => report_of(exports, experiment, run).await.map_err(Failure::error),
        Format::Csv => csv(&exports.runs(experiment).await.map_err(Failure::error)?),
        Format::Jsonl => Ok(jsonl(&exports.runs(experiment).await.map_err(Failure::error)?)),
    }
}

async fn report_of(
    exports: &Exports,
    experiment: ExperimentId,
    run: Option<RunId>,
) -> Result<String, ExportError> {
    let stored = exports.experiment(experiment).await?;
    let board = exports.board(experiment).await?;
    let runs = exports.runs(experiment).await?;
    let best = match exports.configuration(experiment, run).await {
        Ok(best) => Some(best),
        Err(ExportError::NoWinner) => None,
        Err(error) => return Err(error),
    };
    Ok(report::markdown(&stored, best.as_ref(), &board, &runs))
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let told =
        |error: std::io::Error| Failure::errors(&path.display(), [format!("cannot be written: {error}")]);
    let name = path.file_name().ok_or_else(|| Failure::errors(&path.display(), ["this is no file"]))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // The first error is the one to tell.
        drop(fs::remove_file(&beside));
    }
    written.map_err(told)
}

/// A run as programs read it.
pub(crate) fn run_value(run: &RunSummary) -> Value {
    let maybe = |number: Option<f64>| number.map_or(Value::Null, Value::number);
    let scores = run.scores.iter().map(|total| {
        let fields = [
            ("value", maybe(total.value)),
            ("ci_low", maybe(total.interval.map(|(low, _)| low))),
            ("ci_high", maybe(total.interval.map(|(_, high)| high))),
            ("n", Value::from(total.n)),
            ("failed", Value::from(total.failed)),
        ];
        (total.name.clone(), compact(fields))
    });
    let samples = [("total", run.asked), ("done", run.done), ("failed", run.failed)]
        .map(|(n, of)| (n, Value::from(of)));
    compact([
        ("id", Value::from(run.id.to_string())),
        ("config_hash", Value::from(run.config_hash.to_string())),
        ("values", Value::Map(run.config.values.clone())),
        ("status", Value::from(run.status.as_str())),
        ("samples", Value::from(samples)),
        ("score", maybe(run.score)),
        ("ci_low", maybe(run.interval.map(|(low, _)| low))),
        ("ci_high", maybe(run.interval.map(|(_, high)| high))),
        ("scores", Value::Map(scores.collect())),
        ("tokens_in", Value::from(run.tokens.input)),
        ("tokens_out", Value::from(run.tokens.output)),
        ("cost_estimate", maybe(run.cost.map(domain::money::NanoDollars::dollars))),
        ("latency_ms", Value::from(run.latency_ms)),
        (
            "error",
            run.error.as_ref().map_or(Value::Null, |error| {
                Value::from([
                    ("kind", Value::from(error.kind.as_str())),
                    ("message", Value::from(error.message.as_str())),
                ])
            }),
        ),
    ])
}

/// A leaderboard's row as programs read it.
pub(crate) fn row_value(row: &Row) -> Value {
    let maybe = |number: Option<f64>| number.map_or(Value::Null, Value::number);
    let standing = &row.standing;
    let scores = row.run.scores.iter().map(|total| (total.name.clone(), maybe(total.value)));
    compact([
        ("rank", Value::from(standing.rank as u64)),
        ("run_id", Value::from(row.run.id.to_string())),
        ("values", Value::Map(row.run.config.values.clone())),
        ("status", Value::from(row.run.status.as_str())),
        ("score", maybe(standing.score)),
        ("ci_low", maybe(standing.interval.map(|interval| interval.low))),
        ("ci_high", maybe(standing.interval.map(|interval| interval.high))),
        ("n", Value::from(standing.n as u64)),
        ("n_total", Value::from(standing.n_total as u64)),
        ("score_shrunk", maybe(standing.score_shrunk)),
        ("scores", Value::Map(scores.collect())),
        ("tokens_in", Value::from(row.run.tokens.input)),
        ("tokens_out", Value::from(row.run.tokens.output)),
        ("cost_estimate", maybe(row.cost_per_sample())),
        ("latency_ms", maybe(row.latency_per_sample())),
        ("ties_best", Value::from(standing.ties_best)),
        ("p_best", maybe(standing.p_best)),
    ])
}

/// What is absent is left out.
pub(crate) fn compact<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let known = fields.into_iter().filter(|(_, value)| *value != Value::Null);
    Value::Map(known.map(|(name, value)| (name.to_owned(), value)).collect::<Map>())
}

fn jsonl(runs: &[RunSummary]) -> String {
    runs.iter().map(|run| run_value(run).canonical() + "\n").collect()
}

fn csv(runs: &[RunSummary]) -> Result<String, Failure> {
    let mut dimensions: Vec<&String> = runs.iter().flat_map(|run| run.config.values.keys()).collect();
    dimensions.sort();
    dimensions.dedup();
    let mut scorers: Vec<&String> =
        runs.iter().flat_map(|run| run.scores.iter().map(|total| &total.name)).collect();
    scorers.sort();
    scorers.dedup();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = [
        "run_id",
        "status",
        "score",
        "ci_low",
        "ci_high",
        "n",
        "tokens_in",
        "tokens_out",
        "cost_estimate",
        "latency_ms",
    ];
    let header = fixed.iter().map(|name| (*name).to_owned());
    let header = header.chain(scorers.iter().map(|name| format!("scores.{name}")));
    let header = header.chain(dimensions.iter().map(|name| format!("values.{name}")));
    writer.write_record(header).map_err(Failure::error)?;
    for run in runs {
        writer.write_record(csv_row(run, &scorers, &dimensions)).map_err(Failure::error)?;
    }
    let bytes = writer.into_inner().map_err(Failure::error)?;
    String::from_utf8(bytes).map_err(Failure::error)
}

fn csv_row(run: &RunSummary, scorers: &[&String], dimensions: &[&String]) -> Vec<String> {
    let real = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    let mut row = vec![
        run.id.to_string(),
        run.status.to_string(),
        real(run.score),
        real(run.interval.map(|(low, _)| low)),
        real(run.interval.map(|(_, high)| high)),
        run.n.to_string(),
        run.tokens.input.to_string(),
        run.tokens.output.to_string(),
        real(run.cost.map(domain::money::NanoDollars::dollars)),
        run.latency_ms.to_string(),
    ];
    row.extend(scorers.iter().map(|name| {
        real(run.scores.iter().find(|total| total.name == **name).and_then(|total| total.value))
    }));
    row.extend(dimensions.iter().map(|name| {
        run.config.values.get(*name).map_or_else(String::new, |value| value.to_text().into_owned())
    }));
    row
}
