//! The HTTP server: the API and its document, the sockets, the dashboard.

mod api;
mod body;
mod caller;
mod dashboard;
mod dimension_values;
mod document;
mod exported;
mod failure;
mod guard;
mod json_response;
mod list_query;
mod offload;
mod page;
mod repeatable;
mod server;
mod socket;
mod upload;

use std::sync::{Arc, LazyLock};
use std::time::Duration;
use std::{io, iter};

use application::feed::Feed;
use application::ports::StoreError;
use application::services::Services;
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use poem::middleware::{CatchPanic, Compression, SetHeader};
use poem::web::{Data, Json};
use poem::{Endpoint, EndpointExt as _, IntoResponse, Response, Route, get, handler};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use wire::api::Health;

use crate::dimension_values::DimensionValues;
use crate::guard::{Guard, NAMED, Parameters};
use crate::json_response::JSON;
use crate::server::{Limits, Server, Timeouts};

/// How long the database may take to answer the health check.
const PING_TIMEOUT: Duration = Duration::from_millis(1_500);

/// The API's document, as JSON.
#[must_use]
pub fn openapi() -> String {
    document::completed(&api::described())
}

/// Serves until `stop` resolves. Then requests in progress are finished, and sockets are closed. `public` is the
/// origin under which browsers reach this server, where it is known. Connections and the event log are served in
/// tasks of their own, so that slow work elsewhere does not delay them.
///
/// # Errors
/// Where connections cannot be accepted, or one of the tasks ends before `stop`.
pub async fn serve(
    listener: TcpListener,
    services: Arc<Services>,
    public: Option<String>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let feed = Arc::clone(&services.feed);
    let server = Server::new(listener, app(services, public), Timeouts::default(), Limits::of_process())?;
    let (stopping, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(tail(Arc::clone(&feed), stopped.clone()));
    tasks.spawn(server.run(stopped));
    let stop = async {
        stop.await;
        feed.stop();
        stopping.send_replace(true);
    };
    supervise(tasks, stop).await
}

/// Waits until the tasks have been stopped and have ended. If a task ends early or panics, the others are aborted.
async fn supervise(mut tasks: JoinSet<()>, stop: impl Future<Output = ()>) -> io::Result<()> {
    tokio::select! {
        () = stop => {}
        ended = tasks.join_next() => {
            ended.transpose().map_err(io::Error::other)?;
            return Err(io::Error::other("a task of the HTTP server has ended by itself"));
        }
    }
    let mut stopped = Ok(());
    while let Some(ended) = tasks.join_next().await {
        stopped = stopped.and(ended.map_err(io::Error::other));
    }
    stopped
}

/// Follows the event log until the server is stopped, even while the database does not answer.
async fn tail(feed: Arc<Feed>, mut stopped: watch::Receiver<bool>) {
    let following = async {
        if let Err(error) = feed.prepare().await {
            tracing::warn!(%error, "earlier events cannot be read");
        }
        feed.run().await;
    };
    tokio::select! {
        () = following => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

fn app(services: Arc<Services>, public: Option<String>) -> impl Endpoint {
    let service = api::service(&services);
    let parameters = parameters(&service.spec());
    let routes = Route::new()
        .nest(api::BASE, service)
        .at(format!("{}/openapi.json", api::BASE), get(openapi_document))
        .at("/health", get(health))
        .at("/ws/experiments/:id", get(socket::of_experiment))
        .at("/ws/dashboard", get(socket::of_everything))
        .at("/*page", dashboard::page);
    let accounts = Arc::clone(&services.accounts);
    let sockets = socket::Shared::new(Arc::clone(&services));
    let inner = routes.data(services).data(sockets).with(CatchPanic::new());
    Guard { inner, accounts, parameters, public }
        .with(
            SetHeader::new()
                .overriding(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
                .overriding(header::REFERRER_POLICY, "no-referrer")
                .overriding(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        )
        .with(Compression::new())
}

#[handler]
fn openapi_document() -> Response {
    // Built at the first request, so that it does not delay the start.
    static DOCUMENT: LazyLock<String> = LazyLock::new(openapi);
    let mut response = Response::builder().content_type(JSON).body(DOCUMENT.as_str());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[handler]
async fn health(services: Data<&Arc<Services>>) -> Response {
    let health = health_of(services.live.ping()).await;
    let status = if health.reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Json(health).with_status(status).into_response()
}

/// The health of a server, given its database's answer to a ping.
async fn health_of(ping: impl Future<Output = Result<(), StoreError>>) -> Health {
    let reason = match timeout(PING_TIMEOUT, ping).await {
        Ok(Ok(())) => return Health::well(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the database does not answer within {PING_TIMEOUT:?}"),
    };
    Health::without_database(reason)
}

/// The query parameters of each operation, read from the document.
fn parameters(spec: &str) -> Parameters {
    let spec: serde_json::Value = serde_json::from_str(spec).unwrap_or_default();
    let mut parameters = Parameters::new();
    for (path, operations) in spec["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let all = operation["parameters"].as_array().into_iter().flatten();
            let names = all
                .filter(|parameter| parameter["in"] == "query")
                .filter_map(|parameter| parameter["name"].as_str());
            // The values of dimensions may also be given by name.
            let by_name = |name| (name == DimensionValues::PARAMETER).then(|| format!("{name}{NAMED}"));
            let names = names.flat_map(|name| iter::once(name.to_owned()).chain(by_name(name)));
            parameters.insert((method, format!("{}{path}", api::BASE)), names.collect());
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Instant;

    use poem::endpoint::make_sync;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    const LIFE: Duration = Duration::from_secs(20);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_that_is_slow_beside_the_server_delays_an_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = make_sync(|_| "done");
        let server = Server::new(listener, endpoint, Timeouts::default(), Limits::of_process()).unwrap();
        let (stopping, stopped) = watch::channel(false);
        let (answer, answered) = std::sync::mpsc::channel();
        tokio::spawn(async move {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut text = String::new();
            client.read_to_string(&mut text).await.unwrap();
            answer.send(text).unwrap();
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(server.run(stopped));
        let slow = async {
            let text = tokio::task::block_in_place(|| answered.recv_timeout(LIFE));
            stopping.send_replace(true);
            text
        };
        let (served, text) = tokio::join!(supervise(tasks, ready(())), slow);
        served.unwrap();
        assert!(text.unwrap().ends_with("done"));
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_ends_the_server() {
        let ends = |ending: fn()| async move {
            let mut tasks = JoinSet::new();
            tasks.spawn(pending());
            tasks.spawn(async move { ending() });
            timeout(LIFE, supervise(tasks, pending())).await.unwrap().unwrap_err().to_string()
        };
        assert_eq!(ends(|| {}).await, "a task of the HTTP server has ended by itself");
        assert!(ends(|| panic!("for a test")).await.contains("for a test"));
    }

    #[tokio::test]
    async fn health_says_why_the_database_cannot_be_used() {
        assert_eq!(health_of(ready(Ok(()))).await.reason, None);
        let refused =
            health_of(async { Err(StoreError::Unavailable("connection refused".to_owned())) }).await;
        assert_eq!(refused.reason.as_deref(), Some("the database is unavailable: connection refused"));
    }

    #[tokio::test]
    async fn health_does_not_wait_for_a_database_that_hangs() {
        let begin = Instant::now();
        let hanging = timeout(LIFE, health_of(pending())).await.unwrap();
        assert!(begin.elapsed() >= PING_TIMEOUT, "a slow database is still in order");
        assert_eq!(hanging.reason.as_deref(), Some("the database does not answer within 1.5s"));
    }
}
