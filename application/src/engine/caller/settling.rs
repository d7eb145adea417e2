//! Claims calls until each has an answer, or is claimed by this process.

use std::time::Duration;

use futures::channel::oneshot;

use super::flight::StampedClaim;
use super::making::CallAttempt;
use super::{Blocked, CallAnswer, CallRequest, Caller, blocked, unanswered};
use crate::engine::gate::Permit;
use crate::ports::{Claim, StoreError};

/// Delays before the store is asked again for a call: the first, which doubles up to the longest.
pub(super) const MIN_STORE_RETRY_DELAY: Duration = Duration::from_millis(50);
pub(super) const MAX_STORE_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Calls that are settled together.
struct Settling {
    /// The answers so far, in the order of the calls.
    answers: Vec<Option<CallAnswer>>,
    open: Vec<OpenCall>,
    /// How long to wait before the next claim.
    delay: Duration,
    /// Exchanges that failed so far.
    failed: u32,
}

/// A call that has no answer yet.
struct OpenCall {
    /// Its place among those that are settled together.
    place: usize,
    request: CallRequest,
    /// It was claimed, but the claim may have been taken over since.
    held: bool,
}

/// What the store answered to a claim on a call.
enum ClaimOutcome {
    Over(CallAnswer),
    Mine,
    /// Another worker is making the call.
    Busy,
    /// It does not fit the budget at the moment.
    Unaffordable,
}

impl Settling {
    fn new(requests: Vec<CallRequest>) -> Self {
        let answers = vec![None; requests.len()];
        let open = requests.into_iter().enumerate();
        let open = open.map(|(place, request)| OpenCall { place, request, held: false }).collect();
        Self { answers, open, delay: MIN_STORE_RETRY_DELAY, failed: 0 }
    }

    /// Records the results of claims. Returns the calls that are to be made.
    fn take_claims(&mut self, claims: Vec<StampedClaim>) -> Vec<OpenCall> {
        let mut mine = Vec::new();
        for (mut call, (claim, _)) in std::mem::take(&mut self.open).into_iter().zip(claims) {
            match claimed(claim) {
                ClaimOutcome::Over(answer) => self.answers[call.place] = Some(answer),
                ClaimOutcome::Mine => {
                    call.held = true;
                    mine.push(call);
                }
                ClaimOutcome::Busy => self.open.push(call),
                ClaimOutcome::Unaffordable => {
                    self.delay = MIN_STORE_RETRY_DELAY;
                    self.open.push(call);
                }
            }
        }
        mine
    }

    fn take_made(&mut self, calls: Vec<OpenCall>, made: Vec<CallAttempt>) {
        for (call, made) in calls.into_iter().zip(made) {
            match made {
                CallAttempt::Settled(answer) => self.answers[call.place] = Some(answer),
                CallAttempt::ClaimAgain => {
                    self.delay = MIN_STORE_RETRY_DELAY;
                    self.open.push(call);
                }
            }
        }
    }

    fn finish(self) -> Vec<CallAnswer> {
        self.answers.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect()
    }
}

impl Caller {
    /// Settles calls together: one call, or several that one exchange can answer. A database that is away is waited for:
    /// nothing is sent without a claim. `first` is what came of claiming a single call.
    pub(super) async fn settle(
        &self,
        requests: Vec<CallRequest>,
        mut first: Option<oneshot::Receiver<StampedClaim>>,
    ) -> Vec<CallAnswer> {
        let mut settling = Settling::new(requests);
        loop {
            let permit = self.permit_for_claims(&mut settling).await;
            if !settling.open.is_empty() {
                let claims = self.claims(&settling.open, first.take()).await;
                let lapses = claims.first().map_or(0, |(_, lapses)| *lapses);
                let mine = settling.take_claims(claims);
                let requests: Vec<&CallRequest> = mine.iter().map(|call| &call.request).collect();
                let made = self.make(&requests, lapses, permit, &mut settling.failed).await;
                settling.take_made(mine, made);
            }
            if settling.open.iter().any(|call| self.is_halted(&call.request)) {
                self.block(&mut settling, &Blocked::Stopping).await;
            }
            if settling.open.is_empty() {
                return settling.finish();
            }
            self.ports.timer.sleep(settling.delay).await;
            settling.delay = (settling.delay * 2).min(MAX_STORE_RETRY_DELAY);
        }
    }

    async fn claims(
        &self,
        open: &[OpenCall],
        first: Option<oneshot::Receiver<StampedClaim>>,
    ) -> Vec<StampedClaim> {
        if let Some(first) = first
            && let Ok(claim) = first.await
        {
            return vec![claim];
        }
        self.claim(open.iter().map(|call| call.request.claim()).collect()).await
    }

    /// Ends the open calls without an answer, and releases their claims.
    async fn block(&self, settling: &mut Settling, why: &Blocked) {
        let calls = std::mem::take(&mut settling.open);
        let held: Vec<&CallRequest> =
            calls.iter().filter(|call| call.held).map(|call| &call.request).collect();
        if !held.is_empty() {
            self.release(&held).await;
        }
        for call in calls {
            settling.answers[call.place] = Some(CallAnswer::Blocked(why.clone()));
        }
    }

    /// Calls with a reservation are claimed only once they can be sent: what is claimed when a process dies may have been
    /// billed, and is charged. Others are claimed while they wait for a permit. Calls that have an answer are over.
    async fn permit_for_claims(&self, settling: &mut Settling) -> Option<Permit> {
        let Settling { answers, open, .. } = settling;
        if open.iter().all(|call| call.request.reserve.is_none()) {
            return None;
        }
        // A store that fails says so again at the claim.
        let hashes = open.iter().map(|call| call.request.hash()).collect();
        let known = self.ports.calls.peek(hashes).await.unwrap_or_default();
        for (call, answer) in open.iter().zip(known) {
            answers[call.place] = answer.map(CallAnswer::Stored);
        }
        open.retain(|call| answers[call.place].is_none());
        let requests: Vec<&CallRequest> = open.iter().map(|call| &call.request).collect();
        let gate = self.gate(requests.first()?.to.key());
        let permit = self.permit(&gate, &requests).await;
        if permit.is_none() {
            self.block(settling, &Self::why_shut(&gate)).await;
        }
        permit
    }
}

fn claimed(claim: Result<Claim, StoreError>) -> ClaimOutcome {
    match claim {
        Ok(Claim::Answered(answer)) => ClaimOutcome::Over(CallAnswer::Stored(answer)),
        Ok(Claim::Failed(failure)) => ClaimOutcome::Over(CallAnswer::Failed(failure)),
        Ok(Claim::NoBudget { open: false }) => ClaimOutcome::Over(CallAnswer::Blocked(Blocked::Budget)),
        Err(error @ StoreError::Corrupt(_)) => ClaimOutcome::Over(blocked(error)),
        Ok(Claim::Yours) => ClaimOutcome::Mine,
        Ok(Claim::Busy) | Err(StoreError::Unavailable(_)) => ClaimOutcome::Busy,
        Ok(Claim::NoBudget { open: true }) => ClaimOutcome::Unaffordable,
    }
}
