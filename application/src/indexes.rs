//! Indexes of the texts that all samples of a sweep search. They are kept in memory while they are used, so that neither the
//! texts are cut nor their vectors read again for each sample.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::call::Reply;
use domain::id::{RunId, SweepId};
use domain::money::NanoDollars;
use domain::pipeline::Index;
use domain::run::{Payer, StageError};
use futures::lock::Mutex as AsyncMutex;

use crate::ports::{AnswerId, StoredAnswer, Usage};

/// The most bytes of indexes that are kept; a larger one is kept as long as no other is used.
const MAX_BYTES: usize = 256 << 20;
/// How often [`Indexes::forget_unused`] passes over an index that nobody uses before it is forgotten.
const IDLE_ROUNDS: u32 = 12;

/// An index, with what the answers that it was made of took.
#[derive(Debug)]
pub(crate) struct CorpusIndex {
    pub(crate) index: Index,
    answers: HashMap<Option<Payer>, PaidAnswers>,
    /// One answer, and one from somewhere else if there is one.
    origins: Vec<Arc<Reply>>,
    taken: (Duration, Option<NanoDollars>),
}

/// Answers with one payer.
#[derive(Debug)]
struct PaidAnswers {
    ids: Vec<AnswerId>,
    as_paid: Usage,
    as_hits: Usage,
}

/// What came of asking for an index.
#[derive(Debug)]
pub(crate) enum IndexReply {
    /// It is there.
    Ready(Arc<CorpusIndex>),
    /// A call has failed for good, or the answers make no index; the answers that there are.
    Failed(Vec<Arc<StoredAnswer>>, StageError),
    /// Its calls have not been made.
    Unknown,
}

/// Whose index it is. A later sweep reads the stored answers again, which may have been deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum IndexScope {
    Sweep(SweepId),
    Run(RunId),
}

/// The indexes that are kept.
#[derive(Debug)]
pub(crate) struct Indexes<K> {
    kept: Mutex<Kept<K>>,
    max_bytes: usize,
}

#[derive(Debug)]
struct Kept<K> {
    entries: HashMap<K, Entry>,
    /// How often one was asked for.
    uses: u64,
}

#[derive(Debug, Default)]
struct Entry {
    slot: Slot,
    bytes: usize,
    last_use: u64,
    idle_rounds: u32,
}

/// Holds the index once it is made. Whoever makes it holds the lock; others wait, and make it themselves if that failed.
type Slot = Arc<AsyncMutex<Option<Arc<CorpusIndex>>>>;

impl CorpusIndex {
    /// An index that was made of these answers.
    pub(crate) fn new(index: Index, answers: &[Arc<StoredAnswer>]) -> Self {
        let mut by_payer: HashMap<Option<Payer>, PaidAnswers> = HashMap::new();
        let (mut origins, mut seen) = (Vec::<Arc<Reply>>::new(), HashSet::new());
        for answer in answers {
            let paid = by_payer.entry(answer.paid_by.map(any_call)).or_insert_with(PaidAnswers::none);
            // Equal texts have one answer, which is paid for once.
            let is_new = seen.insert(answer.id);
            if is_new {
                paid.ids.push(answer.id);
            }
            paid.as_paid = paid.as_paid.and(Usage::of(answer, is_new));
            paid.as_hits = paid.as_hits.and(Usage::of(answer, false));
            if origins.len() < 2 && origins.iter().all(|known| !is_same_origin(known, &answer.reply)) {
                origins.push(Arc::clone(&answer.reply));
            }
        }
        let latency = answers.iter().map(|answer| answer.reply.latency).sum();
        let taken = (latency, answers.iter().map(|answer| answer.cost).sum());
        Self { index, answers: by_payer, origins, taken }
    }

    /// The latency and the cost of all its answers together, as they were when each was made.
    pub(crate) const fn taken(&self) -> (Duration, Option<NanoDollars>) {
        self.taken
    }

