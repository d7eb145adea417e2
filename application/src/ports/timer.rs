use std::time::Duration;

use async_trait::async_trait;
use futures::channel::oneshot;

/// Waits.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Returns after at least this span.
    async fn sleep(&self, span: Duration);
}

/// Runs what would keep everything else waiting somewhere else.
#[async_trait]
pub trait Offload: Send + Sync {
    /// Runs `job` on a thread where it may take its time, and returns when it has ended.
    async fn run(&self, job: Box<dyn FnOnce() + Send>);
}

/// Runs a job elsewhere; what it came to, or `None` where it broke down.
pub async fn offloaded<T: Send + 'static>(
    offload: &dyn Offload,
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = oneshot::channel();
    // Who asked may have gone away by then.
    offload.run(Box::new(move || drop(tell.send(job())))).await;
    told.await.ok()
}
