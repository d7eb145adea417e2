use std::time::Duration;

use async_trait::async_trait;
use futures::channel::oneshot;

/// Sleeps.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Returns after at least this span.
    async fn sleep(&self, span: Duration);
}

/// Runs long computations off the async threads.
#[async_trait]
pub trait Offload: Send + Sync {
    /// Runs `job` on a thread for blocking work, and returns when it has ended.
    async fn run(&self, job: Box<dyn FnOnce() + Send>);
}

/// Runs a job through the port. `None` if it panicked.
pub async fn offloaded<T: Send + 'static>(
    offload: &dyn Offload,
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = oneshot::channel();
    // Who asked may have gone away by then.
    offload.run(Box::new(move || drop(tell.send(job())))).await;
    told.await.ok()
}
