//! One connection: HTTP/1.1 over a stream, with time limits for everything that the client has to do.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures::{TryStreamExt as _, stream};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Body, Endpoint, Request};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use super::activity::{Activity, Timeouts};
use super::limits::Permit;
use super::stream::Stream;

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) tcp: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) timeouts: Timeouts,
    pub(super) permit: Permit,
}

impl Connection {
    /// Serves until the client leaves, misses a deadline, or upgrades to a WebSocket. After `stop` only a request in
    /// progress is answered.
    pub(super) async fn serve<E: Endpoint + 'static>(self, endpoint: Arc<E>, stop: impl Future<Output = ()>) {
        let activity = Arc::new(Activity::new(self.timeouts));
        let stream = Stream::new(self.tcp, Arc::clone(&activity), self.permit);
        let (peer, local, body_timeout) = (self.peer, self.local, self.timeouts.body);
        let reported = Arc::clone(&activity);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (endpoint, activity) = (Arc::clone(&endpoint), Arc::clone(&reported));
            async move {
                activity.request_begins();
                let response = endpoint.get_response(received(request, peer, local, body_timeout)).await;
                activity.request_answered();
                Ok::<_, Infallible>(hyper::Response::from(response))
            }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection.with_upgrades());
        tokio::select! {
            () = within_limits(connection.as_mut(), &activity) => return,
            () = stop => {}
        }
        if activity.is_busy() {
            connection.as_mut().graceful_shutdown();
            within_limits(connection, &activity).await;
        }
    }
}

/// Drives a connection until it ends, or the client misses a deadline. Everything that moves the deadline happens while the
/// connection is polled, so it is looked at after each poll.
async fn within_limits<C: Future>(mut connection: Pin<&mut C>, activity: &Activity) {
    let mut alarm = pin!(sleep_until(Instant::now()));
    poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return std::task::Poll::Ready(());
        }
        let Some(deadline) = activity.deadline() else { return std::task::Poll::Pending };
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        alarm.as_mut().poll(context)
    })
    .await;
}

fn received(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    local: SocketAddr,
    limit: Duration,
) -> Request {
    let has_body = !request.body().is_end_stream();
    let (peer, local) = (RemoteAddr(Addr::from(peer)), LocalAddr(Addr::from(local)));
    let mut request = Request::from((request, local, peer, Scheme::HTTP));
    if has_body {
        let body = request.take_body();
        request.set_body(never_silent(body, limit));
    }
    request
}

/// A body that gives an error of kind [`io::ErrorKind::TimedOut`] if nothing arrives in time.
fn never_silent(body: Body, limit: Duration) -> Body {
    let parts = Box::pin(body.into_bytes_stream());
    Body::from_bytes_stream(stream::try_unfold(parts, move |mut parts| async move {
        let next = timeout(limit, parts.try_next()).await;
        let next = next.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok::<_, io::Error>(next.map(|part| (part, parts)))
    }))
}
