//! The door through which facts that belong together are written.

use application::ports::{AnswerId, CommitError, Journal, Receipt, Settlement, StoreError, Unit};
use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::open::Stores;
use crate::writer::{Reply, Request, gone};

#[async_trait]
impl Journal for Stores {
    async fn commit(&self, unit: Unit) -> Result<Receipt, CommitError> {
        let (reply, answered) = oneshot::channel();
        self.group.ask(Request::Commit(Box::new(unit), Reply::new(reply)))?;
        answered.await.unwrap_or_else(|_| Err(gone().into()))
    }

    async fn settle(&self, calls: Settlement) -> Result<Vec<AnswerId>, StoreError> {
        let (reply, answered) = oneshot::channel();
        self.group.ask(Request::Settle(Box::new(calls), Reply::new(reply)))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}
