//! What the protocols share: one exchange over HTTP, what its failures mean, and how answers are read. It knows no request.

pub(crate) mod answer;
pub(crate) mod error;
mod error_words;
mod event_stream;
pub(crate) mod excerpt;
pub(crate) mod failure;
pub(crate) mod json;
mod model_list;
mod relaxed;
mod retry_after;
pub(crate) mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::{Clock, ListedModel};
use domain::call::CallFailure;
use domain::endpoint::Endpoint;
use domain::secret::Secret;
use outbound::{Client, Request, Response};

/// Makes exchanges with one server after another over a shared client.
#[derive(Clone)]
pub(crate) struct Exchanges {
    client: Client,
    clock: Arc<dyn Clock>,
}

impl Exchanges {
    /// Over this client; the clock tells how far away a date in `Retry-After` is.
    pub(crate) const fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock }
    }

    /// Sends a request with the endpoint's key, and with `headers`, which its protocol wants. Those of the endpoint take their place, where it has some of their names.
    pub(crate) async fn send(
        &self,
        endpoint: &Endpoint,
        request: Request<'_>,
        headers: BTreeMap<String, Secret>,
    ) -> Result<Response, CallFailure> {
        let mut all = headers;
        let (request, named) = match endpoint.auth.header() {
            None => (request.bearer(endpoint.api_key.as_ref()), None),
            Some(name) => (request, endpoint.api_key.clone().map(|key| (name.to_owned(), key))),
        };
        all.extend(named);
        all.extend(endpoint.headers.iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        let request = request.headers(Some(&all)).timeout(endpoint.timeout);
        self.client.send(request).await.map_err(|e| failure::of_transport(&e))
    }

    /// An answer, where its status says that it is one.
    pub(crate) fn succeeded(&self, answer: Response, url: &str) -> Result<Response, CallFailure> {
        match answer.status() {
            200..=299 => Ok(answer),
            _ => Err(failure::of_status(&answer, self.clock.now(), url)),
        }
    }

    /// The models in an answer to a request at `url`.
    pub(crate) fn models(&self, answer: Response, url: &str) -> Result<Vec<ListedModel>, CallFailure> {
        model_list::read(self.succeeded(answer, url)?.body())
    }
}
