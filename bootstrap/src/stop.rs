//! Waits for the wish to stop: Ctrl-C, or the signal that service managers send.

use std::time::Duration;
use std::{io, process, thread};

use crate::failure::INTERRUPTED;

/// How long a service manager waits for what is under way. It is less than the half minute after which most of them kill.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(27);

/// What asked the process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Somebody at the terminal, who can ask again.
    Interrupt,
    /// A service manager.
    #[cfg(unix)]
    Terminate,
}

/// Returns at the first signal. A second one ends the process at once; after a service manager's first one it ends in any
/// case before it would be killed.
pub(crate) async fn asked() -> io::Result<Signal> {
    let first = signal().await?;
    if first != Signal::Interrupt {
        thread::spawn(end_after_grace);
    }
    tokio::spawn(async {
        if signal().await.is_ok() {
            process::exit(INTERRUPTED.into());
        }
    });
    Ok(first)
}

/// A thread of its own, which runs whatever the others are busy with.
fn end_after_grace() {
    thread::sleep(SHUTDOWN_TIMEOUT);
    tracing::error!(
        "stopped after {} s: calls that were still in flight are made again later",
        SHUTDOWN_TIMEOUT.as_secs()
    );
    process::exit(1);
}

#[cfg(unix)]
async fn signal() -> io::Result<Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.map(|()| Signal::Interrupt),
        _ = terminate.recv() => Ok(Signal::Terminate),
    }
}

#[cfg(not(unix))]
async fn signal() -> io::Result<Signal> {
    tokio::signal::ctrl_c().await.map(|()| Signal::Interrupt)
}
