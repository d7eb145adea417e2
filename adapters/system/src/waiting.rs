//! Waiting, and work that would keep others waiting, on tokio.

use std::time::Duration;

use application::ports::{Offload, Timer};
use async_trait::async_trait;

/// Tokio's timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTimer;

#[async_trait]
impl Timer for TokioTimer {
    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// Tokio's threads for work that blocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlockingThreads;

#[async_trait]
impl Offload for BlockingThreads {
    async fn run(&self, job: Box<dyn FnOnce() + Send>) {
        // A job that panics is told by the result that it never gave.
        drop(tokio::task::spawn_blocking(job).await);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_job_has_ended_when_run_returns() {
        let (tell, told) = mpsc::channel();
        BlockingThreads.run(Box::new(move || tell.send(7).unwrap())).await;
        assert_eq!(told.try_recv(), Ok(7));
        BlockingThreads.run(Box::new(|| panic!("planted"))).await;
    }
}
