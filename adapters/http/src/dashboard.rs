//! Serves the dashboard's files. Paths that are no file belong to its pages.

use domain::call::Digest;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{IntoResponse, Request, Response, handler};
use rust_embed::RustEmbed;

use crate::failure::Failure;
use crate::guard::is_dashboard;

#[derive(RustEmbed)]
#[folder = "$PROMPTLOOPER_DASHBOARD_FILES"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";
/// Files in this folder have the digest of their content in their name.
const NAMED_BY_CONTENT: &str = "assets/";

/// Allows only scripts and styles of this server, and forbids other sites to embed its pages.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

#[handler]
pub(crate) fn page(request: &Request) -> poem::Result<Response> {
    let path = request.uri().path();
    if !is_dashboard(path) {
        return Err(poem::error::NotFoundError.into());
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err(poem::error::MethodNotAllowedError.into());
    }
    let name = path.trim_start_matches('/');
    if let Some(response) = file(name, request) {
        return Ok(response);
    }
    if name.starts_with(NAMED_BY_CONTENT) {
        let detail = "this file belongs to another version of the dashboard: load the page again";
        return Err(Failure::new(StatusCode::NOT_FOUND, "not_found", detail).into());
    }
    Ok(file(INDEX, request).unwrap_or_else(missing))
}

fn file(name: &str, request: &Request) -> Option<Response> {
    let found = Files::get(name)?;
    let tag = format!("\"{}\"", Digest::new(found.metadata.sha256_hash()));
    let cache =
        if name.starts_with(NAMED_BY_CONTENT) { "public, max-age=31536000, immutable" } else { "no-cache" };
    if request.header(header::IF_NONE_MATCH).is_some_and(|known| known.contains(&tag)) {
        return Some(StatusCode::NOT_MODIFIED.into_response());
    }
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let kind = if kind.type_() == "text" { format!("{kind}; charset=utf-8") } else { kind.to_string() };
    let response = Response::builder()
        .content_type(kind)
        .header(header::CACHE_CONTROL, cache)
        .header(header::ETAG, tag)
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .body(found.data.into_owned());
    Some(response)
}

/// The page of a build without the dashboard.
fn missing() -> Response {
    let text = "This program was built without its dashboard. Build it with `npm ci && npm run build` in frontend/, \
                or build the program with --release. The API is here: /api/v1/openapi.json\n";
    let mut response = Response::builder().content_type("text/plain; charset=utf-8").body(text);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
