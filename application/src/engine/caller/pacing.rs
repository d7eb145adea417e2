//! Keeps the pace that an endpoint takes: its limits a minute, and the pauses that it asks for.

use std::sync::Arc;
use std::time::Duration;

use domain::call::{CallFailure, FailureKind, Reply};
use domain::id::EndpointId;
use domain::rate::RateLimits;
use domain::retry;

use super::settling::MIN_STORE_RETRY_DELAY;
use super::{CallRequest, Caller, Destination};
use crate::engine::gate::{Gate, Permit};
use crate::ports::{RateGrant, RateRequest, StoreError};

/// How often a call that waits for its endpoint looks whether its run has been stopped.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The longest wait before the limits a minute are looked at again.
const LONGEST_RATE_WAIT: Duration = Duration::from_secs(2);

/// Pauses shorter than this are no reason to send less at once, and no news for other processes.
const NOTABLE_PAUSE: Duration = Duration::from_secs(1);

/// The completion tokens counted for a call whose answer has no known limit, until it is there.
const USUAL_MAX_OUTPUT: u64 = 4_096;

impl Caller {
    /// Waits for the permit to send calls in one exchange; `None` if none is given out.
    pub(super) async fn permit(&self, gate: &Arc<Gate>, requests: &[&CallRequest]) -> Option<Permit> {
        let request = requests.first()?;
        loop {
            if self.is_halted(request) {
                return None;
            }
            self.take_slots(gate, &request.to).await;
            let permit = gate.pass(request.payer.map(|payer| payer.run)).await?;
            let Some(wait) = self.closed_for(gate) else { return self.paced(gate, requests, permit).await };
            drop(permit);
            self.ports.timer.sleep(wait.min(LOOK_EVERY)).await;
        }
    }

    /// Takes slots where calls wait for some: of an endpoint from the store, which shares them among processes.
    async fn take_slots(&self, gate: &Gate, to: &Destination) {
        let allowed = gate.allowed(self.ports.clock.now(), to.concurrency());
        if !gate.lacks(allowed) {
            return;
        }
        match to {
            Destination::Service(_) => gate.resize(allowed, None),
            Destination::Endpoint(endpoint) => {
                if let Some(asking) = gate.ask() {
                    let shared = self.take(endpoint.id, to.concurrency(), asking).await;
                    shared.unwrap_or_else(|error| tracing::warn!(%error, "no slots could be taken"));
                }
            }
        }
    }

    fn closed_for(&self, gate: &Gate) -> Option<Duration> {
        let wait = gate.closed_until()?.since(self.ports.clock.now());
        // A longer wait would have put the run back: the clock was set back since.
        (!wait.is_zero() && wait <= retry::LONGEST_WAIT).then_some(wait)
    }

    /// The permit, once the limits a minute allow the exchange as well.
    async fn paced(&self, gate: &Arc<Gate>, requests: &[&CallRequest], permit: Permit) -> Option<Permit> {
        let request = requests.first()?;
        let Some(endpoint) = request.to.endpoint().filter(|endpoint| !endpoint.limits.rate.is_unlimited())
        else {
            return Some(permit);
        };
        let limits = endpoint.limits.rate;
        let ticket =
            gate.queue(requests.iter().map(|request| most_tokens(request)).fold(0, u64::saturating_add));
        loop {
            if self.is_halted(request) || gate.broken().is_some() {
                return None;
            }
            if let Some(wait) = self.rate_wait(gate) {
                self.ports.timer.sleep(wait.min(LOOK_EVERY)).await;
            }
            let turn = gate.rate_turn().await;
            if let Some(counted) = ticket.granted() {
                return Some(permit.counting(counted));
            }
            if self.rate_wait(gate).is_none() {
                self.take_rate(gate, endpoint.id, limits).await;
            }
            drop(turn);
        }
    }

