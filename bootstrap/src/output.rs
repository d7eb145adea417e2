//! Writes what an experiment came to.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use application::exports::Exports;
use domain::id::{ExperimentId, RunId};
use wire::table;

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
        Format::Report => exports.report(experiment, run).await.map_err(Failure::error),
        Format::Csv => {
            table::csv(&exports.runs(experiment).await.map_err(Failure::error)?).map_err(Failure::error)
        }
        Format::Jsonl => {
            table::jsonl(&exports.runs(experiment).await.map_err(Failure::error)?).map_err(Failure::error)
        }
    }
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let told =
        |error: std::io::Error| Failure::errors(&path.display(), [format!("cannot be written: {error}")]);
    let name = path.file_name().ok_or_else(|| Failure::errors(&path.display(), ["this is not a file"]))?;
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