    /// What all its answers took, for a place that uses them: those are hits that it has not paid for.
    pub(crate) fn usage(&self, payer: Payer) -> Usage {
        let payer = Some(any_call(payer));
        let each = self.answers.iter();
        let used = each.map(|(by, paid)| if *by == payer { paid.as_paid } else { paid.as_hits });
        used.fold(Usage::NONE, Usage::and)
    }

    /// The answers that a place paid for.
    pub(crate) fn paid_by(&self, payer: Payer) -> &[AnswerId] {
        self.answers.get(&Some(any_call(payer))).map_or(&[], |paid| &paid.ids)
    }

    /// Answers from which it can be told whether all came from one model and server.
    pub(crate) fn origins(&self) -> &[Arc<Reply>] {
        &self.origins
    }

    fn size(&self) -> usize {
        let ids: usize = self.answers.values().map(|paid| size_of_val(&*paid.ids)).sum();
        self.index.size() + ids + self.answers.len() * size_of::<(Option<Payer>, PaidAnswers)>()
    }
}

impl PaidAnswers {
    const fn none() -> Self {
        Self { ids: Vec::new(), as_paid: Usage::NONE, as_hits: Usage::NONE }
    }
}

/// The place alone, whichever of its calls it is.
const fn any_call(payer: Payer) -> Payer {
    Payer { call: 0, ..payer }
}

fn is_same_origin(one: &Reply, other: &Reply) -> bool {
    one.model_returned == other.model_returned
        && one.provider == other.provider
        && one.system_fingerprint == other.system_fingerprint
        && one.service_tier == other.service_tier
}

impl<K: Eq + Hash + Clone> Indexes<K> {
    /// The index of this key: the one that is kept, or what comes of making it. Of several that ask at once one makes it.
    pub(crate) async fn get_or_make<E>(
        &self,
        key: &K,
        make: impl Future<Output = Result<IndexReply, E>>,
    ) -> Result<IndexReply, E> {
        let slot = self.slot(key);
        let mut made = slot.lock().await;
        if let Some(index) = &*made {
            return Ok(IndexReply::Ready(Arc::clone(index)));
        }
        let reply = make.await?;
        if let IndexReply::Ready(index) = &reply {
            *made = Some(Arc::clone(index));
            self.keep_within(key, index.size());
        }
        Ok(reply)
    }

    /// Forgets those that nobody has used for a while.
    pub(crate) fn forget_unused(&self) {
        self.kept().entries.retain(|_, entry| {
            entry.idle_rounds += 1;
            entry.idle_rounds <= IDLE_ROUNDS || Arc::strong_count(&entry.slot) > 1
        });
    }

    fn slot(&self, key: &K) -> Slot {
        let mut kept = self.kept();
        kept.uses += 1;
        let last_use = kept.uses;
        let entry = kept.entries.entry(key.clone()).or_default();
        (entry.last_use, entry.idle_rounds) = (last_use, 0);
        Arc::clone(&entry.slot)
    }

    /// Notes the size of a new index, and forgets others until there is room for it: first what was used least recently.
    fn keep_within(&self, key: &K, bytes: usize) {
        let mut kept = self.kept();
        if let Some(entry) = kept.entries.get_mut(key) {
            entry.bytes = bytes;
        }
        while kept.entries.values().map(|entry| entry.bytes).sum::<usize>() > self.max_bytes {
            let others = kept.entries.iter().filter(|(other, entry)| *other != key && entry.bytes > 0);
            let Some(oldest) = others.min_by_key(|(_, entry)| entry.last_use).map(|(other, _)| other.clone())
            else {
                return;
            };
            kept.entries.remove(&oldest);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Default for Indexes<K> {
    fn default() -> Self {
        let kept = Kept { entries: HashMap::new(), uses: 0 };
        Self { kept: Mutex::new(kept), max_bytes: MAX_BYTES }
    }
}

#[cfg(test)]
mod tests;
