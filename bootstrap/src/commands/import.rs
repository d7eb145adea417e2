//! Makes the experiment of a file, without running it.

use crate::cli::ImportOptions;
use crate::commands::demo::system;
use crate::commands::run::PROJECT;
use crate::document::Document;
use crate::failure::Failure;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::wiring::Wired;

pub(crate) async fn run(settings: &Settings, screen: &Screen, options: ImportOptions) -> Result<(), Failure> {
    let document = Document::read(&options.file)?;
    let wired = Wired::new(settings).await?;
    let stored = wired.store(&system()?, document).await?;
    let made = if stored.is_new { "created in" } else { "is already in" };
    screen.say(&format!(
        "experiment {} {made} project `{PROJECT}`: `promptlooper run {}` starts its sweep, or the dashboard does",
        stored.experiment,
        options.file.display()
    ));
    super::print(&format!("{}\n", stored.experiment))
}
