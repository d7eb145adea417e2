//! The group writer: while one transaction commits, requests for the next one are collected.

pub(crate) mod group;
mod outage;
mod request;

use std::sync::atomic::{AtomicI64, Ordering};

use application::ports::{CallClaim, Claim, StoreError};
use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::{mpsc, oneshot, watch};

use self::group::Answers;
pub(crate) use self::request::{Reply, Request};
use self::request::{batches, refuse, tell};
use crate::claims::Claimant;
use crate::connect::{Access, bounded};
use crate::detached::in_background;
use crate::dialect::{Dialect, Session, failed, id, whole};
use crate::fault::Cause;
use crate::rows::Row;

/// The most requests in one transaction.
const GROUP: usize = 512;

/// The handle of the group writer.
#[derive(Clone)]
pub(crate) struct GroupWriter {
    requests: mpsc::UnboundedSender<Request>,
}

impl GroupWriter {
    /// Starts the writer, which ends when its last handle is dropped.
    pub(crate) fn start(access: Access, next_answer: i64, id: u128) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        let writer = CommitWriter {
            access,
            id,
            next_answer: AtomicI64::new(next_answer),
            next_mark: AtomicI64::new(1),
            inbox,
        };
        in_background(writer.access.dialect, writer.run());
        Self { requests }
    }

    pub(crate) async fn claim(&self, calls: Vec<CallClaim>, by: Claimant) -> Result<Vec<Claim>, StoreError> {
        let (reply, answered) = oneshot::channel();
        self.ask(Request::Claim { calls, by, reply: Reply::new(reply) })?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    pub(crate) fn ask(&self, request: Request) -> Result<(), StoreError> {
        self.requests.send(request).map_err(|_| gone())
    }
}

pub(crate) fn gone() -> StoreError {
    StoreError::Unavailable("the database has been closed".to_owned())
}

/// Reads the number of a writer's last committed transaction.
const LAST_MARK: &str = "SELECT number FROM commit_mark WHERE writer = $1 {for update}";
const MARK: &str = "INSERT INTO commit_mark (writer, number) VALUES ($1, $2) \
     ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = {now}";

struct CommitWriter {
    access: Access,
    id: u128,
    next_answer: AtomicI64,
    next_mark: AtomicI64,
    inbox: mpsc::UnboundedReceiver<Request>,
}

/// Why a group was not written, or may not have been.
enum Fault {
    /// Nothing of it has been written.
    Unwritten(DbErr),
    /// The connection was lost during the COMMIT of the transaction with this mark. Either it was committed, and
    /// these are its answers, or it was not.
    Unknown { error: DbErr, transaction: i64, answers: Box<Answers> },
}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        Self::Unwritten(error)
    }
}

impl CommitWriter {
    async fn run(mut self) {
        let mut trouble = self.access.availability.watch();
        let mut group = Vec::new();
        loop {
            tokio::select! {
                received = self.inbox.recv_many(&mut group, GROUP) => if received == 0 { return },
                // Another writer found a full disk: test regularly whether there is room again.
                () = lost(&mut trouble) => self.outlast_trouble().await,
            }
            for batch in batches(std::mem::take(&mut group)) {
                self.write(batch).await;
            }
        }
    }

    /// Writes a group in one transaction. If that is refused, the requests are repeated one by one, so that an
    /// invalid request does not affect the others.
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
                // Only a write shows whether there is room for writes.
                session.execute("UPDATE event_clock SET last = last WHERE id = 1", vec![]).await?;
            }
            let answers = group::apply(session, requests, &self.next_answer).await?;
            Ok((answers, self.mark(session).await?))
        };
        let (answers, mark) = bounded(availability, applied).await?;
        if answers.is_refusal() {
            bounded(availability, transaction.rollback()).await?;
            return Ok(answers);
        }
        match bounded(availability, transaction.commit()).await {
            Ok(()) => Ok(answers),
            Err(error) => Err(match mark {
                Some(transaction) if Cause::of(&error) == Cause::Unreachable => {
                    Fault::Unknown { error, transaction, answers: Box::new(answers) }
                }
                _ => Fault::Unwritten(error),
            }),
        }
    }

    /// Whether a transaction was committed. Waits for one that is still in progress, because it holds the lock of the
    /// mark's row.
    async fn has_landed(&self, transaction: i64) -> Result<bool, DbErr> {
        let access = &self.access;
        let landed = async {
            let transaction = access.begin().await?;
            let session = Session { connection: &transaction, dialect: access.dialect };
            session.one(LAST_MARK, vec![id(self.id)]).await
        };
        let row = bounded(&access.availability, landed).await?;
        let last = row.map_or(Ok(0), |row| Row(&row).whole("number"))?;
        Ok(last >= transaction)
    }

    /// Marks a transaction of PostgreSQL with the writer's next number, so that it can be found out later whether it
    /// was committed. PostgreSQL's own transaction numbers are not suitable: after a crash, the server reuses those
    /// of lost transactions. SQLite always reports whether a transaction was committed.
    async fn mark<C: ConnectionTrait>(&self, session: Session<'_, C>) -> Result<Option<i64>, DbErr> {
        if session.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let number = self.next_mark.fetch_add(1, Ordering::Relaxed);
        session.execute(MARK, vec![id(self.id), whole(number)]).await?;
        Ok(Some(number))
    }
}

/// Waits until writes fail.
async fn lost(trouble: &mut watch::Receiver<Option<String>>) {
    // The sender lives as long as the writer.
    drop(trouble.wait_for(Option::is_some).await);
}
