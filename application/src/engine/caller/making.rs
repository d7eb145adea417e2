//! Makes claimed calls, with retries, and stores their outcomes.

use std::sync::Arc;

use domain::call::{CallFailure, FailureKind};
use domain::retry::{self, RetryDecision};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::exchange::Exchange;
use super::{Blocked, CallAnswer, CallRequest, Caller};
use crate::engine::gate::{Gate, Permit};

/// The outcome of one attempt at a call that this process has claimed.
#[derive(Clone)]
pub(super) enum CallAttempt {
    Settled(CallAnswer),
    /// The call has to be claimed again first.
    ClaimAgain,
}

/// What follows a failed exchange.
enum Next {
    Again,
    Over(Vec<CallAttempt>),
}

impl Caller {
    /// Makes calls in one exchange. `failed` counts the exchanges that failed so far. Where the server refuses several calls
    /// together they are made in halves, so that the one that is wrong fails alone.
    pub(super) fn make<'a>(
        &'a self,
        requests: &'a [&'a CallRequest],
        lapses: u64,
        mut permit: Option<Permit>,
        failed: &'a mut u32,
    ) -> BoxFuture<'a, Vec<CallAttempt>> {
        let made = async move {
            let Some(first) = requests.first() else { return Vec::new() };
            let gate = self.gate(first.to.key());
            loop {
                let failure = match self.exchange(&gate, requests, lapses, permit.take()).await {
                    Exchange::Done(Ok(replies)) => {
                        gate.note_success();
                        return self
                            .store(requests, replies)
                            .await
                            .into_iter()
                            .map(CallAttempt::Settled)
                            .collect();
                    }
                    Exchange::Done(Err(failure)) => failure,
                    Exchange::Shut => return self.give_back(requests, &Self::why_shut(&gate)).await,
                    Exchange::Unclaimed => return vec![CallAttempt::ClaimAgain; requests.len()],
                };
                *failed += 1;
                if let Next::Over(made) = self.after(&gate, requests, failure, lapses, failed).await {
                    return made;
                }
            }
        };
        made.boxed()
    }

    async fn after(
        &self,
        gate: &Arc<Gate>,
        requests: &[&CallRequest],
        failure: CallFailure,
        lapses: u64,
        failed: &mut u32,
    ) -> Next {
        if failure.outcome_unknown {
            self.charge(requests).await;
        }
        let Some(request) = requests.first() else { return Next::Over(Vec::new()) };
        if request.to.endpoint().is_some() && Self::refuses_every_call(gate, request, &failure) {
            return Next::Over(self.broken(gate, requests, &failure).await);
        }
        match retry::after(&failure, *failed, self.ports.chance.unit()) {
            RetryDecision::Again(wait) => self.wait(gate, request, &failure, wait).await,
            RetryDecision::Postpone(wait) => {
                self.back_off(gate, request, &failure, wait).await;
                return Next::Over(self.give_back(requests, &Blocked::Postponed(wait)).await);
            }
            RetryDecision::GiveUp if requests.len() > 1 && failure.kind == FailureKind::Rejected => {
                // That the server refuses them together says nothing about how often each half may be tried.
                let (one, other) = requests.split_at(requests.len() / 2);
                let mut made = self.make(one, lapses, None, &mut 0).await;
                made.extend(self.make(other, lapses, None, &mut 0).await);
                return Next::Over(made);
            }
            RetryDecision::GiveUp => return Next::Over(self.give_up(requests, &failure).await),
        }
        // What was reserved has been charged: the next exchange needs a reservation of its own.
        if failure.outcome_unknown {
            return Next::Over(vec![CallAttempt::ClaimAgain; requests.len()]);
        }
        Next::Again
    }

    /// Whether an endpoint that failed so will refuse every call.
    fn refuses_every_call(gate: &Gate, request: &CallRequest, failure: &CallFailure) -> bool {
        failure.kind.breaks_endpoint()
            || failure.kind == FailureKind::Forbidden && gate.note_refusal(request.to.concurrency())
    }
}
