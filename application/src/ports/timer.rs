use std::time::Duration;

use async_trait::async_trait;

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
