use futures::channel::oneshot;
use futures::future::BoxFuture;
use thiserror::Error;

/// A task broke down: a defect of ours, which ends that task and nothing else.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("it broke down: {0}")]
pub struct Panicked(pub String);

/// Runs tasks beside each other.
pub trait Tasks: Send + Sync {
    /// Starts a task. It goes on whether or not anybody waits for its end.
    fn start(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, Result<(), Panicked>>;
}

/// Starts a task; what it comes to.
///
/// # Errors
/// Where the task breaks down.
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
