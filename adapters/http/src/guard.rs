//! Middleware in front of every route: authenticates requests, refuses those without access, and gives errors one form.

use std::collections::HashMap;
use std::sync::Arc;

use application::accounts::Accounts;
use domain::access::Actor;
use poem::http::uri::Authority;
use poem::http::{HeaderValue, Method, StatusCode, Version, header};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use uuid::Uuid;

use crate::failure::Failure;

const REQUEST_ID: &str = "x-request-id";
/// The WebSocket subprotocol that is offered together with the token.
pub(crate) const PROTOCOL: &str = "promptlooper.v1";
const BEARER_PROTOCOL: &str = "bearer.";

/// Operations that need no authentication.
const PUBLIC: [(Method, &str); 5] = [
    (Method::GET, "/health"),
    (Method::GET, "/api/v1/auth/setup"),
    (Method::POST, "/api/v1/auth/setup"),
    (Method::POST, "/api/v1/auth/login"),
    (Method::GET, "/api/v1/openapi.json"),
];

/// The operation that takes a one-time code as its bearer token, and checks it itself.
const ONCE: (Method, &str) = (Method::POST, "/api/v1/auth/once");

/// Paths for monitoring, which are served under any host name.
const PROBED: [&str; 2] = ["/health", "/metrics"];

/// Paths that do not belong to the dashboard.
const OURS: [&str; 5] = ["/api", "/ws", "/mcp", "/health", "/metrics"];

/// The query parameters of operations, by method and path. A path segment in braces matches any segment.
pub(crate) type Parameters = HashMap<(Method, String), Vec<String>>;

/// The suffix of a parameter that is also accepted with names: `values.NAME`.
pub(crate) const NAMED: &str = ".NAME";

pub(crate) struct Guard<E> {
    pub(crate) inner: E,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) parameters: Parameters,
    /// The origin (scheme, host and port) under which browsers reach this server, where it is known.
    pub(crate) public: Option<String>,
}

impl<E: Endpoint> Endpoint for Guard<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let request_id = request_id(&request);
        let answered = match self.admit(&mut request).await {
            Ok(()) => self.inner.call(request).await.map(IntoResponse::into_response),
            Err(failure) => Err(failure.into()),
        };
        let mut response = answered.unwrap_or_else(|error| {
            let _entered = tracing::info_span!("request", id = %request_id).entered();
            Failure::of(error).respond(&request_id)
        });
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        Ok(response)
    }
}

impl<E> Guard<E> {
    async fn admit(&self, request: &mut Request) -> std::result::Result<(), Failure> {
        let path = request.uri().path().to_owned();
        let probed = PROBED.contains(&path.as_str());
        // HTTP/1.0 probes send no `Host`.
        if !(probed && request.version() == Version::HTTP_10) {
            let host = host(request)?;
            if !probed {
                self.check_host(host)?;
            }
        }
        if is_dashboard(&path) {
            return Ok(());
        }
        if path.starts_with("/ws") {
            self.check_origin(request)?;
        }
        let open = PUBLIC.iter().chain([&ONCE]);
        if !open.into_iter().any(|(method, at)| method == request.method() && *at == path) {
            let actor = self.actor(request).await?;
            request.extensions_mut().insert(actor);
        }
        self.check_parameters(request, &path)
    }

    async fn actor(&self, request: &Request) -> std::result::Result<Actor, Failure> {
        let token = token(request)?;
        let actor = self.accounts.authenticate(token.as_deref()).await.map_err(Failure::from)?;
        actor.ok_or_else(Failure::unauthorized)
    }

    /// Refuses unknown host names, against DNS rebinding: another site could resolve its own name to this server. An
    /// IP address cannot be rebound.
    fn check_host(&self, host: &str) -> std::result::Result<(), Failure> {
        let Some(public) = &self.public else { return Ok(()) };
        let ours = public.split_once("://").map_or(public.as_str(), |(_, authority)| authority);
        let name = host_name(host);
        if name.eq_ignore_ascii_case(host_name(ours)) || is_address(name) {
            return Ok(());
        }
        let detail =
            format!("this server is not reached as {host}, but as {public}: that is what PUBLIC_URL says");
        Err(Failure::new(StatusCode::FORBIDDEN, "foreign_host", detail))
    }

    /// Refuses requests that a page of another site makes in a visitor's browser.
    fn check_origin(&self, request: &Request) -> std::result::Result<(), Failure> {
        let Some(origin) = request.header(header::ORIGIN) else { return Ok(()) };
        let host = request.header(header::HOST).unwrap_or_default();
        let same = origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
        if same || self.public.as_ref().is_some_and(|ours| ours.eq_ignore_ascii_case(origin)) {
            return Ok(());
        }
        let detail =
            format!("pages of {origin} may not connect here: set PUBLIC_URL if this is where we are");
        Err(Failure::new(StatusCode::FORBIDDEN, "foreign_origin", detail))
    }

