//! Executes runs beside other processes, until it is stopped.

use std::net::SocketAddr;

use crate::failure::Failure;
use crate::settings::Settings;
use crate::stop;
use crate::wiring::Wired;

pub(crate) async fn run(settings: &Settings) -> Result<(), Failure> {
    if settings.database_url.is_none() {
        let advice = "a worker shares a database with other processes: set DATABASE_URL to a PostgreSQL URL";
        return Err(Failure::Usage(advice.to_owned()));
    }
    // A server of the same database is likely to be on this machine, at the address that the environment names.
    let server = SocketAddr::new(settings.host, settings.port);
    let wired = Wired::listening(settings, Some(server)).await?;
    let engine = wired.engine(None);
    let working = engine.run();
    tracing::info!(concurrent_runs = settings.concurrent_runs, "worker ready");
    let stopping = async {
        let asked = stop::asked().await;
        tracing::info!("worker stops: calls in flight are stored first");
        engine.stop();
        asked
    };
    let (worked, asked) = tokio::join!(working, stopping);
    worked.map_err(Failure::error)?;
    asked.map(drop).map_err(Failure::error)
}
