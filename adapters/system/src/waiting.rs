//! Waiting, and work that would keep others waiting, on tokio.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{Offload, Panicked, Tasks, Timer};
use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;

/// Tokio's timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTimer;

#[async_trait]
impl Timer for TokioTimer {
    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// Tokio's threads for work that blocks, as many at once as there are processors: more would only take memory. They have
/// less of the processors than the threads that answer requests and send heartbeats, wherever those want it.
#[derive(Debug, Clone)]
pub struct BlockingThreads {
    free: Arc<Semaphore>,
}

impl Default for BlockingThreads {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Self { free: Arc::new(Semaphore::new(processors.max(2))) }
    }
}

#[async_trait]
impl Offload for BlockingThreads {
    async fn run(&self, job: Box<dyn FnOnce() + Send>) {
        // The permit goes with the job: it counts until the job ends, even where nobody waits for it any more.
        let Ok(permit) = Arc::clone(&self.free).acquire_owned().await else { return };
        let job = move || {
            let _permit = permit;
            yield_to_other_threads();
            job();
        };
        // A job that panics is told by the result that it never gave.
        drop(tokio::task::spawn_blocking(job).await);
    }
}

/// The priority of threads that compute, as `nice` counts: 0 is a process's own, 19 the lowest.
#[cfg(target_os = "linux")]
const COMPUTING_PRIORITY: i32 = 10;

/// Lowers the priority of this thread for good. Linux alone has priorities of threads; elsewhere it stays as it is.
fn yield_to_other_threads() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, COMPUTING_PRIORITY) {
        tracing::debug!(%error, "a thread that computes keeps the priority of the others");
    }
}

/// Tokio's tasks.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTasks;

impl Tasks for TokioTasks {
    fn start(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, Result<(), Panicked>> {
        let handle = tokio::spawn(task);
        async move { handle.await.map_err(|error| Panicked(why(error))) }.boxed()
    }
}

/// What a panic said.
fn why(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Err(cancelled) => cancelled.to_string(),
        Ok(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use application::ports::started;

    use super::*;

    #[tokio::test]
    async fn a_job_has_ended_when_run_returns() {
        let (tell, told) = mpsc::channel();
        let threads = BlockingThreads::default();
        threads.run(Box::new(move || tell.send(7).unwrap())).await;
        assert_eq!(told.try_recv(), Ok(7));
        threads.run(Box::new(|| panic!("planted"))).await;
    }

    #[tokio::test]
    async fn a_task_that_panics_ends_alone_and_says_why() {
        let broken = started(&TokioTasks, async { panic!("planted {}", 7) });
        let whole = started(&TokioTasks, async { 7 });
        assert_eq!(broken.await, Err::<(), _>(Panicked("planted 7".to_owned())));
        assert_eq!(whole.await, Ok(7));
    }
}
