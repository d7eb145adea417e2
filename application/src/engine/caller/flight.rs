//! Makes one of equal calls that are asked for at the same time, and claims calls together that one place needs.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use domain::call::Digest;
use domain::id::SweepId;
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Shared, WeakShared, join, join_all};

use super::{Answer, Blocked, CallRequest, Caller};
use crate::ports::{CallClaim, Claim, StoreError};

/// A call that is being settled, and the sweep on whose behalf.
pub(super) type InFlight = (Option<SweepId>, WeakShared<BoxFuture<'static, Answer>>);

/// What became of a request.
enum Flight {
    /// It began.
    Begun(Shared<BoxFuture<'static, Answer>>),
    /// An equal one is under way, on behalf of this sweep; the request comes back.
    Joined { sweep: Option<SweepId>, same: Shared<BoxFuture<'static, Answer>>, own: Box<CallRequest> },
}

/// What came of a claim, and how often the lease had run out when it was made.
pub(super) type StampedClaim = (Result<Claim, StoreError>, u64);

impl Caller {
    /// Gets a call answered. Equal calls that are asked for at the same time become one. An answer is everybody's; why
    /// there is none holds for the sweep that asked, and others ask for themselves.
    pub(in crate::engine) async fn answer(self: &Arc<Self>, request: CallRequest) -> Answer {
        self.land(self.take_off(request, None)).await
    }

    /// Gets calls answered, in their order. Those that nobody makes are claimed together.
    pub(in crate::engine) async fn answer_all(self: &Arc<Self>, requests: Vec<CallRequest>) -> Vec<Answer> {
        if let [_] = requests.as_slice() {
            return join_all(requests.into_iter().map(|request| self.answer(request))).await;
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

    /// Claims calls in one go, and tells each what came of it.
    async fn claim_together(&self, claims: Vec<CallClaim>, waiting: Vec<oneshot::Sender<StampedClaim>>) {
        if claims.is_empty() {
            return;
        }
        for (tell, claim) in waiting.into_iter().zip(self.claim(claims).await) {
            // Nobody may be waiting any more.
            drop(tell.send(claim));
        }
    }

    /// Claims calls in one go; what came of each.
    pub(super) async fn claim(&self, claims: Vec<CallClaim>) -> Vec<StampedClaim> {
        let (lapses, asked) = (self.lapses.load(Ordering::SeqCst), claims.len());
        let claimed = self.ports.calls.claim(claims, self.worker).await;
        let claimed = match claimed {
            Ok(claims) if claims.len() == asked => claims.into_iter().map(Ok).collect(),
            Ok(_) => vec![Err(StoreError::Corrupt("a claim was not answered".to_owned())); asked],
            Err(error) => vec![Err(error); asked],
        };
        claimed.into_iter().map(|claim| (claim, lapses)).collect()
    }

    async fn land(self: &Arc<Self>, mut flight: Flight) -> Answer {
        loop {
            let own = match flight {
                Flight::Begun(begun) => return begun.await,
                Flight::Joined { sweep, same, own } => match same.await {
                    Answer::Failed(_) | Answer::Blocked(_) if sweep != own.sweep => own,
                    // Whoever asked first has to stop, this one need not.
                    Answer::Blocked(Blocked::Stopping) if !self.is_halted(&own) => own,
                    answer => return answer,
                },
            };
            flight = self.take_off(*own, None);
        }
    }

    /// Joins whoever asks the same in this process, or begins. An entry of `in_flight` that is alive is a call that is
    /// being settled: it is taken out by the last step of its own future.
    fn take_off(
        self: &Arc<Self>,
        request: CallRequest,
        first: Option<oneshot::Receiver<StampedClaim>>,
    ) -> Flight {
        let mut in_flight = self.in_flight();
        if let Some((sweep, same)) = in_flight.get(&request.hash())
            && let Some(same) = same.upgrade()
        {
            return Flight::Joined { sweep: *sweep, same, own: Box::new(request) };
        }
        let (hash, sweep) = (request.hash(), request.sweep);
        let caller = Arc::clone(self);
        let begun = async move {
            let settled = caller.settle(request, first).await;
            caller.in_flight().remove(&hash);
            settled
        };
        let begun = begun.boxed().shared();
        in_flight.extend(begun.downgrade().map(|weak| (hash, (sweep, weak))));
        Flight::Begun(begun)
    }

    pub(super) fn in_flight(&self) -> MutexGuard<'_, HashMap<Digest, InFlight>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
