//! Writes what an experiment came to on stdout.

use crate::cli::ExportOptions;
use crate::failure::Failure;
use crate::output;
use crate::settings::Settings;
use crate::wiring::Wired;

pub(crate) async fn run(settings: &Settings, options: ExportOptions) -> Result<(), Failure> {
    let wired = Wired::new(settings).await?;
    let exports = wired.exports();
    let experiment = exports.find(&options.experiment).await;
    let experiment = experiment.map_err(|error| Failure::errors(&options.experiment, [error]))?;
    let text = output::text(&exports, experiment, options.run, options.format).await?;
    super::print(&text)
}
