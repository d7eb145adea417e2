//! A service of the user's own, whose behaviour is given by the path: real HTTP/1.1 on its own port.
//!
//! | path | answer |
//! |---|---|
//! | `/shout` | `{"text": X, "words": N}` as JSON: the input of the request in capitals |
//! | `/plain` | the same text alone, as `text/plain` |
//! | `/score`, `/score/N` | `{"score": …, "seen": X}`: 1 for an output with a 1 in it, else 0.5; for one in N bodies 503 the first time |
//! | `/score-of/TEXT` | `{"score": TEXT}` |
//! | `/status/S` | the status S, with an error body that repeats the header `x-key` |
//! | `/status/S/N` | the same for the first N requests with each body, then as `/shout`; with `Retry-After: 0.2` |
//! | `/wait/N` | 429 with `Retry-After: N` |
//! | `/moved` | 302 to `/shout` |
//! | `/hang` | nothing, ever |

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, http};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that the service received.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceRequest {
    /// The path with its query.
    pub path: String,
    /// The body.
    pub body: String,
    /// The header `x-key`.
    pub key: Option<String>,
    /// The header `content-type`.
    pub content_type: Option<String>,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<ServiceRequest>>,
    latency: Duration,
}

/// A running service; it stops when this is dropped.
pub struct FakeService {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl FakeService {
    /// Starts a service that takes this long for each answer.
    ///
    /// # Panics
    /// Where no port can be had.
    pub async fn start(latency: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { latency, ..Shared::default() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<ServiceRequest> {
        self.shared.requests().clone()
    }

    /// How many requests there were, and how many of them were different.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let mut requests = self.requests();
        let all = requests.len();
        requests.sort();
        requests.dedup();
        (all, requests.len())
    }

    /// Forgets the requests so far.
    pub fn reset(&self) {
        self.shared.requests().clear();
    }
}

impl Drop for FakeService {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn requests(&self) -> MutexGuard<'_, Vec<ServiceRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request. Returns how many like it there were, itself included.
    fn note(&self, request: &ServiceRequest) -> usize {
        let mut requests = self.requests();
        requests.push(request.clone());
        requests.iter().filter(|other| *other == request).count()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the service: the set aborts its tasks when it is dropped.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        connections.spawn(serve(socket, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, &shared));
    drop(http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
}

async fn answer(request: hyper::Request<Incoming>, shared: &Shared) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let header = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    let seen = ServiceRequest {
        path: head.uri.to_string(),
        body: body.clone(),
        key: header("x-key"),
        content_type: header("content-type"),
    };
    let key = seen.key.as_deref().unwrap_or_default();
    let times = shared.note(&seen);
    tokio::time::sleep(shared.latency).await;
    let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
    match path.as_slice() {
        ["status", status] => failed(status, key, None),
        ["status", status, faults] if times <= faults.parse().unwrap_or(0) => {
            failed(status, key, Some("0.2"))
        }
        ["wait", wait] => failed("429", key, Some(wait)),
        ["moved"] => reply(Response::builder().status(302).header(LOCATION, "/shout"), String::new()),
        ["hang"] => std::future::pending().await,
        ["score", one_in] if times == 1 && is_one_in(&body, one_in) => failed("503", key, None),
        ["score", ..] => {
            let output = field(&body, "output");
            let score = if output.to_string().contains('1') { 1.0 } else { 0.5 };
            json_reply(&json!({"score": score, "seen": output}))
        }
        ["score-of", score] => json_reply(&json!({"score": score.parse::<f64>().unwrap_or(f64::NAN)})),
        ["plain"] => reply(Response::builder().header(CONTENT_TYPE, "text/plain"), shout(&body)),
        _ => {
            let text = shout(&body);
            let words = text.split_whitespace().count();
            json_reply(&json!({"text": text, "words": words}))
        }
    }
}

fn json_reply(value: &Value) -> io::Result<Response<Full<Bytes>>> {
    let head = Response::builder().header(CONTENT_TYPE, "application/json");
    reply(head, value.to_string())
}

fn field(body: &str, name: &str) -> Value {
    serde_json::from_str::<Value>(body).map_or(Value::Null, |body| body[name].clone())
}

/// Whether a body is one of those that fail first.
fn is_one_in(body: &str, count: &str) -> bool {
    let sum: u64 = body.bytes().map(u64::from).sum();
    count.parse().is_ok_and(|count: u64| sum.is_multiple_of(count.max(1)))
}

/// The input of a request, or the whole body, in capitals.
fn shout(body: &str) -> String {
    let fields: BTreeMap<String, Value> = serde_json::from_str(body).unwrap_or_default();
    fields.get("input").and_then(Value::as_str).unwrap_or(body).to_uppercase()
}

fn failed(status: &str, key: &str, wait: Option<&str>) -> io::Result<Response<Full<Bytes>>> {
    let mut head = Response::builder().status(status);
    if let Some(wait) = wait {
        head = head.header(RETRY_AFTER, wait);
    }
    reply(head, json!({"error": {"message": format!("no: {key}")}}).to_string())
}

fn reply(head: http::response::Builder, body: String) -> io::Result<Response<Full<Bytes>>> {
    head.body(Full::new(body.into())).map_err(io::Error::other)
}
