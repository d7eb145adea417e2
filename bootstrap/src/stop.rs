//! Waits for the wish to stop: Ctrl-C, or the signal that service managers send.

use std::io;
use std::process;

/// What shells report for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Returns at the first signal. A second one ends the process at once.
pub(crate) async fn asked() -> io::Result<()> {
    signal().await?;
    tokio::spawn(async {
        if signal().await.is_ok() {
            process::exit(INTERRUPTED);
        }
    });
    Ok(())
}

#[cfg(unix)]
async fn signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
