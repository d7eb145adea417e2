//! Answers the calls of a walk with what the cache knows, and notes those that it does not.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::pipeline::Corpus;

use super::{Answers, HashedCall, Replies, make_index};
use crate::indexes::{IndexReply, Indexes};
use crate::ports::{CallStore, Offload, StoreError};

/// The calls of one repetition of a sample, as far as they are determined.
#[derive(Debug, Default)]
pub(crate) struct AskedCalls {
    /// How many there are.
    pub(crate) calls: u64,
    /// Those that nobody has made yet, except for those of a corpus that an earlier walk has asked for.
    pub(crate) fresh: Vec<HashedCall>,
}

/// The indexes of an estimate, by their keys: each corpus is looked up once.
#[derive(Debug, Default)]
pub(crate) struct KnownIndexes {
    made: Indexes<String>,
    /// Corpora of which the cache does not know every text.
    unknown: Mutex<HashSet<String>>,
}

impl KnownIndexes {
    fn unknown(&self) -> MutexGuard<'_, HashSet<String>> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the cache knows, for one repetition of a sample.
pub(crate) struct KnownAnswers<'a> {
    calls: &'a dyn CallStore,
    indexes: &'a KnownIndexes,
    owner: String,
    asked: Mutex<AskedCalls>,
}

impl<'a> KnownAnswers<'a> {
    /// With what the cache knows for this owner of calls that are not shared.
    pub(crate) fn new(calls: &'a dyn CallStore, indexes: &'a KnownIndexes, owner: String) -> Self {
        Self { calls, indexes, owner, asked: Mutex::default() }
    }

    pub(crate) fn into_asked(self) -> AskedCalls {
        self.asked.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, AskedCalls> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an index, and remembers that it cannot be made.
    async fn make(
        &self,
        stage: usize,
        corpus: Corpus,
        offload: &dyn Offload,
    ) -> Result<IndexReply, StoreError> {
        let key = corpus.key().to_owned();
        if self.indexes.unknown().contains(&key) {
            return Ok(IndexReply::Unknown);
        }
        let made = make_index(self, stage, corpus, offload).await?;
        if matches!(made, IndexReply::Unknown) {
            self.indexes.unknown().insert(key);
        }
        Ok(made)
    }
}

impl Answers for KnownAnswers<'_> {
    type Stop = StoreError;

    fn owner(&self) -> String {
        self.owner.clone()
    }

    async fn answer(&self, _stage: usize, calls: Vec<HashedCall>) -> Result<Replies, StoreError> {
        let known = self.calls.peek(calls.iter().map(|call| call.hash).collect()).await?;
        let mut asked = self.asked();
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

    async fn index(
        &self,
        stage: usize,
        corpus: Corpus,
        offload: &dyn Offload,
    ) -> Result<IndexReply, StoreError> {
        let (before, calls) = (self.asked().calls, corpus.len() as u64);
        let key = corpus.key().to_owned();
        let reply = self.indexes.made.get_or_make(&key, self.make(stage, corpus, offload)).await?;
        // Every sample needs the calls of the corpus, whichever of them looked them up.
        self.asked().calls = before + calls;
        Ok(reply)
    }
}
