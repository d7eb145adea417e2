//! Whether what this process has claimed is still its own, and what it could not give back yet.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use domain::call::Digest;
use domain::time::Timestamp;

use super::Caller;
use crate::ports::StoreError;

impl Caller {
    /// The database knows that this process lives until then: others leave alone what it claims from now on, and what it
    /// has claimed, unless its lease had run out.
    pub(in crate::engine) fn alive_until(&self, until: Timestamp, lapsed: bool) {
        self.lapses.fetch_add(u64::from(lapsed), Ordering::SeqCst);
        self.alive_until.store(until.micros(), Ordering::SeqCst);
    }

    /// Whether what this process claimed after so many lapses is certainly still its own. Where its heartbeats stopped,
    /// others may have made its calls.
    pub(super) fn still_holds(&self, lapses: u64) -> bool {
        self.ports.clock.now().micros() <= self.alive_until.load(Ordering::SeqCst)
            && self.lapses.load(Ordering::SeqCst) == lapses
    }

    /// Releases claims that could not be released when they were given back.
    pub(in crate::engine) async fn release_left_over(&self) -> Result<(), StoreError> {
        let left_over = std::mem::take(&mut *self.left_over());
        if left_over.is_empty() {
            return Ok(());
        }
        let released = self.ports.calls.release(&left_over, self.worker).await;
        if released.is_err() {
            self.left_over().extend(left_over);
        }
        released
    }

    pub(super) fn left_over(&self) -> MutexGuard<'_, Vec<Digest>> {
        self.left_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
