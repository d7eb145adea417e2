//! Brings the schema up to date, or shows where it stands.

use std::io::{self, Write as _};

use persistence::Database;

use crate::cli::MigrateOptions;
use crate::failure::Failure;
use crate::progress::{Screen, count};
use crate::settings::Settings;
use crate::wiring;

pub(crate) async fn run(
    settings: &Settings,
    screen: &Screen,
    options: &MigrateOptions,
) -> Result<(), Failure> {
    let before = match &settings.database_url {
        None => Database::sqlite_status(&settings.data_dir).await,
        Some(url) => Database::postgres_status(url.expose()).await,
    };
    let steps = if options.status {
        before.map_err(Failure::error)?
    } else {
        // A database that is not there yet has no step applied.
        let applied = before.map_or(0, |steps| steps.iter().filter(|(_, applied)| *applied).count());
        let steps = wiring::database(settings).await?.migration_status().await.map_err(Failure::error)?;
        screen.say(&match steps.len().saturating_sub(applied) {
            0 => "the schema is up to date: there was nothing to do".to_owned(),
            new => format!("{} applied", count(new as u64, "migration")),
        });
        steps
    };
    let mut stdout = io::stdout().lock();
    for (step, applied) in steps {
        let mark = if applied { "done   " } else { "pending" };
        writeln!(stdout, "{mark} {step}").map_err(Failure::error)?;
    }
    Ok(())
}
