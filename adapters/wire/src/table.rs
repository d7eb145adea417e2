//! Runs as tables for other programs.

use application::ports::RunSummary;
use thiserror::Error;

use crate::api::Run;

/// A table that cannot be written.
#[derive(Debug, Error)]
#[error(transparent)]
#[expect(missing_docs, reason = "each is the error of a library")]
pub enum TableError {
    Csv(#[from] csv::Error),
    Io(#[from] std::io::Error),
    Text(#[from] std::string::FromUtf8Error),
    Json(#[from] serde_json::Error),
}

/// Runs as JSON lines, each as the API shows it.
///
/// # Errors
/// serde cannot write it, which does not happen for runs.
pub fn jsonl(runs: &[RunSummary]) -> Result<String, TableError> {
    let lines = runs.iter().map(|run| Ok(serde_json::to_string(&Run::from(run))? + "\n"));
    lines.collect()
}

/// Writes runs as CSV, with a column for each scorer and each dimension of any run.
///
/// # Errors
/// It cannot be written, which does not happen for lists of runs.
pub fn csv(runs: &[RunSummary]) -> Result<String, TableError> {
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
    writer.write_record(header)?;
    for run in runs {
        writer.write_record(csv_row(run, &scorers, &dimensions))?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8(bytes)?)
}

fn csv_row(run: &RunSummary, scorers: &[&String], dimensions: &[&String]) -> Vec<String> {
    let real = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    let mut row = vec![
        run.id.to_string(),
        run.state.status().to_string(),
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
