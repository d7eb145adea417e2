use futures::channel::oneshot;
use futures::future::BoxFuture;
use thiserror::Error;

/// A task panicked. That is a defect of this program; it ends that task and no other.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("it broke down: {0}")]
pub struct Panicked(pub String);

/// Runs tasks concurrently.
pub trait Tasks: Send + Sync {
    /// Starts a task. It goes on whether or not anybody waits for its end.
    fn start(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, Result<(), Panicked>>;
}

/// Starts a task and returns its result.
///
/// # Errors
/// If the task panics.
pub fn started<T: Send + 'static>(
    tasks: &dyn Tasks,
    task: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T, Panicked>> + Send + 'static {
    let (tell, told) = oneshot::channel();
    let ended = tasks.start(Box::pin(async move { drop(tell.send(task.await)) }));
    async move {
        ended.await?;
        told.await.map_err(|_| Panicked("its result was lost".to_owned()))
    }
}
