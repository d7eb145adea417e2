//! The group writer: while one transaction commits the next one collects.

mod outage;
mod request;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use application::ports::{
    AnswerId, CallClaim, Claim, CommitError, Journal, Receipt, Settlement, StoreError, Unit,
};
use async_trait::async_trait;
use domain::id::WorkerId;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use self::request::Request;
use self::request::{Reply, batches, refuse, tell};
use crate::connect::{Access, bounded};
use crate::dialect::{Dialect, Session, failed, whole};
use crate::fault::Cause;
use crate::group::{self, Answers};
use crate::open::Stores;
use crate::rows::Row;

/// The most requests in one transaction.
const GROUP: usize = 512;

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct GroupWriter {
    requests: mpsc::UnboundedSender<Request>,
}

impl GroupWriter {
    /// Starts the writer; it ends when its last handle is dropped.
    pub(crate) fn start(access: Access, next_answer: i64) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        let writer = Writer { access, next_answer: Arc::new(AtomicI64::new(next_answer)), inbox };
        tokio::spawn(writer.run());
        Self { requests }
    }

    pub(crate) async fn claim(
        &self,
        calls: Vec<CallClaim>,
        by: WorkerId,
        from_dead: bool,
    ) -> Result<Vec<Claim>, StoreError> {
        let (reply, answered) = oneshot::channel();
        self.ask(Request::Claim { calls, by, from_dead, reply: Reply::new(reply) })?;
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

struct Writer {
    access: Access,
    next_answer: Arc<AtomicI64>,
    inbox: mpsc::UnboundedReceiver<Request>,
}

/// Why a group has not been written, or may not have been.
enum Fault {
    /// Nothing of it has been written.
    Unwritten(sea_orm::DbErr),
    /// The connection was lost while the transaction of this number committed: it has landed with these answers, or not
    /// at all.
    Unknown { error: sea_orm::DbErr, transaction: i64, answers: Box<Answers> },
}

impl From<sea_orm::DbErr> for Fault {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Unwritten(error)
    }
}

impl Writer {
    async fn run(mut self) {
        let mut trouble = self.access.availability.watch();
        let mut group = Vec::new();
        loop {
            tokio::select! {
                received = self.inbox.recv_many(&mut group, GROUP) => if received == 0 { return },
                // A writer of another kind met a full disk: find out when there is room again.
                () = lost(&mut trouble) => self.outlast_trouble().await,
            }
            for batch in batches(std::mem::take(&mut group)) {
                self.write(batch).await;
            }
        }
    }

    /// Writes a group in one transaction. One that is refused is replayed request by request, so that a bad one harms no
    /// other.
    async fn write(&mut self, group: Vec<Request>) {
        let mut left = std::collections::VecDeque::from([group]);
        while let Some(group) = left.pop_front() {
            match self.attempt(&group).await {
                Ok(answers) => tell(group, answers),
                Err(Fault::Unwritten(error)) if group.len() == 1 && Cause::of(&error) == Cause::Refused => {
                    refuse(group, &failed(error));
                }
                Err(Fault::Unwritten(error))
                    if group.len() > 1 && matches!(Cause::of(&error), Cause::Refused | Cause::Contended) =>
                {
                    left.extend(group.into_iter().map(|request| vec![request]));
                }
                Err(fault) => left.extend(self.outlast(group, fault).await),
            }
        }
    }

    async fn attempt(&self, requests: &[Request]) -> Result<Answers, Fault> {
        let availability = &self.access.availability;
        let transaction = self.access.begin().await?;
        let session = Session { connection: &transaction, dialect: self.access.dialect };
        let applied = async {
            if requests.is_empty() {
                // Nothing but a write shows whether there is room for one.
                session.execute("UPDATE event_clock SET last = last WHERE id = 1", vec![]).await?;
            }
            let answers = group::apply(session, requests, &self.next_answer).await?;
            Ok((answers, number(session).await?))
        };
        let (answers, number) = bounded(availability, applied).await?;
        if answers.is_refusal() {
            bounded(availability, transaction.rollback()).await?;
            return Ok(answers);
        }
        match bounded(availability, transaction.commit()).await {
            Ok(()) => Ok(answers),
            Err(error) => Err(match number {
                Some(transaction) if Cause::of(&error) == Cause::Unreachable => {
                    Fault::Unknown { error, transaction, answers: Box::new(answers) }
                }
                _ => Fault::Unwritten(error),
            }),
        }
    }

    /// Whether a transaction has landed; `None` while that is still open.
    async fn has_landed(&self, transaction: i64) -> Result<Option<bool>, sea_orm::DbErr> {
        let sql = "SELECT txid_status($1) AS status";
        let row = self.access.one(sql, vec![whole(transaction)]).await?;
        let status = row.map_or(Ok(None), |row| Row(&row).maybe_text("status"))?;
        Ok(match status.as_deref() {
            Some("committed") => Some(true),
            Some("in progress") => None,
            _ => Some(false),
        })
    }
}

/// Waits until somebody finds that nothing can be written.
async fn lost(trouble: &mut watch::Receiver<Option<String>>) {
    // The sender lives as long as the writer.
    drop(trouble.wait_for(Option::is_some).await);
}

/// The number under which PostgreSQL remembers what became of a transaction. SQLite says so itself.
async fn number<C: sea_orm::ConnectionTrait>(session: Session<'_, C>) -> Result<Option<i64>, sea_orm::DbErr> {
    if session.dialect == Dialect::Sqlite {
        return Ok(None);
    }
    let row = session.one("SELECT txid_current() AS number", vec![]).await?;
    row.map(|row| Row(&row).whole("number")).transpose()
}
