//! Whether this process's claims still hold, and the claims that it could not release yet.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use domain::call::Digest;
use domain::time::Timestamp;

use super::Caller;
use crate::ports::StoreError;

impl Caller {
    /// The lease was renewed until then: the claims made from now on hold until then, and earlier ones too unless the lease
    /// had expired.
    pub(in crate::engine) fn alive_until(&self, until: Timestamp, lapsed: bool) {
        self.lapses.fetch_add(u64::from(lapsed), Ordering::SeqCst);
        self.alive_until.store(until.micros(), Ordering::SeqCst);
    }

    /// Whether a claim made after so many lapses of the lease certainly still holds. After a later lapse other workers may
    /// have made its calls.
    pub(super) fn still_holds(&self, lapses: u64) -> bool {
        self.ports.clock.now().micros() <= self.alive_until.load(Ordering::SeqCst)
            && self.lapses.load(Ordering::SeqCst) == lapses
    }

    /// Releases claims whose release failed before.
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
