//! The group writer: while one transaction commits the next one collects.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use application::ports::{CallClaim, Claim, CommitError, Journal, Receipt, StoreError, Unit};
use async_trait::async_trait;
use domain::id::WorkerId;
use sea_orm::{DatabaseConnection, TransactionTrait as _};
use tokio::sync::{mpsc, oneshot};

use crate::dialect::{Dialect, Session, failed};
use crate::group::{self, Answers};
use crate::open::Stores;

/// The most requests in one transaction.
const GROUP: usize = 512;

/// What is asked of the writer.
pub(crate) enum Request {
    Commit(Box<Unit>, oneshot::Sender<Result<Receipt, CommitError>>),
    Claim(Vec<CallClaim>, WorkerId, oneshot::Sender<Result<Vec<Claim>, StoreError>>),
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct GroupWriter {
    requests: mpsc::UnboundedSender<Request>,
}

impl GroupWriter {
    /// Starts the writer; it ends when its last handle is dropped.
    pub(crate) fn start(connection: DatabaseConnection, dialect: Dialect, next_answer: i64) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        let writer = Writer { connection, dialect, next_answer: Arc::new(AtomicI64::new(next_answer)) };
        tokio::spawn(writer.run(inbox));
        Self { requests }
    }

    pub(crate) async fn claim(&self, calls: Vec<CallClaim>, by: WorkerId) -> Result<Vec<Claim>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Claim(calls, by, answer))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    fn ask(&self, request: Request) -> Result<(), StoreError> {
        self.requests.send(request).map_err(|_| gone())
    }
}

pub(crate) fn gone() -> StoreError {
    StoreError::Unavailable("the database has been closed".to_owned())
}

#[async_trait]
impl Journal for Stores {
    async fn commit(&self, unit: Unit) -> Result<Receipt, CommitError> {
        let (answer, answered) = oneshot::channel();
        self.group.ask(Request::Commit(Box::new(unit), answer))?;
        answered.await.unwrap_or_else(|_| Err(gone().into()))
    }
}

struct Writer {
    connection: DatabaseConnection,
    dialect: Dialect,
    next_answer: Arc<AtomicI64>,
}

impl Writer {
    async fn run(self, mut inbox: mpsc::UnboundedReceiver<Request>) {
        let mut group = Vec::new();
        while inbox.recv_many(&mut group, GROUP).await > 0 {
            self.write(std::mem::take(&mut group)).await;
        }
    }

    /// Writes a group in one transaction. One that fails is replayed request by request, so that a bad one harms no other.
    async fn write(&self, group: Vec<Request>) {
        match self.attempt(&group).await {
            Ok(answers) => tell(group, answers),
            Err(error) if group.len() == 1 => refuse(group, &failed(error)),
            Err(_) => {
                for request in group {
                    let alone = vec![request];
                    match self.attempt(&alone).await {
                        Ok(answers) => tell(alone, answers),
                        Err(error) => refuse(alone, &failed(error)),
                    }
                }
            }
        }
    }

    async fn attempt(&self, requests: &[Request]) -> Result<Answers, sea_orm::DbErr> {
        let transaction = self.connection.begin().await?;
        let session = Session { connection: &transaction, dialect: self.dialect };
        let answers = group::apply(session, requests, &self.next_answer).await?;
        transaction.commit().await?;
        Ok(answers)
    }
}

/// Nobody may be waiting any more: what was written stays written.
fn tell(group: Vec<Request>, answers: Answers) {
    let (mut receipts, mut claims) = (answers.receipts.into_iter(), answers.claims.into_iter());
    for request in group {
        match request {
            Request::Commit(_, answer) => {
                let receipt = receipts.next().unwrap_or(Err(CommitError::Conflict));
                drop(answer.send(receipt));
            }
            Request::Claim(_, _, answer) => drop(answer.send(Ok(claims.next().unwrap_or_default()))),
        }
    }
}

fn refuse(group: Vec<Request>, error: &StoreError) {
    for request in group {
        match request {
            Request::Commit(_, answer) => drop(answer.send(Err(error.clone().into()))),
            Request::Claim(_, _, answer) => drop(answer.send(Err(error.clone()))),
        }
    }
}
