//! Gets each distinct call answered once: from the store, by whoever is making it already, or by making it.

mod conclusion;
mod exchange;
mod flight;
mod lease;
mod slots;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::call::{CallFailure, Digest};
use domain::endpoint::Endpoint;
use domain::id::{EndpointId, SweepId, WorkerId};
use domain::retry::{self, RetryDecision};
use domain::run::Payer;
use futures::channel::oneshot;

use self::exchange::Exchange;
use self::flight::{InFlight, StampedClaim};
use super::gate::{Gate, Permit};
use crate::ports::{
    Breaker, CallClaim, CallStore, Chance, Claim, Clock, EndpointStore, Journal, ModelServer, Reservation,
    SlotStore, StoreError, StoredAnswer, Timer,
};
use crate::walk::HashedCall;

/// A call that somebody wants answered.
#[derive(Debug, Clone)]
pub(crate) struct CallRequest {
    /// The call.
    pub call: HashedCall,
    /// Where it goes.
    pub endpoint: Arc<Endpoint>,
    /// Who pays, where nobody has; `None` for a call that is tried outside any run.
    pub payer: Option<Payer>,
    /// On behalf of which sweep.
    pub sweep: Option<SweepId>,
    /// What to reserve, where the sweep has a budget.
    pub reserve: Option<Reservation>,
    /// Set once whoever asks has to stop.
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
pub(crate) enum Answer {
    /// An answer, durably stored.
    Stored(Arc<StoredAnswer>),
    /// It failed for good.
    Failed(CallFailure),
    /// Nothing can be said now; the run has to be given back.
    Blocked(Blocked),
}

/// Why a run has to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// The sweep's budget is used up.
    Budget,
    /// The endpoint refuses every call.
    Endpoint(Breaker),
    /// The endpoint wants to be left alone for so long.
    Postponed(Duration),
    /// This process is stopping, or has lost the run.
    Stopping,
    /// A store failed.
    Store(StoreError),
}

/// What the caller needs from the world.
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
    stopping: AtomicBool,
    /// Until when others take this process for alive, in microseconds since the epoch.
    alive_until: AtomicI64,
    /// How often the process's lease has run out: each time others may have taken its claims.
    lapses: AtomicU64,
    /// Claims that could not be released yet.
    left_over: Mutex<Vec<Digest>>,
}

const FIRST_LOOK: Duration = Duration::from_millis(50);
const LONGEST_LOOK: Duration = Duration::from_secs(1);

impl Caller {
    /// A caller for this worker.
    #[must_use]
    pub(super) fn new(ports: Ports, worker: WorkerId) -> Self {
        Self {
            ports,
            worker,
            gates: Mutex::default(),
            in_flight: Mutex::default(),
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

    /// Begins nothing more: what is in flight is stored, what waits is given back.
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

    /// Claims until there is an answer, or the call is ours to make. A database that is away is waited for: nothing is sent
    /// without a claim.
    async fn settle(&self, request: CallRequest, first: Option<oneshot::Receiver<StampedClaim>>) -> Answer {
        let (mut look, mut failed, mut held) = (FIRST_LOOK, 0, false);
        let mut first = match first {
            Some(first) => first.await.ok(),
            None => None,
        };
        loop {
            let permit = match self.permit_for_claim(&request).await {
                Ok(permit) => permit,
                Err(Answer::Blocked(why)) if held => return self.give_back(&request, why).await,
                Err(answer) => return answer,
            };
            let claim = match first.take() {
                Some(first) => Some(first),
                None => self.claim(vec![request.claim()]).await.pop(),
            };
            let Some((claimed, lapses)) = claim else {
                return blocked(StoreError::Corrupt("a claim was not answered".to_owned()));
            };
            match claimed {
                Ok(Claim::Answered(answer)) => return Answer::Stored(answer),
                Ok(Claim::Failed(failure)) => return Answer::Failed(failure),
                Ok(Claim::Yours) => match self.make(&request, lapses, permit, &mut failed).await {
                    Made::Settled(answer) => return answer,
                    Made::ClaimAgain => (look, held) = (FIRST_LOOK, true),
                },
                Ok(Claim::NoBudget { open: false }) => return Answer::Blocked(Blocked::Budget),
                Ok(Claim::NoBudget { open: true }) => look = FIRST_LOOK,
                Ok(Claim::Busy) | Err(StoreError::Unavailable(_)) => {}
                Err(error @ StoreError::Corrupt(_)) => return blocked(error),
            }
            if self.is_halted(&request) {
                let stopping = Blocked::Stopping;
                return if held {
                    self.give_back(&request, stopping).await
                } else {
                    Answer::Blocked(stopping)
                };
            }
            self.ports.timer.sleep(look).await;
            look = (look * 2).min(LONGEST_LOOK);
        }
    }

    /// A call with a reservation is claimed only once it can be sent: what is claimed when a process dies may have been
    /// billed, and is charged. Others are claimed while they wait for a permit.
    async fn permit_for_claim(&self, request: &CallRequest) -> Result<Option<Permit>, Answer> {
        if request.reserve.is_none() {
            return Ok(None);
        }
        // A store that fails says so again at the claim.
        let known = self.ports.calls.peek(vec![request.hash()]).await.unwrap_or_default();
        if let Some(answer) = known.into_iter().flatten().next() {
            return Err(Answer::Stored(answer));
        }
        let gate = self.gate(request.endpoint.id);
        let permit = self.permit(&gate, request).await;
        permit.map(Some).ok_or_else(|| Answer::Blocked(Self::why_shut(&gate)))
    }

    /// Makes the call, as often as it takes, and stores what came of it. `failed` counts the exchanges that failed so far.
    async fn make(
        &self,
        request: &CallRequest,
        lapses: u64,
        mut permit: Option<Permit>,
        failed: &mut u32,
    ) -> Made {
        let gate = self.gate(request.endpoint.id);
        loop {
            let failure = match self.exchange(&gate, request, lapses, permit.take()).await {
                Exchange::Done(Ok(completion)) => {
                    return Made::Settled(self.store(request, completion).await);
                }
                Exchange::Done(Err(failure)) => failure,
                Exchange::Shut => return Made::Settled(self.give_back(request, Self::why_shut(&gate)).await),
                Exchange::Unclaimed => return Made::ClaimAgain,
            };
            *failed += 1;
            if failure.outcome_unknown {
                self.charge(request).await;
            }
            if failure.kind.breaks_endpoint() {
                return Made::Settled(self.broken(&gate, request, &failure).await);
            }
            match retry::after(&failure, *failed, self.ports.chance.unit()) {
                RetryDecision::Again(wait) => self.wait(&gate, &failure, wait).await,
                RetryDecision::Postpone(wait) => {
                    return Made::Settled(self.give_back(request, Blocked::Postponed(wait)).await);
                }
                RetryDecision::GiveUp => return Made::Settled(self.give_up(request, failure).await),
            }
            // What was reserved has been charged: the next exchange needs a reservation of its own.
            if failure.outcome_unknown {
                return Made::ClaimAgain;
            }
        }
    }
}

/// What came of making a call.
enum Made {
    Settled(Answer),
    /// The claim has to be taken again first.
    ClaimAgain,
}

fn blocked(error: StoreError) -> Answer {
    Answer::Blocked(Blocked::Store(error))
}

#[cfg(test)]
mod tests;
