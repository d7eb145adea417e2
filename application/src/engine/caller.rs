//! Gets each distinct call answered once: from the store, by joining an equal call in progress, or by making it.

mod conclusion;
mod exchange;
mod flight;
mod lease;
mod making;
mod pacing;
mod settling;
mod slots;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::call::{CallFailure, Digest};
use domain::endpoint::Endpoint;
use domain::id::{EndpointId, SweepId, WorkerId};
use domain::run::{Payer, RunError};

use self::flight::InFlight;
use super::gate::Gate;
use crate::indexes::{IndexScope, Indexes};
use crate::ports::{
    Breaker, CallClaim, CallStore, Chance, Clock, EndpointStore, Journal, ModelServer, RateStore,
    Reservation, SlotStore, StoreError, StoredAnswer, Timer,
};
use crate::walk::HashedCall;

/// A call that somebody wants answered.
#[derive(Debug, Clone)]
pub(crate) struct CallRequest {
    /// The call.
    pub call: HashedCall,
    /// Where it goes.
    pub endpoint: Arc<Endpoint>,
    /// The payer, if nobody has paid yet; `None` for a call outside any run.
    pub payer: Option<Payer>,
    /// The sweep that it is made for.
    pub sweep: Option<SweepId>,
    /// What to reserve, where the sweep has a budget.
    pub reserve: Option<Reservation>,
    /// Set once the requester has to stop.
    pub halt: Arc<AtomicBool>,
}

impl CallRequest {
    const fn hash(&self) -> Digest {
        self.call.hash
    }

    fn claim(&self) -> CallClaim {
        CallClaim { hash: self.hash(), sweep: self.sweep, reserve: self.reserve }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum CallAnswer {
    /// An answer, durably stored.
    Stored(Arc<StoredAnswer>),
    /// It failed for good.
    Failed(CallFailure),
    /// There is no outcome now; the run has to be released.
    Blocked(Blocked),
}

/// Why a run has to be released before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// The sweep's budget is used up.
    Budget,
    /// The endpoint refuses every call.
    Endpoint(Breaker),
    /// The endpoint asked for a pause of this length.
    Postponed(Duration),
    /// This process is stopping, or has lost the run.
    Stopping,
    /// The server takes no call of this configuration.
    Misconfigured(RunError),
    /// A store failed.
    Store(StoreError),
}

/// The ports that the caller uses.
#[derive(Clone)]
pub(super) struct Ports {
    /// Remembers answers.
    pub calls: Arc<dyn CallStore>,
    /// Stores new ones.
    pub journal: Arc<dyn Journal>,
    /// Gives them.
    pub servers: Arc<dyn ModelServer>,
    /// Knows which endpoints are broken.
    pub endpoints: Arc<dyn EndpointStore>,
    /// Shares their concurrency.
    pub slots: Arc<dyn SlotStore>,
    /// Shares their limits a minute.
    pub rates: Arc<dyn RateStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Waits.
    pub timer: Arc<dyn Timer>,
    /// Jitter.
    pub chance: Arc<dyn Chance>,
}

/// Makes calls for one process.
pub(super) struct Caller {
    ports: Ports,
    worker: WorkerId,
    gates: Mutex<HashMap<EndpointId, Arc<Gate>>>,
    in_flight: Mutex<HashMap<Digest, InFlight>>,
    indexes: Indexes<(IndexScope, String)>,
    stopping: AtomicBool,
    /// When the process's lease expires, in microseconds since the epoch.
    alive_until: AtomicI64,
    /// How often the process's lease has expired: each time other workers may have taken over its claims.
    lapses: AtomicU64,
    /// Claims that could not be released yet.
    left_over: Mutex<Vec<Digest>>,
}

impl Caller {
    /// A caller for this worker.
    #[must_use]
    pub(super) fn new(ports: Ports, worker: WorkerId) -> Self {
        Self {
            ports,
            worker,
            gates: Mutex::default(),
            in_flight: Mutex::default(),
            indexes: Indexes::default(),
            stopping: AtomicBool::new(false),
            alive_until: AtomicI64::new(i64::MAX),
            lapses: AtomicU64::new(0),
            left_over: Mutex::default(),
        }
    }

    /// Every gate that has been asked for, with its endpoint.
    #[must_use]
    pub(super) fn gates(&self) -> Vec<(EndpointId, Arc<Gate>)> {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.iter().map(|(id, gate)| (*id, Arc::clone(gate))).collect()
    }

    /// The gate of an endpoint.
    #[must_use]
    pub(super) fn gate(&self, endpoint: EndpointId) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(endpoint).or_default())
    }

    /// The indexes of what runs search.
    pub(super) const fn indexes(&self) -> &Indexes<(IndexScope, String)> {
        &self.indexes
    }

    /// Starts no more calls: those in flight are stored, those that wait are released.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        for (_, gate) in self.gates() {
            gate.wake();
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn is_halted(&self, request: &CallRequest) -> bool {
        self.is_stopping() || request.halt.load(Ordering::Relaxed)
    }
}

/// For a call that the store left out of its results.
fn unanswered() -> CallAnswer {
    blocked(no_claim())
}

fn no_claim() -> StoreError {
    StoreError::Corrupt("a claim was not answered".to_owned())
}

fn blocked(error: StoreError) -> CallAnswer {
    CallAnswer::Blocked(Blocked::Store(error))
}

#[cfg(test)]
mod tests;