    /// Refuses unknown parameters: a misspelled filter must not look as if it was applied.
    fn check_parameters(&self, request: &Request, path: &str) -> std::result::Result<(), Failure> {
        let Some(query) = request.uri().query().filter(|query| !query.is_empty()) else { return Ok(()) };
        let known = self
            .parameters
            .iter()
            .find(|((method, template), _)| method == request.method() && matches(template, path));
        let Some((_, known)) = known else { return Ok(()) };
        let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        match names.into_iter().find(|name| !known.iter().any(|known| is_parameter(known, name))) {
            None => Ok(()),
            Some(name) if known.is_empty() => {
                Err(Failure::parameter(name, "this operation takes no parameters"))
            }
            Some(name) => Err(Failure::parameter(name, format!("this operation takes {}", known.join(", ")))),
        }
    }
}

/// Whether `name` is this parameter of an operation.
fn is_parameter(known: &str, name: &str) -> bool {
    let named = || {
        let rest = name.strip_prefix(known.strip_suffix(NAMED)?)?;
        Some(rest.starts_with('.') || rest.starts_with('[') || rest.starts_with("%5B"))
    };
    known == name || named().unwrap_or(false)
}

pub(crate) fn is_dashboard(path: &str) -> bool {
    !OURS
        .iter()
        .any(|ours| path.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// The host that the request names. A request that names none, or several, could mean different servers to a proxy
/// and to this server (RFC 9112, section 3.2).
fn host(request: &Request) -> std::result::Result<&str, Failure> {
    let refused = |detail: &str| Failure::new(StatusCode::BAD_REQUEST, "invalid_host", detail);
    let mut all = request.headers().get_all(header::HOST).iter();
    let host = all.next().ok_or_else(|| refused("the `Host` header is missing"))?;
    if all.next().is_some() {
        return Err(refused("there is more than one `Host` header"));
    }
    let host = host.to_str().ok().filter(|host| !host.contains('@') && host.parse::<Authority>().is_ok());
    host.ok_or_else(|| refused("the `Host` header must be a name or address with an optional port"))
}

/// The part before the port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_address(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}

fn matches(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// The request id of the caller if it can be logged, else a new one.
fn request_id(request: &Request) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let given = request.header(REQUEST_ID).filter(|id| (1..=64).contains(&id.len()) && id.chars().all(plain));
    given.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

/// The token, from the header or, because browsers cannot set headers on a WebSocket, from the subprotocols.
pub(crate) fn token(request: &Request) -> std::result::Result<Option<String>, Failure> {
    if let Some(value) = request.header(header::AUTHORIZATION) {
        let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = token.map(|(_, token)| token.trim().to_owned());
        return token.map(Some).ok_or_else(Failure::unauthorized);
    }
    let protocols = request.header(header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    let bearer = protocols.split(',').find_map(|protocol| protocol.trim().strip_prefix(BEARER_PROTOCOL));
    Ok(bearer.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dashboard_has_no_address_of_ours() {
        for (path, dashboard) in [
            ("/", true),
            ("/projects/1", true),
            ("/apiary", true),
            ("/api", false),
            ("/api/v1/x", false),
            ("/ws/dashboard", false),
            ("/health", false),
            ("/metrics", false),
            ("/mcp", false),
        ] {
            assert_eq!(is_dashboard(path), dashboard, "{path}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for (host, name, address) in [
            ("loop.example.org", "loop.example.org", false),
            ("loop.example.org:8443", "loop.example.org", false),
            ("127.0.0.1:8400", "127.0.0.1", true),
            ("[::1]:8400", "[::1]", true),
            ("[::1]", "[::1]", true),
            ("LOCALHOST:1", "LOCALHOST", true),
            ("127.0.0.1.example.org", "127.0.0.1.example.org", false),
            ("", "", false),
        ] {
            assert_eq!((host_name(host), is_address(host_name(host))), (name, address), "{host}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        for (hosts, refused) in [
            (&["loop.example.org"][..], None),
            (&["my_service:8400"], None),
            (&["[::1]:8400"], None),
            (&[], Some("the `Host` header is missing")),
            (&["a", "a"], Some("there is more than one `Host` header")),
            (&["a, b"], Some("the `Host` header must be a name or address with an optional port")),
            (&["user@a"], Some("the `Host` header must be a name or address with an optional port")),
            (&[""], Some("the `Host` header must be a name or address with an optional port")),
        ] {
            let request =
                hosts.iter().fold(Request::builder(), |request, host| request.header("host", *host));
            let request = request.finish();
            let detail = host(&request).err().map(|failure| failure.to_string());
            assert_eq!(detail.as_deref(), refused, "{hosts:?}");
        }
    }

    #[test]
    fn braces_stand_for_any_one_segment() {
        for (template, path, fits) in [
            ("/a/{id}/b", "/a/1/b", true),
            ("/a/{id}", "/a/1/b", false),
            ("/a/{id}/b", "/a/1", false),
            ("/a/b", "/a/c", false),
        ] {
            assert_eq!(matches(template, path), fits, "{template} {path}");
        }
    }
}
