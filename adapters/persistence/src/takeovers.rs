//! Which workers may take over from others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::id::WorkerId;

/// What happens to workers of earlier processes when a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeadWorkers {
    /// Nobody else can be using the database: all of them are gone.
    All,
    /// Others may live: only those whose lease has run out are gone.
    Expired,
}

/// Which workers of this process may take over from others whose lease has run out. After an outage of the database every
/// lease has run out, their own too: then they wait one lease for the others to renew theirs.
#[derive(Debug, Default)]
pub(crate) struct Takeovers {
    own: Mutex<HashMap<WorkerId, OwnLease>>,
}

/// What a worker knows of its own lease.
#[derive(Debug, Clone, Copy)]
struct OwnLease {
    /// Until when it has not run out.
    until: Instant,
    /// Since when it has not run out, where it did before.
    allowed_from: Option<Instant>,
}

impl Takeovers {
    pub(crate) fn are_allowed(&self, worker: WorkerId) -> bool {
        let (own, now) = (self.own(), Instant::now());
        own.get(&worker)
            .is_none_or(|lease| now <= lease.until && lease.allowed_from.is_none_or(|from| from <= now))
    }

    /// The lease was renewed by a statement sent at `sent`. `lapsed` where it had run out.
    pub(crate) fn renewed(&self, worker: WorkerId, sent: Instant, lease: Duration, lapsed: bool) {
        let mut own = self.own();
        let before = own.get(&worker).and_then(|lease| lease.allowed_from);
        let allowed_from = if lapsed { Instant::now().checked_add(lease) } else { before };
        own.insert(worker, OwnLease { until: sent + lease, allowed_from });
    }

    fn own(&self) -> MutexGuard<'_, HashMap<WorkerId, OwnLease>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
