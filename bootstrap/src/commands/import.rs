//! Makes the experiment of a file, without running it.

use crate::cli::ImportOptions;
use crate::commands::demo::system;
use crate::document::Document;
use crate::failure::Failure;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::wiring::Wired;

pub(crate) async fn run(settings: &Settings, screen: &Screen, options: ImportOptions) -> Result<(), Failure> {
    let document = Document::read(&options.file)?;
    let name = document.draft.name.clone();
    let wired = Wired::new(settings).await?;
    let experiment = wired.store(&system()?, document).await?;
    screen.say(&format!(
        "experiment `{name}` is stored: `promptlooper run` starts its sweep, or the dashboard"
    ));
    super::print(&format!("{experiment}\n"))
}
