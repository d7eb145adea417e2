//! Runs work on large requests where it does not delay other requests.

use poem::http::StatusCode;

use crate::failure::Failure;

/// Requests of up to this size are worked on at once, in bytes.
const LITTLE: usize = 64 << 10;

/// Runs work on a request of this size: at once if it is small, else on a blocking thread.
pub(crate) async fn work_on<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if bytes <= LITTLE {
        return work();
    }
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "reading a request broke down");
        let detail = "the request could not be read: this is a defect of the server";
        Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail))
    })
}
