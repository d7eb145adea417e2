//! Which workers may take over from others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::id::WorkerId;

/// Which workers of earlier processes are considered gone when a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeadWorkers {
    /// All: no other process can be using the database.
    All,
    /// Only those whose lease has expired: others may be alive.
    Expired,
}

/// Which workers of this process may take over from workers whose lease has expired. After an outage of the database
/// all leases have expired, including this worker's own. It then waits for one lease, so that the others can renew
/// theirs.
#[derive(Debug, Default)]
pub(crate) struct Takeovers {
    own: Mutex<HashMap<WorkerId, OwnLease>>,
}

/// The state of a worker's own lease, as far as the worker knows.
#[derive(Debug, Clone, Copy)]
struct OwnLease {
    /// When it expires.
    until: Instant,
    /// From when on takeovers are allowed, if it had expired before.
    allowed_from: Option<Instant>,
}

impl Takeovers {
    pub(crate) fn are_allowed(&self, worker: WorkerId) -> bool {
        let (own, now) = (self.own(), Instant::now());
        own.get(&worker)
            .is_none_or(|lease| now <= lease.until && lease.allowed_from.is_none_or(|from| from <= now))
    }

    /// Records a renewal by a statement sent at `sent`. `lapsed` tells that the lease had expired before.
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
