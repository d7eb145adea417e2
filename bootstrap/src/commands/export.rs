//! Writes what an experiment came to on stdout.

use std::io::{self, Write as _};
use std::sync::Arc;

use application::exports::Exports;
use system::SystemClock;

use crate::cli::ExportOptions;
use crate::failure::Failure;
use crate::output;
use crate::settings::Settings;
use crate::wiring::Wired;

pub(crate) async fn run(settings: &Settings, options: ExportOptions) -> Result<(), Failure> {
    let wired = Wired::new(settings).await?;
    let exports = Exports::new(wired.stores.clone(), wired.stores.clone(), Arc::new(SystemClock));
    let experiment = exports.find(&options.experiment).await;
    let experiment = experiment.map_err(|error| Failure::errors(&options.experiment, [error]))?;
    let text = output::text(&exports, experiment, options.run, options.format).await?;
    io::stdout().write_all(text.as_bytes()).map_err(Failure::error)
}
