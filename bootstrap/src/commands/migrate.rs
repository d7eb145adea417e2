//! Brings the schema up to date, or shows where it stands.

use std::io::{self, Write as _};

use persistence::Database;

use crate::cli::MigrateOptions;
use crate::failure::Failure;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, options: &MigrateOptions) -> Result<(), Failure> {
    let steps = if options.status {
        match &settings.database_url {
            None => Database::sqlite_status(&settings.data_dir).await,
            Some(url) => Database::postgres_status(url.expose()).await,
        }
        .map_err(Failure::error)?
    } else {
        crate::wiring::database(settings).await?.migration_status().await.map_err(Failure::error)?
    };
    let mut stdout = io::stdout().lock();
    for (step, applied) in steps {
        let mark = if applied { "done   " } else { "pending" };
        writeln!(stdout, "{mark} {step}").map_err(Failure::error)?;
    }
    Ok(())
}
