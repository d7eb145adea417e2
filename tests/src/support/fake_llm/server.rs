//! The HTTP server of a fake model server.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response, http};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::behaviour::{Behaviour, Fault};
use super::counts::{Arrival, Counts, Tally};
use super::embeddings;
use super::protocol::Protocol;
use super::reply::{self, Request};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The state that all connections share.
pub(super) struct Shared {
    tally: Mutex<Tally>,
    latency_micros: AtomicU64,
}

impl Shared {
    pub(super) fn new(latency: Duration) -> Self {
        let shared = Self { tally: Mutex::default(), latency_micros: AtomicU64::new(0) };
        shared.set_latency(latency);
        shared
    }

    pub(super) fn set_latency(&self, latency: Duration) {
        self.latency_micros.store(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        self.tally().counts()
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.tally().arrivals()
    }

    pub(super) fn reset(&self) {
        self.tally().reset();
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn think(&self) {
        let latency = self.latency_micros.load(Ordering::Relaxed);
        if latency > 0 {
            tokio::time::sleep(Duration::from_micros(latency)).await;
        }
    }
}

/// A request in flight, until this is dropped.
struct InFlight<'a> {
    shared: &'a Shared,
    /// Its number among the completions.
    number: usize,
}

impl<'a> InFlight<'a> {
    fn begin(shared: &'a Shared) -> Self {
        Self { shared, number: shared.tally().begin() }
    }

    fn begin_embedding(shared: &'a Shared) -> Self {
        shared.tally().begin_embedding();
        Self { shared, number: usize::MAX }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.shared.tally().end();
    }
}

/// Accepts connections until the server stops.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the server: the set aborts its tasks when it is dropped.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((socket, _)) => drop(connections.spawn(serve(socket, Arc::clone(&shared)))),
            // Without free file descriptors, an immediate retry would fail too.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    // A socket without the option, or a connection that ends in an error, does not matter here.
    drop(socket.set_nodelay(true));
    let service = service_fn(|request| route(request, &shared));
    drop(http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
}

async fn route(request: hyper::Request<Incoming>, shared: &Shared) -> io::Result<Response<Body>> {
    if let (&Method::POST, Some(protocol)) = (request.method(), Protocol::of(request.uri().path())) {
        if !protocol.admits(request.headers()) {
            return json(401, reply::error(401, "authentication_error"));
        }
        return complete(request.into_body(), shared, protocol).await;
    }
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/v1/embeddings") => embed(request.into_body(), shared).await,
        (&Method::GET, "/v1/models") => json(200, reply::models()),
        (&Method::GET, "/_counts") => json(200, serde_json::to_string(&shared.counts())?),
        (&Method::POST, "/_reset") => {
            shared.reset();
            json(200, "{}")
        }
        _ => json(404, reply::error(404, "not_found")),
    }
}

async fn complete(body: Incoming, shared: &Shared, protocol: Protocol) -> io::Result<Response<Body>> {
    let in_flight = InFlight::begin(shared);
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let Ok(request) = serde_json::from_slice::<Request<'_>>(&body) else {
        return json(400, reply::error(400, "invalid_request_error"));
    };
    let hash = hash(&body);
    let behaviour = Behaviour::for_body(&request.model, hash);
    shared.tally().body(hash, &request.model);
    if behaviour == Behaviour::Costly {
        return costly(&request, hash, &in_flight, protocol).await;
    }
    shared.think().await;
    if let Behaviour::Fault { fault, times } = behaviour
        && times.is_none_or(|times| shared.tally().fault(hash) <= times)
    {
        return fail(fault, &request.model, hash, protocol).await;
    }
    let text = request.text(Behaviour::of(&request.model), hash);
    let (input, output) = if request.model.starts_with("greedy-") {
        reply::everything(&serde_json::from_slice(&body)?)
    } else {
        (request.tokens(), (text.len() as u64).div_ceil(4))
    };
    shared.tally().report_for(in_flight.number, input, output);
    completed(protocol, reply::completion(&request.model, &text, (input, output)))
}

