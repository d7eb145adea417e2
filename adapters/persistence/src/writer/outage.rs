//! What the group writer does while the database takes nothing: it keeps what was paid for, tells everybody else, and
//! tries again.

use std::time::Duration;

use application::ports::StoreError;
use sea_orm::DbErr;
use tokio::time::{Instant, sleep_until};

use super::request::batches;
use super::{CommitWriter, Fault, GROUP, Request, refuse, tell};
use crate::dialect::failed;
use crate::fault::{Cause, reason};
use crate::writer::group::Answers;

/// Waits between two tries: the first, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A transaction that may have landed, and its answers if it has.
type Unknown = (i64, Box<Answers>);

impl CommitWriter {
    /// Waits until the database takes writes again, after somebody else found that it does not.
    pub(super) async fn outlast_trouble(&mut self) {
        let trouble = self.access.availability.trouble().unwrap_or_default();
        let error = DbErr::Conn(sea_orm::RuntimeErr::Internal(trouble));
        for group in self.outlast(Vec::new(), Fault::Unwritten(error)).await {
            self.write(group).await;
        }
    }

    /// Tries a group again until the database takes writes; what is left to be written then. Whoever cannot wait for that
    /// is told so.
    pub(super) async fn outlast(&mut self, mut group: Vec<Request>, fault: Fault) -> Vec<Vec<Request>> {
        let (mut error, mut unknown) = match fault {
            Fault::Unwritten(error) => (error, None),
            Fault::Unknown { error, transaction, answers } => (error, Some((transaction, answers))),
        };
        let (mut late, mut wait, mut first) = (Vec::new(), FIRST_WAIT, true);
        loop {
            // A restart or a deadlock is often over at once.
            if !first {
                self.give_notice(&mut group, &error);
            }
            self.pause(wait, !first, &mut late).await;
            (first, wait) = (false, (wait * 2).min(LONGEST_WAIT));
            match self.again(&mut group, unknown.take()).await {
                Ok(answers) => {
                    tell(group, answers);
                    self.access.availability.regained();
                    return batches(late);
                }
                Err(Fault::Unwritten(refused)) if Cause::of(&refused) == Cause::Refused => {
                    self.access.availability.regained();
                    let alone = group.into_iter().map(|request| vec![request]);
                    return alone.chain(batches(late)).collect();
                }
                Err(Fault::Unwritten(again)) => error = again,
                Err(Fault::Unknown { error: again, transaction, answers }) => {
                    error = again;
                    unknown = Some((transaction, answers));
                }
            }
        }
    }

    /// Writes what of a group is still waited for. A transaction whose end is not known is looked up first: it may have landed.
    async fn again(&self, group: &mut Vec<Request>, unknown: Option<Unknown>) -> Result<Answers, Fault> {
        if let Some((transaction, answers)) = unknown {
            match self.has_landed(transaction).await {
                Ok(true) => return Ok(*answers),
                Ok(false) => {}
                Err(error) => return Err(Fault::Unknown { error, transaction, answers }),
            }
        }
        group.retain(Request::is_waiting);
        self.attempt(group).await
    }

    /// Says that nothing is written now, and tells so everybody whose request holds nothing that was paid for.
    fn give_notice(&self, group: &mut [Request], error: &DbErr) {
        self.access.availability.lost(reason(error));
        let error = failed(error.clone());
        group.iter_mut().filter(|request| !request.is_kept()).for_each(|request| request.refuse(&error));
    }

    /// Waits; what comes meanwhile is kept for later, or with `refusing` told that nothing is written now.
    async fn pause(&mut self, wait: Duration, refusing: bool, late: &mut Vec<Request>) {
        let until = Instant::now() + wait;
        loop {
            let mut came = Vec::new();
            tokio::select! {
                () = sleep_until(until) => return,
                received = self.inbox.recv_many(&mut came, GROUP) => if received == 0 {
                    sleep_until(until).await;
                    return;
                },
            }
            let (kept, refused): (Vec<_>, Vec<_>) =
                came.into_iter().partition(|request| !refusing || request.is_kept());
            late.extend(kept);
            let why = self.access.availability.trouble().unwrap_or_default();
            refuse(refused, &StoreError::Unavailable(why));
        }
    }
}
