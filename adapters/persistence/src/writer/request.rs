//! What is asked of the group writer, and how it is answered.

use application::ports::{AnswerId, CallClaim, Claim, Commit, CommitError, Receipt, Settlement, StoreError};
use tokio::sync::oneshot;

use crate::claims::Claimant;
use crate::writer::group::Answers;

/// The way back to whoever asked. Nobody may be waiting any more: what was written stays written.
pub(crate) struct Reply<T>(Option<oneshot::Sender<T>>);

impl<T> Reply<T> {
    pub(crate) const fn new(sender: oneshot::Sender<T>) -> Self {
        Self(Some(sender))
    }

    fn send(&mut self, answer: T) {
        if let Some(sender) = self.0.take() {
            drop(sender.send(answer));
        }
    }
}

/// What is asked of the writer.
pub(crate) enum Request {
    Settle(Box<Settlement>, Reply<Result<Vec<AnswerId>, StoreError>>),
    Commit(Box<Commit>, Reply<Result<Receipt, CommitError>>),
    Claim { calls: Vec<CallClaim>, by: Claimant, reply: Reply<Result<Vec<Claim>, StoreError>> },
}

impl Request {
    /// Whether it is kept until it lands: what has been paid for, and the bookkeeping of it.
    pub(super) fn is_kept(&self) -> bool {
        match self {
            Self::Settle(..) => true,
            Self::Commit(commit, _) => commit.block.is_some(),
            Self::Claim { .. } => false,
        }
    }

    /// Whether it has not been answered yet.
    pub(super) const fn is_waiting(&self) -> bool {
        match self {
            Self::Settle(_, reply) => reply.0.is_some(),
            Self::Commit(_, reply) => reply.0.is_some(),
            Self::Claim { reply, .. } => reply.0.is_some(),
        }
    }

    /// A commit that may be refused after a part of it was written has a transaction of its own, which is rolled back then.
    fn needs_own_transaction(&self) -> bool {
        matches!(self, Self::Commit(commit, _) if commit.guarded_parts() > 1 || commit.begin.is_some())
    }

    pub(super) fn refuse(&mut self, error: &StoreError) {
        match self {
            Self::Settle(_, reply) => reply.send(Err(error.clone())),
            Self::Commit(_, reply) => reply.send(Err(error.clone().into())),
            Self::Claim { reply, .. } => reply.send(Err(error.clone())),
        }
    }
}

/// Requests that share a transaction, and each that needs one of its own.
pub(super) fn batches(group: Vec<Request>) -> Vec<Vec<Request>> {
    let (alone, shared): (Vec<_>, Vec<_>) = group.into_iter().partition(Request::needs_own_transaction);
    let shared = (!shared.is_empty()).then_some(shared);
    shared.into_iter().chain(alone.into_iter().map(|request| vec![request])).collect()
}

pub(super) fn tell(group: Vec<Request>, answers: Answers) {
    let Answers { settled, receipts, claims } = answers;
    let (mut settled, mut receipts, mut claims) =
        (settled.into_iter(), receipts.into_iter(), claims.into_iter());
    for request in group {
        match request {
            Request::Settle(_, mut reply) => reply.send(Ok(settled.next().unwrap_or_default())),
            Request::Commit(_, mut reply) => {
                reply.send(receipts.next().unwrap_or(Err(CommitError::Conflict)));
            }
            Request::Claim { mut reply, .. } => reply.send(Ok(claims.next().unwrap_or_default())),
        }
    }
}

pub(super) fn refuse(group: Vec<Request>, error: &StoreError) {
    for mut request in group {
        request.refuse(error);
    }
}
