//! Gets each distinct call answered once: from the store, by whoever is making it already, or by making it.

mod exchange;
mod lease;
mod slots;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::call::{Call, CallFailure, Completion, Digest, FailureKind};
use domain::endpoint::Endpoint;
use domain::id::{EndpointId, SweepId, WorkerId};
use domain::retry::{self, Verdict};
use domain::run::Place;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};

use self::exchange::Exchange;
use super::gate::{Gate, Permit};
use crate::ports::{
    Breaker, CallClaim, CallStore, Chance, Claim, Clock, EndpointStore, FailedCall, Fill, Journal,
    ModelServer, Reservation, Settlement, SlotStore, StoreError, StoredAnswer, Timer,
};

/// A call that somebody wants answered.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// The call.
    pub call: Call,
    /// The SHA-256 of its canonical text.
    pub hash: Digest,
    /// Where it goes.
    pub endpoint: Arc<Endpoint>,
    /// Who asks, and pays where nobody has.
    pub place: Place,
    /// On behalf of which sweep.
    pub sweep: Option<SweepId>,
    /// What to reserve, where the sweep has a budget.
    pub reserve: Option<Reservation>,
    /// Set once the run that asks has to stop.
    pub halt: Arc<AtomicBool>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// An answer, durably stored.
    Stored(Arc<StoredAnswer>),
    /// It failed for good.
    Failed(CallFailure),
    /// Nothing can be said now; the run has to be given back.
    Blocked(Blocked),
}

/// Why a run has to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Blocked {
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