/// The client pays even if the answer never arrives, or if it no longer waits.
async fn costly(
    request: &Request<'_>,
    hash: u64,
    in_flight: &InFlight<'_>,
    protocol: Protocol,
) -> io::Result<Response<Body>> {
    let shared = in_flight.shared;
    let tries = shared.tally().fault(hash);
    let chance = hash.rotate_left(tries % 64);
    let (input, output) = request.any_bill(chance);
    shared.tally().report_for(in_flight.number, input, output);
    if tries == 1 && chance.is_multiple_of(24) {
        return std::future::pending().await;
    }
    shared.think().await;
    let text = request.text(Behaviour::Costly, hash);
    completed(protocol, reply::completion(&request.model, &text, (input, output)))
}

async fn embed(body: Incoming, shared: &Shared) -> io::Result<Response<Body>> {
    let _in_flight = InFlight::begin_embedding(shared);
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let Ok(request) = serde_json::from_slice::<embeddings::Request>(&body) else {
        return json(400, reply::error(400, "invalid_request_error"));
    };
    shared.think().await;
    if request.is_refused() {
        return json(400, reply::error(400, "context_length_exceeded"));
    }
    if request.stumbles() && shared.tally().fault(hash(&body)) == 1 {
        return json(503, reply::error(503, "unavailable"));
    }
    shared.tally().texts(&request.model, &request.input);
    shared.tally().report(request.tokens(), 0);
    json(200, request.reply())
}

fn hash(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    hasher.finish()
}

async fn fail(fault: Fault<'_>, model: &str, hash: u64, protocol: Protocol) -> io::Result<Response<Body>> {
    match fault {
        Fault::Status { status, retry_after } => turn_away(status, retry_after),
        Fault::Named("quota") => json(429, reply::error(429, "insufficient_quota")),
        Fault::Named("loading") => json(503, reply::LOADING),
        Fault::Named("context") => json(400, reply::error(400, "context_length_exceeded")),
        Fault::Named("filtered") => json(400, reply::error(400, "content_filter")),
        Fault::Named("headers") => {
            answer(Response::builder().header("x-large", "x".repeat(1 << 20)), whole("{}"))
        }
        Fault::Named("versions") => completed(protocol, reply::of_version(model, hash)),
        Fault::Named("reset") => Err(io::ErrorKind::ConnectionReset.into()),
        Fault::Named("hang") => std::future::pending().await,
        Fault::Named("truncate") => answer(Response::builder().header(CONTENT_LENGTH, 500), breaking_off()),
        Fault::Named("chunks") => answer(Response::builder(), breaking_off()),
        Fault::Named("trickle") => answer(Response::builder(), repeating(b"{", Duration::from_secs(1))),
        Fault::Named("endless") => answer(Response::builder(), repeating(&[b' '; 16384], Duration::ZERO)),
        Fault::Named(name) => match reply::faulty(name, model) {
            Some(body) => completed(protocol, body),
            None => json(404, reply::error(404, "model_not_found")),
        },
    }
}

fn turn_away(status: u16, retry_after: Option<&str>) -> io::Result<Response<Body>> {
    let mut head = Response::builder().status(status);
    if let Some(wait) = retry_after {
        head = head.header(RETRY_AFTER, wait);
    }
    if status < 400 {
        head = head.header(LOCATION, "/elsewhere");
    }
    answer(head, whole(reply::error(status, "fake")))
}

fn completed(protocol: Protocol, completion: impl Into<Vec<u8>>) -> io::Result<Response<Body>> {
    json(200, protocol.respell(completion.into()))
}

fn json(status: u16, body: impl Into<Bytes>) -> io::Result<Response<Body>> {
    let head = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    answer(head, whole(body))
}

fn answer(head: http::response::Builder, body: Body) -> io::Result<Response<Body>> {
    head.body(body).map_err(io::Error::other)
}

fn whole(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// The beginning of a completion, then an error, late enough for the beginning to be sent first.
fn breaking_off() -> Body {
    let beginning = stream::iter([Ok(Frame::data(Bytes::from_static(br#"{"choices":[{"message":{"#)))]);
    let end = stream::once(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    });
    StreamBody::new(beginning.chain(end)).boxed_unsync()
}

/// These bytes repeated without end.
fn repeating(bytes: &'static [u8], pause: Duration) -> Body {
    let pieces = stream::repeat_with(move || Bytes::from_static(bytes)).then(move |piece| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Ok(Frame::data(piece))
    });
    StreamBody::new(pieces).boxed_unsync()
}
