//! Services of the user's own: one exchange with each request, whose failures mean what they mean at model servers.

use std::sync::Arc;
use std::time::Instant;

use application::ports::{Clock, Fetch, FetchRequest, FetchResponse};
use async_trait::async_trait;
use domain::call::{CallFailure, FailureKind};
use domain::excerpt::excerpt;
use domain::secret::Secret;
use domain::service::ServiceOrigin;
use outbound::{Client, Error, Request, RequestRefusal, Response};

use crate::exchange::{failure, json};

/// Characters of a URL that a message shows.
const SHOWN_URL: usize = 200;

/// Exchanges with services, over a client that knows which addresses they may be at.
pub struct HttpServices {
    client: Client,
    clock: Arc<dyn Clock>,
}

impl HttpServices {
    /// Over this client. The clock is needed for dates in `Retry-After`.
    #[must_use]
    pub const fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock }
    }

    async fn exchange(&self, request: &FetchRequest) -> Result<FetchResponse, CallFailure> {
        let FetchRequest { url, headers, body, timeout } = request;
        let post = Request::post_json(url, body.clone()).headers(Some(headers)).timeout(*timeout);
        let begun = Instant::now();
        let answer = self.client.send(post).await.map_err(|error| not_sent(&error, url))?;
        let latency = begun.elapsed();
        if !(200..=299).contains(&answer.status()) {
            return Err(failure::of_service_status(&answer, self.clock.now(), url));
        }
        let mut is_lossy = false;
        let body = json::text(answer.body(), &mut is_lossy);
        Ok(FetchResponse { body, is_json: is_json(&answer), is_lossy, latency })
    }
}

/// The failure of a request that brought no answer. What is refused is refused before anything is connected to, so that
/// nobody learns which ports are open.
fn not_sent(error: &Error, url: &str) -> CallFailure {
    let shown = excerpt(url, SHOWN_URL);
    match error {
        Error::Refused(RequestRefusal::Private) => {
            let host = ServiceOrigin::parse(url).map(|origin| origin.host().to_owned()).unwrap_or_default();
            let is = if host.parse::<std::net::IpAddr>().is_ok() { "is" } else { "leads to" };
            let message = format!(
                "`{shown}` {is} a private address: an administrator can allow it with OUTBOUND_ALLOW={host}"
            );
            CallFailure::new(FailureKind::AddressRefused, message)
        }
        Error::Refused(RequestRefusal::Header) => CallFailure::new(FailureKind::Rejected, error.to_string()),
        Error::Refused(refusal) => {
            CallFailure::new(FailureKind::AddressRefused, format!("`{shown}`: {refusal}"))
        }
        error => failure::of_transport(error),
    }
}

fn is_json(answer: &Response) -> bool {
    let kind = answer.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.ends_with("/json") || kind.ends_with("+json")
}

#[async_trait]
impl Fetch for HttpServices {
    async fn post_json(&self, request: &FetchRequest) -> Result<FetchResponse, CallFailure> {
        let fetched = self.exchange(request).await;
        fetched.map_err(|failure| failure::without(failure, request.headers.values().map(Secret::expose)))
    }
}

#[cfg(test)]
mod tests;