/// A call that is being settled, and the sweep on whose behalf.
type InFlight = (Option<SweepId>, WeakShared<BoxFuture<'static, Answer>>);

/// Where an ask ended up.
enum Joined {
    /// It began.
    Own(Shared<BoxFuture<'static, Answer>>),
    /// An equal one of this sweep is under way; the ask comes back.
    Other { sweep: Option<SweepId>, same: Shared<BoxFuture<'static, Answer>>, own: Box<Ask> },
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

    /// Gets a call answered. Equal calls that are asked for at the same time become one. An answer is everybody's; why
    /// there is none holds for the sweep that asked, and others ask for themselves.
    pub(super) async fn answer(self: &Arc<Self>, mut ask: Ask) -> Answer {
        loop {
            match self.join(ask) {
                Joined::Own(begun) => return begun.await,
                Joined::Other { sweep, same, own } => match same.await {
                    Answer::Failed(_) | Answer::Blocked(_) if sweep != own.sweep => ask = *own,
                    // The run that asked first has to stop, this one need not.
                    Answer::Blocked(Blocked::Stopping) if !self.is_halted(&own) => ask = *own,
                    answer => return answer,
                },
            }
        }
    }

    /// Joins whoever asks the same in this process, or begins. An entry of `in_flight` that is alive is a call that is
    /// being settled: it is taken out by the last step of its own future.
    fn join(self: &Arc<Self>, ask: Ask) -> Joined {
        let mut in_flight = self.in_flight();
        if let Some((sweep, same)) = in_flight.get(&ask.hash)
            && let Some(same) = same.upgrade()
        {
            return Joined::Other { sweep: *sweep, same, own: Box::new(ask) };
        }
        let (hash, sweep) = (ask.hash, ask.sweep);
        let caller = Arc::clone(self);
        let begun = async move {
            let settled = caller.settle(ask).await;
            caller.in_flight().remove(&hash);
            settled
        };
        let begun = begun.boxed().shared();
        in_flight.extend(begun.downgrade().map(|weak| (hash, (sweep, weak))));
        Joined::Own(begun)
    }

    fn in_flight(&self) -> MutexGuard<'_, HashMap<Digest, InFlight>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_halted(&self, ask: &Ask) -> bool {
        self.is_stopping() || ask.halt.load(Ordering::Relaxed)
    }

    /// Claims until there is an answer, or the call is ours to make. A database that is away is waited for: nothing is sent
    /// without a claim.
    async fn settle(&self, ask: Ask) -> Answer {
        let claim = CallClaim { hash: ask.hash, sweep: ask.sweep, reserve: ask.reserve };
        let (mut look, mut failed, mut held) = (FIRST_LOOK, 0, false);
        loop {
            let permit = match self.permit_for_claim(&ask).await {
                Ok(permit) => permit,
                Err(Answer::Blocked(why)) if held => return self.give_back(&ask, why).await,
                Err(answer) => return answer,
            };
            let lapses = self.lapses.load(Ordering::SeqCst);
            let claimed = self.ports.calls.claim(vec![claim], self.worker).await;
            match claimed.map(|claims| claims.into_iter().next()) {
                Ok(Some(Claim::Answered(answer))) => return Answer::Stored(Arc::from(answer)),
                Ok(Some(Claim::Failed(failure))) => return Answer::Failed(failure),
                Ok(Some(Claim::Yours)) => match self.make(&ask, lapses, permit, &mut failed).await {
                    Made::Settled(answer) => return answer,
                    Made::ClaimAgain => (look, held) = (FIRST_LOOK, true),
                },
                Ok(Some(Claim::NoBudget { open: false })) => return Answer::Blocked(Blocked::Budget),
                Ok(Some(Claim::NoBudget { open: true })) => look = FIRST_LOOK,
                Ok(Some(Claim::Busy)) | Err(StoreError::Unavailable(_)) => {}
                Ok(None) => return blocked(StoreError::Corrupt("a claim was not answered".to_owned())),
                Err(error @ StoreError::Corrupt(_)) => return blocked(error),
            }
            if self.is_halted(&ask) {
                let stopping = Blocked::Stopping;
                return if held { self.give_back(&ask, stopping).await } else { Answer::Blocked(stopping) };
            }
            self.ports.timer.sleep(look).await;
            look = (look * 2).min(LONGEST_LOOK);
        }
    }

    /// A call with a reservation is claimed only once it can be sent: what is claimed when a process dies may have been
    /// billed, and is charged. Others are claimed while they wait for a permit.
    async fn permit_for_claim(&self, ask: &Ask) -> Result<Option<Permit>, Answer> {
        if ask.reserve.is_none() {
            return Ok(None);
        }
        // A store that fails says so again at the claim.
        let known = self.ports.calls.peek(vec![ask.hash]).await.unwrap_or_default();
        if let Some(answer) = known.into_iter().flatten().next() {
            return Err(Answer::Stored(Arc::new(answer)));
        }
        let gate = self.gate(ask.endpoint.id);
        let permit = self.permit(&gate, ask).await;
        permit.map(Some).ok_or_else(|| Answer::Blocked(Self::why_shut(&gate)))
    }

    /// Makes the call, as often as it takes, and stores what came of it. `failed` counts the exchanges that failed so far.
    async fn make(&self, ask: &Ask, lapses: u64, mut permit: Option<Permit>, failed: &mut u32) -> Made {
        let gate = self.gate(ask.endpoint.id);
        loop {
            let failure = match self.exchange(&gate, ask, lapses, permit.take()).await {
                Exchange::Done(Ok(completion)) => return Made::Settled(self.store(ask, completion).await),
                Exchange::Done(Err(failure)) => failure,
                Exchange::Shut => return Made::Settled(self.give_back(ask, Self::why_shut(&gate)).await),
                Exchange::Unclaimed => return Made::ClaimAgain,
            };
            *failed += 1;
            if failure.outcome_unknown {
                self.charge(ask).await;
            }
            if failure.kind.breaks_endpoint() {
                return Made::Settled(self.broken(&gate, ask, &failure).await);
            }
            match retry::after(&failure, *failed, self.ports.chance.unit()) {
                Verdict::Again(wait) => self.wait(&gate, &failure, wait).await,
                Verdict::Postpone(wait) => {
                    return Made::Settled(self.give_back(ask, Blocked::Postponed(wait)).await);
                }
                Verdict::GiveUp => return Made::Settled(self.give_up(ask, failure).await),
            }
            // What was reserved has been charged: the next exchange needs a reservation of its own.
            if failure.outcome_unknown {
                return Made::ClaimAgain;
            }
        }
    }

    /// Stores an answer, which has been paid for: the journal keeps it until the database takes it.
    async fn store(&self, ask: &Ask, completion: Completion) -> Answer {
        let price = ask.endpoint.prices.get(&ask.call.model);
        let cost = price.map(|price| price.cost(completion.tokens));
        let paid_by = ask.place;
        let fill = Fill {
            hash: ask.hash,
            endpoint: ask.endpoint.id,
            call: ask.call.clone(),
            completion: completion.clone(),
            cost,
            place: paid_by,
            sweep: ask.sweep,
        };
        match self.ports.journal.settle(Settlement { fills: vec![fill], failures: vec![] }).await {
            Ok(ids) => match ids.first() {
                Some(id) => Answer::Stored(Arc::new(StoredAnswer { id: *id, completion, cost, paid_by })),
                None => blocked(StoreError::Corrupt("a stored answer has no number".to_owned())),
            },
            Err(error @ StoreError::Unavailable(_)) => blocked(error),
            Err(StoreError::Corrupt(reason)) => self.unstorable(ask, reason).await,
        }
    }

    /// The database refuses this very answer: asking again would only be paid for again.
    async fn unstorable(&self, ask: &Ask, reason: String) -> Answer {
        self.charge(ask).await;
        let message = format!("its answer cannot be stored: {reason}");
        self.give_up(ask, CallFailure::new(FailureKind::Unstorable, message)).await
    }

    async fn give_up(&self, ask: &Ask, failure: CallFailure) -> Answer {
        let failed =
            FailedCall { hash: ask.hash, by: self.worker, sweep: ask.sweep, failure: failure.clone() };
        let settled = self.ports.journal.settle(Settlement { fills: vec![], failures: vec![failed] }).await;
        settled.map_or_else(blocked, |_| Answer::Failed(failure))
    }

    async fn give_back(&self, ask: &Ask, why: Blocked) -> Answer {
        if let Err(error) = self.ports.calls.release(&[ask.hash], self.worker).await {
            tracing::warn!(%error, "a claim could not be released; it will be tried again");
            self.left_over().push(ask.hash);
        }
        Answer::Blocked(why)
    }

    async fn broken(&self, gate: &Gate, ask: &Ask, failure: &CallFailure) -> Answer {
        let breaker = Breaker { kind: failure.kind, reason: failure.to_string() };
        if let Err(error) = self.ports.endpoints.set_breaker(ask.endpoint.id, Some(breaker.clone())).await {
            tracing::warn!(%error, "other processes do not learn that an endpoint refuses every call");
        }
        gate.set_broken(Some(breaker.clone()));
        self.give_back(ask, Blocked::Endpoint(breaker)).await
    }

    /// Charges a call whose outcome is unknown to its sweep's budget, before anything else is made in its place.
    async fn charge(&self, ask: &Ask) {
        let mut wait = FIRST_LOOK;
        while let Err(error) = self.ports.calls.charge(ask.hash, self.worker).await {
            tracing::warn!(%error, "a call of unknown outcome could not be charged; it will be tried again");
            if self.is_stopping() {
                return;
            }
            self.ports.timer.sleep(wait).await;
            wait = (wait * 2).min(LONGEST_LOOK);
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
