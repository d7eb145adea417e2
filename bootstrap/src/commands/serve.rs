//! Serves the dashboard and the API, and executes runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use application::engine::Engine;
use application::services::Services;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cli::ServeOptions;
use crate::failure::Failure;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::stop;
use crate::wiring::Wired;

pub(crate) async fn run(settings: &Settings, screen: &Screen, options: &ServeOptions) -> Result<(), Failure> {
    if options.no_execute && settings.database_url.is_none() {
        let advice = "--no-execute leaves runs to workers, which need a database of several processes: set DATABASE_URL";
        return Err(Failure::Usage(advice.to_owned()));
    }
    let listener = listen(settings.host, settings.port).await?;
    let address = listener.local_addr().map_err(Failure::error)?;
    let wired = Wired::listening(settings, Some(address)).await?;
    let engine = if options.no_execute { wired.idle_engine() } else { wired.engine(None) };
    let services = Arc::new(wired.services(settings, &engine).await?);
    screen.say(&format!("PromptLooper {} is at {}", env!("CARGO_PKG_VERSION"), url(address)));
    if services.accounts.setup_required().await.map_err(Failure::error)? {
        screen.say(&format!("Open {}/setup to create the administrator account.", url(address)));
    }
    serve(settings, engine, services, listener).await
}

/// The address to listen at, before anything else is done.
pub(crate) async fn listen(host: std::net::IpAddr, port: u16) -> Result<TcpListener, Failure> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "something else listens there: stop it, or set PORT to another number"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 are for administrators: set PORT to another number"
            }
            _ => "set HOST and PORT to an address of this machine",
        };
        Failure::error(format!("cannot listen at {address} ({error}): {advice}"))
    })
}

/// How people on this machine reach an address.
pub(crate) fn url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        return format!("http://localhost:{}", address.port());
    }
    format!("http://{address}")
}

/// Serves until the process is asked to stop; then requests are finished, and calls in flight are stored.
pub(crate) async fn serve(
    settings: &Settings,
    engine: Arc<Engine>,
    services: Arc<Services>,
    listener: TcpListener,
) -> Result<(), Failure> {
    let (stop, stopped) = watch::channel(false);
    let public = settings.public_origin.clone();
    let serving = async {
        let mut stopped = stopped.clone();
        // Where the sender is gone the process is ending anyway.
        let until = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
        let served = http::serve(listener, services, public, until).await.map_err(Failure::error);
        engine.stop();
        stop.send_replace(true);
        served
    };
    let executing = async {
        let executed = engine.run().await.map_err(Failure::error);
        stop.send_replace(true);
        executed
    };
    let asked = async {
        let mut stopped = stopped.clone();
        tokio::select! {
            asked = stop::asked() => {
                asked.map_err(Failure::error)?;
                tracing::info!("stopping: requests are finished and calls in flight are stored first");
            }
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
        engine.stop();
        stop.send_replace(true);
        Ok(())
    };
    let (served, executed, asked): (_, _, Result<(), Failure>) = tokio::join!(serving, executing, asked);
    served.and(executed).and(asked)
}
