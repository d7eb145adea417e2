//! Answers calls with what the cache knows, without making any.

use std::sync::{Mutex, PoisonError};

use super::{Answers, HashedCall, Replies};
use crate::ports::{CallStore, StoreError};

/// The calls of one repetition of a sample, as far as they are determined.
#[derive(Debug, Default)]
pub(crate) struct AskedCalls {
    /// How many there are.
    pub(crate) calls: u64,
    /// Those that nobody has made yet.
    pub(crate) fresh: Vec<HashedCall>,
}

/// Answers with what the cache knows, and notes the calls that it does not.
pub(crate) struct KnownAnswers<'a> {
    calls: &'a dyn CallStore,
    owner: String,
    asked: Mutex<AskedCalls>,
}

impl<'a> KnownAnswers<'a> {
    /// With what the cache knows for this owner of calls that are not shared.
    pub(crate) fn new(calls: &'a dyn CallStore, owner: String) -> Self {
        Self { calls, owner, asked: Mutex::default() }
    }

    /// The calls that were asked for.
    pub(crate) fn into_asked(self) -> AskedCalls {
        self.asked.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for KnownAnswers<'_> {
    type Stop = StoreError;

    fn owner(&self) -> String {
        self.owner.clone()
    }

    async fn answer(&self, _stage: usize, calls: Vec<HashedCall>) -> Result<Replies, StoreError> {
        let known = self.calls.peek(calls.iter().map(|call| call.hash).collect()).await?;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.calls += calls.len() as u64;
        let before = asked.fresh.len();
        let unknown = calls.into_iter().zip(&known).filter(|(_, known)| known.is_none());
        asked.fresh.extend(unknown.map(|(call, _)| call));
        Ok(if asked.fresh.len() == before {
            Replies::Complete(known.into_iter().flatten().collect())
        } else {
            Replies::Unknown
        })
    }
}
