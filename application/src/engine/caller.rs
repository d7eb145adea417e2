//! Gets each distinct call answered once: from the store, by joining an equal call in progress, or by making it.

mod conclusion;
mod destination;
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
use domain::id::{EndpointId, SweepId, WorkerId};
use domain::run::{Payer, RunError};

pub(crate) use self::destination::Destination;
use self::destination::GateKey;
use self::flight::InFlight;
use super::gate::Gate;
use crate::indexes::{IndexScope, Indexes};
use crate::ports::{
    Breaker, CallClaim, CallStore, Chance, Clock, EndpointStore, Fetch, Journal, ModelServer, RateStore,
    Reservation, SlotStore, StoreError, StoredAnswer, Timer,
};
use crate::walk::HashedCall;

/// Gates beyond which those of services that nobody uses are forgotten.
const MAX_IDLE_GATES: usize = 1_024;

/// A call that somebody wants answered.
#[derive(Debug, Clone)]
pub(crate) struct CallRequest {
    /// The call.
    pub call: HashedCall,
    /// Where it goes.
    pub to: Destination,
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
    /// Gives those of services.
    pub fetch: Arc<dyn Fetch>,
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
    gates: Mutex<HashMap<GateKey, Arc<Gate>>>,
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

    /// The gates of endpoints that have been asked for.
    #[must_use]
    pub(super) fn endpoint_gates(&self) -> Vec<(EndpointId, Arc<Gate>)> {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let of_endpoint = |(key, gate): (&GateKey, &Arc<Gate>)| match key {
            GateKey::Endpoint(id) => Some((*id, Arc::clone(gate))),
            GateKey::Service(_) => None,
        };
        gates.iter().filter_map(of_endpoint).collect()
    }

    /// The gate of a destination. Templates can name any number of services: gates that nobody uses are forgotten once
    /// there are many.
    #[must_use]
    fn gate(&self, key: GateKey) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MAX_IDLE_GATES && !gates.contains_key(&key) {
            gates.retain(|key, gate| matches!(key, GateKey::Endpoint(_)) || Arc::strong_count(gate) > 1);
        }
        Arc::clone(gates.entry(key).or_default())
    }

    /// The indexes of what runs search.
    pub(super) const fn indexes(&self) -> &Indexes<(IndexScope, String)> {
        &self.indexes
    }

    /// Starts no more calls: those in flight are stored, those that wait are released.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        for gate in self.gates.lock().unwrap_or_else(PoisonError::into_inner).values() {
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