    fn rate_wait(&self, gate: &Gate) -> Option<Duration> {
        let wait = gate.rate_not_before()?.since(self.ports.clock.now());
        // A clock that was set back puts no calls off.
        (!wait.is_zero() && wait <= LONGEST_RATE_WAIT).then_some(wait)
    }

    /// Asks the store for all that wait. A store that does not answer is asked again: nothing is sent uncounted.
    async fn take_rate(&self, gate: &Gate, endpoint: EndpointId, limits: RateLimits) {
        match self.ask_rate(gate, endpoint, gate.rate_request(limits)).await {
            Ok(grant) => gate.rate_granted(grant, self.ports.clock.now()),
            Err(error) => {
                tracing::warn!(%error, "the limits a minute of an endpoint could not be read; it will be tried again");
                self.ports.timer.sleep(MIN_STORE_RETRY_DELAY).await;
            }
        }
    }

    /// Asks the store; corrections that it does not take are kept for the next time.
    async fn ask_rate(
        &self,
        gate: &Gate,
        endpoint: EndpointId,
        request: RateRequest,
    ) -> Result<RateGrant, StoreError> {
        let corrections = request.corrections.clone();
        let answer = self.ports.rates.take(endpoint, request).await;
        if answer.is_err() {
            gate.keep_corrections(corrections);
        }
        answer
    }

    /// Tells the store what earlier calls used after all, where no later call has.
    pub(super) async fn correct_rate(&self, gate: &Gate, endpoint: EndpointId) -> Result<(), StoreError> {
        if !gate.has_corrections() {
            return Ok(());
        }
        let _turn = gate.rate_turn().await;
        let request = RateRequest { calls: vec![], ..gate.rate_request(RateLimits::default()) };
        self.ask_rate(gate, endpoint, request).await.map(drop)
    }

    /// Waits before the next attempt. What the server says of its load holds for all calls to it.
    pub(super) async fn wait(
        &self,
        gate: &Gate,
        request: &CallRequest,
        failure: &CallFailure,
        wait: Duration,
    ) {
        match failure.kind {
            FailureKind::RateLimited => self.back_off(gate, request, failure, wait).await,
            FailureKind::Loading => gate.send_alone(),
            _ => {}
        }
        self.ports.timer.sleep(wait).await;
    }

    /// Sends nothing to the endpoint for this long, and less at once afterwards.
    pub(super) async fn back_off(
        &self,
        gate: &Gate,
        request: &CallRequest,
        failure: &CallFailure,
        wait: Duration,
    ) {
        let now = self.ports.clock.now();
        let known = gate.close_until(now.after(wait));
        if failure.retry_after.is_some_and(|wait| wait < NOTABLE_PAUSE) {
            return;
        }
        gate.slow_down(now, request.to.concurrency());
        let adds = known.is_none_or(|known| now.after(wait).since(known) >= NOTABLE_PAUSE);
        if wait >= NOTABLE_PAUSE
            && adds
            && let Some(endpoint) = request.to.endpoint()
            && let Err(error) = self.ports.endpoints.back_off(endpoint.id, wait).await
        {
            tracing::warn!(%error, "other processes do not learn of a pause that an endpoint asked for");
        }
    }
}

/// The most tokens that a call can use.
fn most_tokens(request: &CallRequest) -> u64 {
    let call = &request.call.call;
    let of_endpoint = request.to.endpoint().and_then(|endpoint| endpoint.max_output_tokens);
    let limit = call.max_tokens().or(of_endpoint.map(u64::from));
    call.token_bound(limit.unwrap_or(USUAL_MAX_OUTPUT))
}

/// The tokens that an exchange used; `None` where that is not known.
pub(super) fn used_tokens(result: &Result<Vec<Reply>, CallFailure>) -> Option<u64> {
    match result {
        Ok(replies) => Some(replies.iter().map(|reply| reply.tokens.total()).fold(0, u64::saturating_add)),
        Err(failure) if failure.outcome_unknown => None,
        Err(_) => Some(0),
    }
}
