//! Gets each distinct call answered once: from the store, by whoever is making it already, or by making it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::call::{Call, CallFailure, Completion, Digest, FailureKind};
use domain::endpoint::Endpoint;
use domain::id::{EndpointId, SweepId, WorkerId};
use domain::retry::{self, Verdict};
use domain::run::Place;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::gate::{Asking, Gate};
use crate::ports::{
    Breaker, CallClaim, CallStore, Chance, Claim, Clock, CommitError, EndpointStore, FailedCall, Fill,
    Journal, ModelServer, Reservation, SlotStore, StoreError, StoredAnswer, SweepStore, Timer, Unit,
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
    /// The endpoint refuses every call, for this reason.
    Endpoint(String),
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
    /// Counts calls of unknown outcome.
    pub sweeps: Arc<dyn SweepStore>,
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
            settled.unwrap_or_else(|error| Answer::Blocked(Blocked::Store(error)))
        };
        let begun = begun.boxed().shared();
        in_flight.extend(begun.downgrade().map(|weak| (hash, (sweep, weak))));
        Joined::Own(begun)
    }

    fn in_flight(&self) -> MutexGuard<'_, HashMap<Digest, InFlight>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims until there is an answer, or the call is ours to make.
    async fn settle(&self, ask: Ask) -> Result<Answer, StoreError> {
        let claim = CallClaim { hash: ask.hash, sweep: ask.sweep, reserve: ask.reserve };
        let mut look = FIRST_LOOK;
        loop {
            let claimed = self.ports.calls.claim(vec![claim], self.worker).await?;
            match claimed.into_iter().next() {
                Some(Claim::Answered(answer)) => return Ok(Answer::Stored(Arc::from(answer))),
                Some(Claim::Failed(failure)) => return Ok(Answer::Failed(failure)),
                Some(Claim::Yours) => return self.make(ask).await,
                Some(Claim::NoBudget { open: false }) => return Ok(Answer::Blocked(Blocked::Budget)),
                Some(Claim::NoBudget { open: true }) => look = FIRST_LOOK,
                Some(Claim::Busy) => {}
                None => return Err(StoreError::Corrupt("a claim was not answered".to_owned())),
            }
            if self.is_stopping() {
                return Ok(Answer::Blocked(Blocked::Stopping));
            }
            self.ports.timer.sleep(look).await;
            look = (look * 2).min(LONGEST_LOOK);
        }
    }

    /// Makes the call, as often as it takes, and stores what came of it.
    async fn make(&self, ask: Ask) -> Result<Answer, StoreError> {
        let gate = self.gate(ask.endpoint.id);
        let mut failed = 0;
        loop {
            let Some(result) = self.exchange(&gate, &ask).await else {
                return self.give_back(&ask, Self::why_shut(&gate)).await;
            };
            let failure = match result {
                Ok(completion) => return self.store(ask, completion).await,
                Err(failure) => failure,
            };
            failed += 1;
            self.note_unknown(&ask, &failure).await?;
            if failure.kind.breaks_endpoint() {
                return self.broken(&gate, &ask, &failure).await;
            }
            match retry::after(&failure, failed, self.ports.chance.unit()) {
                Verdict::Again(wait) => self.wait(&gate, &failure, wait).await,
                Verdict::Postpone(wait) => return self.give_back(&ask, Blocked::Postponed(wait)).await,
                Verdict::GiveUp => return self.give_up(ask, failure).await,
            }
        }
    }

    /// One exchange under a permit; `None` where nothing may pass.
    async fn exchange(&self, gate: &Arc<Gate>, ask: &Ask) -> Option<Result<Completion, CallFailure>> {
        if self.is_stopping() {
            return None;
        }
        loop {
            let concurrency = ask.endpoint.limits.concurrency.get();
            if gate.lacks(concurrency)
                && let Some(asking) = gate.ask()
            {
                let shared = self.take(ask.endpoint.id, concurrency, asking).await;
                shared.unwrap_or_else(|error| tracing::warn!(%error, "no slots could be taken"));
            }
            let permit = gate.pass(ask.place.run).await?;
            let Some(wait) = self.closed_for(gate) else {
                let result = self.ports.servers.complete(&ask.endpoint, &ask.call).await;
                drop(permit);
                return Some(result);
            };
            drop(permit);
            self.ports.timer.sleep(wait).await;
        }
    }

    /// Takes as many slots as calls wait for, twice as many as it has at once.
    async fn take(
        &self,
        endpoint: EndpointId,
        concurrency: u32,
        asking: Asking<'_>,
    ) -> Result<(), StoreError> {
        let demand = asking.gate.demand();
        let want = demand.in_use.saturating_add(demand.waiting).max(2 * demand.slots).max(1);
        self.share(endpoint, concurrency, asking, want).await
    }

    /// Asks for `want` slots. What is given up is first no longer used, and then no longer held: at no instant are more
    /// exchanges under way than slots are held.
    async fn share(
        &self,
        endpoint: EndpointId,
        concurrency: u32,
        asking: Asking<'_>,
        want: u32,
    ) -> Result<(), StoreError> {
        let (gate, want) = (asking.gate, want.min(concurrency));
        let in_flight = gate.bound(want);
        let granted = self.ports.slots.hold(self.worker, endpoint, concurrency, want, in_flight).await;
        if let Ok(granted) = &granted {
            let held = in_flight.max(*granted);
            gate.resize(*granted, (want.max(held) > 0).then_some(held));
        }
        granted.map(drop)
    }

    /// Looks after the slots of every endpoint: takes what calls wait for, gives back what others are to have, and with
    /// `beat` what idles.
    pub(super) async fn share_all(&self, beat: bool) -> Result<(), StoreError> {
        for (endpoint, gate) in self.gates() {
            let demand = gate.demand();
            if !(demand.is_short() || demand.has_surplus() || beat && demand.held.is_some()) {
                continue;
            }
            if let Some(stored) = self.ports.endpoints.endpoint(endpoint).await?
                && let Some(asking) = gate.ask()
            {
                let demand = gate.demand();
                let want = demand.in_use.saturating_add(demand.waiting);
                self.share(endpoint, stored.limits.concurrency.get(), asking, want).await?;
            }
        }
        Ok(())
    }

    fn closed_for(&self, gate: &Gate) -> Option<Duration> {
        let wait = gate.closed_until()?.since(self.ports.clock.now());
        (!wait.is_zero()).then_some(wait)
    }

    fn why_shut(gate: &Gate) -> Blocked {
        gate.broken().map_or(Blocked::Stopping, Blocked::Endpoint)
    }

    /// Waits before the next try. A server that wants less is left alone by every call.
    async fn wait(&self, gate: &Gate, failure: &CallFailure, wait: Duration) {
        if matches!(failure.kind, FailureKind::RateLimited { .. }) {
            gate.close_until(self.ports.clock.now().after(wait));
        }
        self.ports.timer.sleep(wait).await;
    }

    async fn store(&self, ask: Ask, completion: Completion) -> Result<Answer, StoreError> {
        let price = ask.endpoint.prices.get(&ask.call.model);
        let cost = price.map(|price| price.cost(completion.tokens));
        let place = ask.place;
        let fill = Fill {
            hash: ask.hash,
            endpoint: ask.endpoint.id,
            call: ask.call,
            completion: completion.clone(),
            cost,
            place,
            sweep: ask.sweep,
        };
        let receipt = self.commit(Unit { fills: vec![fill], ..Unit::default() }).await?;
        let id = receipt.answers.first().copied();
        let id = id.ok_or_else(|| StoreError::Corrupt("a stored answer has no number".to_owned()))?;
        Ok(Answer::Stored(Arc::new(StoredAnswer { id, completion, cost, paid_by: place })))
    }

    async fn give_up(&self, ask: Ask, failure: CallFailure) -> Result<Answer, StoreError> {
        let failed =
            FailedCall { hash: ask.hash, by: self.worker, sweep: ask.sweep, failure: failure.clone() };
        self.commit(Unit { failures: vec![failed], ..Unit::default() }).await?;
        Ok(Answer::Failed(failure))
    }

    async fn give_back(&self, ask: &Ask, why: Blocked) -> Result<Answer, StoreError> {
        self.ports.calls.release(&[ask.hash], self.worker).await?;
        Ok(Answer::Blocked(why))
    }

    async fn broken(&self, gate: &Gate, ask: &Ask, failure: &CallFailure) -> Result<Answer, StoreError> {
        let reason = failure.to_string();
        gate.set_broken(Some(reason.clone()));
        let breaker = Breaker { reason: reason.clone() };
        self.ports.endpoints.set_breaker(ask.endpoint.id, Some(breaker)).await?;
        self.give_back(ask, Blocked::Endpoint(reason)).await
    }

    async fn note_unknown(&self, ask: &Ask, failure: &CallFailure) -> Result<(), StoreError> {
        match ask.sweep {
            Some(sweep) if failure.outcome_unknown => self.ports.sweeps.count_unknown(sweep, 1).await,
            _ => Ok(()),
        }
    }

    /// Fills and failures are never fenced, so a conflict would be the store's own fault.
    async fn commit(&self, unit: Unit) -> Result<crate::ports::Receipt, StoreError> {
        self.ports.journal.commit(unit).await.map_err(|error| match error {
            CommitError::Store(error) => error,
            other => StoreError::Corrupt(other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests;
