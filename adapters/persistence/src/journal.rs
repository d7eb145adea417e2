//! The journal: stores changes together or not at all.

use application::ports::{AnswerId, Commit, CommitError, Journal, Receipt, Settlement, StoreError};
use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::open::Stores;
use crate::writer::{Reply, Request, gone};

#[async_trait]
impl Journal for Stores {
    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let (reply, answered) = oneshot::channel();
        self.group.ask(Request::Commit(Box::new(commit), Reply::new(reply)))?;
        answered.await.unwrap_or_else(|_| Err(gone().into()))
    }

    async fn settle(&self, calls: Settlement) -> Result<Vec<AnswerId>, StoreError> {
        let (reply, answered) = oneshot::channel();
        self.group.ask(Request::Settle(Box::new(calls), Reply::new(reply)))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}
