//! Accepts connections and serves them, with limits of time and number.

mod activity;
mod connection;
mod limits;
mod stream;
#[cfg(test)]
mod tests;
mod throttle;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::Endpoint;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub(crate) use self::activity::Timeouts;
use self::connection::Connection;
use self::limits::Gate;
pub(crate) use self::limits::Limits;
use self::throttle::LogThrottle;

/// How long requests in progress may take after the stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// The wait after a failed `accept`, for example for lack of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Serves an endpoint at a listener.
pub(crate) struct Server<E> {
    listener: TcpListener,
    local: SocketAddr,
    endpoint: Arc<E>,
    timeouts: Timeouts,
    gate: Arc<Gate>,
    connections: JoinSet<()>,
    refusals: LogThrottle,
    failures: LogThrottle,
}

impl<E: Endpoint + 'static> Server<E> {
    pub(crate) fn new(
        listener: TcpListener,
        endpoint: E,
        timeouts: Timeouts,
        limits: Limits,
    ) -> io::Result<Self> {
        Ok(Self {
            local: listener.local_addr()?,
            listener,
            endpoint: Arc::new(endpoint),
            timeouts,
            gate: Arc::new(Gate::new(limits)),
            connections: JoinSet::new(),
            refusals: LogThrottle::default(),
            failures: LogThrottle::default(),
        })
    }

    /// Serves until `stop` becomes true or its sender is dropped. Then idle connections are closed at once, and
    /// requests in progress have [`SHUTDOWN_TIMEOUT`].
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let stopping = stop.clone();
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((tcp, peer)) => self.begin(tcp, peer, stopping.clone()),
                    Err(error) => self.accept_failed(&error).await,
                },
                Some(_) = self.connections.join_next() => {}
            }
        }
        drop(self.listener);
        let ended = async {
            while self.connections.join_next().await.is_some() {}
            // Upgraded WebSockets are not in the task set, but they hold permits.
            self.gate.emptied().await;
        };
        if timeout(SHUTDOWN_TIMEOUT, ended).await.is_err() {
            tracing::warn!("connections are cut off: they did not end within {SHUTDOWN_TIMEOUT:?}");
        }
    }

    fn begin(&mut self, tcp: TcpStream, peer: SocketAddr, mut stop: watch::Receiver<bool>) {
        match self.gate.admit(peer.ip()) {
            Ok(permit) => {
                // Answers are written at once, so Nagle's algorithm would only delay them.
                drop(tcp.set_nodelay(true));
                let connection = Connection { tcp, peer, local: self.local, timeouts: self.timeouts, permit };
                let endpoint = Arc::clone(&self.endpoint);
                self.connections.spawn(async move { connection.serve(endpoint, stopped(&mut stop)).await });
            }
            Err(full) => {
                if let Some(times) = self.refusals.due() {
                    tracing::warn!(%peer, times, "connections are closed at once: {full}");
                }
            }
        }
    }

    async fn accept_failed(&mut self, error: &io::Error) {
        if of_one_connection(error) {
            return;
        }
        if let Some(times) = self.failures.due() {
            tracing::error!(%error, times, "connections cannot be accepted");
        }
        sleep(ACCEPT_BACKOFF).await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Whether an error of `accept` concerns a single connection, which has failed already.
fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
