//! Joins equal calls in progress (single-flight), and claims the calls of one requester together.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use domain::call::Digest;
use domain::id::SweepId;
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Shared, WeakShared, join, join_all};

use super::{Blocked, CallAnswer, CallRequest, Caller, no_claim, unanswered};
use crate::ports::{CallClaim, Claim, MAX_EMBEDDINGS, StoreError};

/// A call that is being settled, and the sweep on whose behalf.
pub(super) type InFlight = (Option<SweepId>, WeakShared<BoxFuture<'static, CallAnswer>>);

/// The state of a request.
enum Flight {
    /// It began.
    Begun(Shared<BoxFuture<'static, CallAnswer>>),
    /// An equal one is under way, on behalf of this sweep; the request comes back.
    Joined { sweep: Option<SweepId>, same: Shared<BoxFuture<'static, CallAnswer>>, own: Box<CallRequest> },
}

/// The result of a claim, and how often the lease had expired when it was made.
pub(super) type StampedClaim = (Result<Claim, StoreError>, u64);

impl Caller {
    /// Answers a call. Equal calls at the same time become one. All of them share its answer; a failure holds only for
    /// the sweep that made the call, and requests of other sweeps try again.
    pub(in crate::engine) async fn answer(self: &Arc<Self>, request: CallRequest) -> CallAnswer {
        self.land(self.take_off(request, None)).await
    }

    /// Answers calls, in their order. Those that are not in progress are claimed together.
    pub(in crate::engine) async fn answer_all(
        self: &Arc<Self>,
        requests: Vec<CallRequest>,
    ) -> Vec<CallAnswer> {
        if let [_] = requests.as_slice() {
            return join_all(requests.into_iter().map(|request| self.answer(request))).await;
        }
        if requests.iter().all(|request| request.call.call.as_embed().is_some()) {
            return self.answer_together(requests).await;
        }
        let (mut claims, mut waiting, mut flights) = (Vec::new(), Vec::new(), Vec::new());
        for request in requests {
            // With a budget a call is claimed only once it can be sent.
            let (tell, told) = request.reserve.is_none().then(oneshot::channel).unzip();
            let claim = request.claim();
            let flight = self.take_off(request, told);
            if let (Flight::Begun(_), Some(tell)) = (&flight, tell) {
                claims.push(claim);
                waiting.push(tell);
            }
            flights.push(self.land(flight));
        }
        let claim_together = self.claim_together(claims, waiting);
        join(claim_together, join_all(flights)).await.1
    }

    /// Answers embedding calls of one model, many in one exchange.
    async fn answer_together(self: &Arc<Self>, requests: Vec<CallRequest>) -> Vec<CallAnswer> {
        let hashes: Vec<Digest> = requests.iter().map(CallRequest::hash).collect();
        let mut seen = HashSet::new();
        let distinct = requests.into_iter().filter(|request| seen.insert(request.hash())).collect();
        let flights = self.take_off_together(distinct);
        let flown = join_all(flights.into_iter().map(async |(hash, flight)| (hash, self.land(flight).await)));
        let answers: HashMap<Digest, CallAnswer> = flown.await.into_iter().collect();
        hashes.iter().map(|hash| answers.get(hash).cloned().unwrap_or_else(unanswered)).collect()
    }

    /// Joins those in progress in this process, and starts the others together. No two are equal.
    fn take_off_together(self: &Arc<Self>, requests: Vec<CallRequest>) -> Vec<(Digest, Flight)> {
        let mut in_flight = self.in_flight();
        let (mut flights, mut fresh) = (Vec::with_capacity(requests.len()), Vec::new());
        for request in requests {
            let hash = request.hash();
            match under_way(&in_flight, hash) {
                Some((sweep, same)) => {
                    flights.push((hash, Flight::Joined { sweep, same, own: Box::new(request) }));
                }
                None => fresh.push(request),
            }
        }
        while !fresh.is_empty() {
            let batch: Vec<CallRequest> = fresh.drain(..fresh.len().min(MAX_EMBEDDINGS)).collect();
            let members: Vec<_> = batch.iter().map(|request| (request.hash(), request.sweep)).collect();
            let settled = self.settling(batch);
            for (place, (hash, sweep)) in members.into_iter().enumerate() {
                let settled = settled.clone();
                let own = async move { settled.await[place].clone() };
                flights.push((hash, begin(&mut in_flight, (hash, sweep), own.boxed())));
            }
        }
        flights
    }

    /// Settles calls, which are under way until then.
    fn settling(
        self: &Arc<Self>,
        requests: Vec<CallRequest>,
    ) -> Shared<BoxFuture<'static, Arc<Vec<CallAnswer>>>> {
        let caller = Arc::clone(self);
        let settling = async move {
            let hashes: Vec<Digest> = requests.iter().map(CallRequest::hash).collect();
            let settled = caller.settle(requests, None).await;
            let mut in_flight = caller.in_flight();
            for hash in hashes {
                in_flight.remove(&hash);
            }
            drop(in_flight);
            Arc::new(settled)
        };
        settling.boxed().shared()
    }

    /// Claims calls in one request, and passes each its result.
    async fn claim_together(&self, claims: Vec<CallClaim>, waiting: Vec<oneshot::Sender<StampedClaim>>) {
        if claims.is_empty() {
            return;
        }
        for (tell, claim) in waiting.into_iter().zip(self.claim(claims).await) {
            // Nobody may be waiting any more.
            drop(tell.send(claim));
        }
    }

    /// Claims calls in one request; the result of each.
    pub(super) async fn claim(&self, claims: Vec<CallClaim>) -> Vec<StampedClaim> {
        let (lapses, asked) = (self.lapses.load(Ordering::SeqCst), claims.len());
        let claimed = self.ports.calls.claim(claims, self.worker).await;
        let claimed = match claimed {
            Ok(claims) if claims.len() == asked => claims.into_iter().map(Ok).collect(),
            Ok(_) => vec![Err(no_claim()); asked],
            Err(error) => vec![Err(error); asked],
        };
        claimed.into_iter().map(|claim| (claim, lapses)).collect()
    }

    async fn land(self: &Arc<Self>, mut flight: Flight) -> CallAnswer {
        loop {
            let own = match flight {
                Flight::Begun(begun) => return begun.await,
                Flight::Joined { sweep, same, own } => match same.await {
                    CallAnswer::Failed(_) | CallAnswer::Blocked(_) if sweep != own.sweep => own,
                    // The first requester has to stop, this one need not.
                    CallAnswer::Blocked(Blocked::Stopping) if !self.is_halted(&own) => own,
                    answer => return answer,
                },
            };
            flight = self.take_off(*own, None);
        }
    }

    /// Joins an equal call in progress in this process, or starts one. A live entry of `in_flight` is a call that is being
    /// settled; the last step of its own future removes it.
    fn take_off(
        self: &Arc<Self>,
        request: CallRequest,
        first: Option<oneshot::Receiver<StampedClaim>>,
    ) -> Flight {
        let mut in_flight = self.in_flight();
        let (hash, sweep) = (request.hash(), request.sweep);
        if let Some((sweep, same)) = under_way(&in_flight, hash) {
            return Flight::Joined { sweep, same, own: Box::new(request) };
        }
        let caller = Arc::clone(self);
        let settling = async move {
            let settled = caller.settle(vec![request], first).await.pop();
            caller.in_flight().remove(&hash);
            settled.unwrap_or_else(unanswered)
        };
        begin(&mut in_flight, (hash, sweep), settling.boxed())
    }

    pub(super) fn in_flight(&self) -> MutexGuard<'_, HashMap<Digest, InFlight>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Enters a call that `settling` answers, on behalf of this sweep, so that equal ones can join it.
fn begin(
    in_flight: &mut HashMap<Digest, InFlight>,
    (hash, sweep): (Digest, Option<SweepId>),
    settling: BoxFuture<'static, CallAnswer>,
) -> Flight {
    let begun = settling.shared();
    in_flight.extend(begun.downgrade().map(|weak| (hash, (sweep, weak))));
    Flight::Begun(begun)
}

/// An equal call that is being settled.
fn under_way(
    in_flight: &HashMap<Digest, InFlight>,
    hash: Digest,
) -> Option<(Option<SweepId>, Shared<BoxFuture<'static, CallAnswer>>)> {
    let (sweep, same) = in_flight.get(&hash)?;
    Some((*sweep, same.upgrade()?))
}
