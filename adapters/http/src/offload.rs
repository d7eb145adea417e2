//! Work on large requests, where it keeps no other request waiting.

use poem::http::StatusCode;

use crate::failure::Failure;

/// Bytes that are worked on at once.
const LITTLE: usize = 64 << 10;

/// Does work on so many bytes of a request: at once where they are few, else on a thread for such work.
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
