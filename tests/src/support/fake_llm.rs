//! A model server whose behaviour is given by the model's name: real HTTP/1.1 on its own port, in this process or as `fake_llm`.
//!
//! It speaks chat completions at `POST /v1/chat/completions`, Anthropic's messages at `POST /v1/messages` (with a key in
//! `x-api-key` and a version), responses at `POST /v1/responses`, embeds texts at `POST /v1/embeddings` (refusing a request with
//! `[[refuse]]` in one of its texts, and failing each distinct request with `[[stumble]]` in one of them once), lists models at `GET /v1/models`, returns
//! its counts at `GET /_counts` and resets them at `POST /_reset`. An answer is a function of the request's body. The model's name
//! determines the kind of answer:
//!
//! | name | answer |
//! |---|---|
//! | `good-*` | `X`, for a prompt with `[[answer:X]]` |
//! | `bad-*` | `not-X` for it |
//! | `echo-*` | the last word of the prompt, made of letters, digits, `_` and `-` |
//! | `json-*` | `{"answer":"…","n":…}` around that word |
//! | `judge-*` | `{"reason":"…","pass":…,"score":N}`, for a prompt with `[[answer:N]]`, else a score from 1 to 5 |
//! | `judge-fickle` | the same, but one in five bodies gets 503 the first time |
//! | `judge-refusing` | the same, but one in five bodies gets 400 always |
//! | `fault-*` | see below |
//! | `costly-*` | a text, billed with any number of tokens that the request allows, when the request comes; one in 24 bodies is not answered the first time |
//! | `greedy-*` | as others, and bills all that the request allows: every byte, and every token of every answer |
//! | others | a text of some 100 bytes that differs between bodies |
//!
//! Faults. A number of times may follow, as in `fault-500x2`: each distinct body gets the fault that often, and then
//! the answer of `good-*`, or of `echo-*` where there is no marker.
//!
//! | name | what happens |
//! |---|---|
//! | `fault-STATUS` | that status, 300 to 599, with an error body; 3xx with a `Location` |
//! | `fault-STATUS-retry-WORD`, `fault-STATUSxN-retry-WORD` | the same with `Retry-After: WORD` |
//! | `fault-quota` | 429 `insufficient_quota` |
//! | `fault-loading` | 503, because the model is being loaded |
//! | `fault-context`, `fault-filtered` | 400, because the prompt is too long, or was filtered |
//! | `fault-headers` | 200 with a header of 1 MB |
//! | `fault-reset` | the connection closes before a byte |
//! | `fault-truncate`, `fault-chunks` | it breaks off in the body, of known or of chunked length |
//! | `fault-hang` | nothing, ever |
//! | `fault-trickle` | a byte a second |
//! | `fault-endless` | a body without end |
//! | `fault-html`, `fault-malformed`, `fault-empty-object`, `fault-empty-list`, `fault-deep` | 200 with a body that is no completion |
//! | `fault-error`, `fault-error-beside`, `fault-abort` | 200 with an error inside, alone or beside a part of an answer, or as the reason to stop |
//! | `fault-no-choices` | no choices |
//! | `fault-null-content`, `fault-tool-calls`, `fault-refusal`, `fault-filter` | no text, for that reason |
//! | `fault-length`, `fault-spent` | cut at the limit, with some text or none |
//! | `fault-cut` | a few prompt tokens, however long the prompt |
//! | `fault-stream` | a stream of events |
//! | `fault-extras` | fields that nobody knows, or that come twice |
//! | `fault-think`, `fault-reasoning`, `fault-reasoning-content`, `fault-reasoning-details` | thoughts before the text, as each of these has them |
//! | `fault-parts` | the content in two parts |
//! | `fault-nul`, `fault-surrogate`, `fault-bytes` | text that is not quite one |
//! | `fault-other-model`, `fault-provider` | another model answered, or one of another provider, with a fingerprint and a tier of its own |
//! | `fault-versions` | another version of the server answers each body |
//! | `fault-no-usage`, `fault-usage-null`, `fault-usage-negative`, `fault-usage-text`, `fault-usage-1e30` | tokens that are missing or wrong |

mod behaviour;
mod counts;
mod embeddings;
mod protocol;
mod reply;
mod server;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use counts::{Arrival, Counts};
use server::Shared;

/// The options of a fake server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// How long each answer takes, faults included.
    pub latency: Duration,
}

/// A running fake server; it stops when this is dropped.
pub struct FakeLlm {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl FakeLlm {
    /// Starts a server on the current runtime.
    ///
    /// # Errors
    /// Where the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options.latency));
        let accepting = tokio::spawn(server::accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// The base URL for endpoints, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The counts since the start or the last reset.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// Every request for a completion since then, in the order of arrival.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.shared.arrivals()
    }

    /// Resets the counts, except for requests in flight.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Sets how long answers take from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.set_latency(latency);
    }

    /// Waits until the server stops, which it does not do by itself.
    pub async fn wait(&mut self) {
        // It was aborted or it panicked: either way it has stopped.
        drop((&mut self.accepting).await);
    }
}

impl Drop for FakeLlm {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[cfg(test)]
mod tests;
