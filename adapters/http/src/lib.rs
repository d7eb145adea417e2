//! The HTTP server: the API and its document, the sockets, the dashboard.

mod answer;
mod api;
mod body;
mod caller;
mod dashboard;
mod document;
mod exported;
mod failure;
mod guard;
mod once;
mod page;
mod services;
mod socket;

use std::io;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use application::feed::Feed;
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use poem::listener::TcpAcceptor;
use poem::middleware::{CatchPanic, Compression, SetHeader};
use poem::web::{Data, Json};
use poem::{Endpoint, EndpointExt as _, IntoResponse, Response, Route, Server, get, handler};
use tokio::net::TcpListener;
use wire::api::Health;

pub use crate::services::Services;

use crate::answer::JSON;
use crate::guard::{Guard, Parameters};
use crate::socket::Board;

/// How long requests in progress may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// The API's document, as JSON.
#[must_use]
pub fn openapi() -> String {
    document::completed(&api::described())
}

/// Serves until `stop` is over; then requests in progress are finished, and sockets are closed. `public` is the origin
/// under which browsers reach this server, where that is known.
///
/// # Errors
/// Where connections cannot be accepted.
pub async fn serve(
    listener: TcpListener,
    services: Arc<Services>,
    public: Option<String>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let feed = Arc::clone(&services.feed);
    let app = app(services, public);
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    let following = async {
        if let Err(error) = feed.prepare().await {
            tracing::warn!(%error, "earlier events cannot be read");
        }
        feed.run().await;
    };
    let stopping = async {
        stop.await;
        Feed::stop(&feed);
    };
    let serving = Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(app, stopping, Some(GRACE));
    let (served, ()) = tokio::join!(serving, following);
    served
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
    let inner = routes.data(services).data(Arc::new(Board::default())).with(CatchPanic::new());
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
    // Put together for the first who asks; a start need not wait for it.
    static DOCUMENT: LazyLock<String> = LazyLock::new(openapi);
    let mut response = Response::builder().content_type(JSON).body(DOCUMENT.as_str());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[handler]
async fn health(services: Data<&Arc<Services>>) -> Response {
    let answers = services.live.ping().await.is_ok();
    let status = if answers { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Json(Health::of_database(answers)).with_status(status).into_response()
}

/// Which query parameters each operation takes, as the document says.
fn parameters(spec: &str) -> Parameters {
    let spec: serde_json::Value = serde_json::from_str(spec).unwrap_or_default();
    let mut parameters = Parameters::new();
    for (path, operations) in spec["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let all = operation["parameters"].as_array().into_iter().flatten();
            let names = all
                .filter(|parameter| parameter["in"] == "query")
                .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned));
            parameters.insert((method, format!("{}{path}", api::BASE)), names.collect());
        }
    }
    parameters
}
