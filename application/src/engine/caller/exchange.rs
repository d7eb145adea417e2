//! One exchange with an endpoint, under a permit.

use std::sync::Arc;
use std::time::Duration;

use domain::call::{Call, CallFailure, EmbedCall, FailureKind, Reply};
use domain::retry;

use super::{Blocked, CallRequest, Caller};
use crate::engine::gate::{Gate, Permit};

/// The outcome of one exchange.
pub(super) enum Exchange {
    /// The replies, one for each call, or why there are none.
    Done(Result<Vec<Reply>, CallFailure>),
    /// No permits are given out.
    Shut,
    /// Nothing was sent, because another worker may have taken over the claim.
    Unclaimed,
}

impl Caller {
    /// One exchange under a permit: the given one, or one that it waits for.
    pub(super) async fn exchange(
        &self,
        gate: &Arc<Gate>,
        requests: &[&CallRequest],
        lapses: u64,
        permit: Option<Permit>,
    ) -> Exchange {
        let permit = match (permit, requests.first()) {
            (None, Some(request)) => self.permit(gate, request).await,
            (permit, _) => permit,
        };
        let Some(permit) = permit else { return Exchange::Shut };
        if !self.still_holds(lapses) {
            return Exchange::Unclaimed;
        }
        let result = self.send(requests).await;
        drop(permit);
        Exchange::Done(result)
    }

    /// One chat call, or embeddings of one model.
    async fn send(&self, requests: &[&CallRequest]) -> Result<Vec<Reply>, CallFailure> {
        let Some(first) = requests.first() else { return Ok(Vec::new()) };
        if let Call::Chat(call) = &*first.call.call {
            return Ok(vec![self.ports.servers.complete(&first.endpoint, call).await?]);
        }
        let calls: Vec<EmbedCall> =
            requests.iter().filter_map(|request| request.call.call.as_embed()).cloned().collect();
        let replies = self.ports.servers.embed(&first.endpoint, &calls).await?;
        if replies.len() == requests.len() {
            return Ok(replies);
        }
        let detail = format!("{} embeddings came for {} texts", replies.len(), requests.len());
        Err(CallFailure { outcome_unknown: true, ..CallFailure::new(FailureKind::Malformed, detail) })
    }

    /// Waits for the permit to send; `None` if none is given out.
    pub(super) async fn permit(&self, gate: &Arc<Gate>, request: &CallRequest) -> Option<Permit> {
        loop {
            if self.is_stopping() {
                return None;
            }
            let concurrency = request.endpoint.limits.concurrency.get();
            if gate.lacks(concurrency)
                && let Some(asking) = gate.ask()
            {
                let shared = self.take(request.endpoint.id, concurrency, asking).await;
                shared.unwrap_or_else(|error| tracing::warn!(%error, "no slots could be taken"));
            }
            let permit = gate.pass(request.payer.map(|payer| payer.run)).await?;
            let Some(wait) = self.closed_for(gate) else { return Some(permit) };
            drop(permit);
            self.ports.timer.sleep(wait).await;
        }
    }

    fn closed_for(&self, gate: &Gate) -> Option<Duration> {
        let wait = gate.closed_until()?.since(self.ports.clock.now());
        // A longer wait would have put the run back: the clock was set back since.
        (!wait.is_zero() && wait <= retry::LONGEST_WAIT).then_some(wait)
    }

    pub(super) fn why_shut(gate: &Gate) -> Blocked {
        gate.broken().map_or(Blocked::Stopping, Blocked::Endpoint)
    }

    /// Waits before the next attempt. If the server asked for a pause, all calls to it wait.
    pub(super) async fn wait(&self, gate: &Gate, failure: &CallFailure, wait: Duration) {
        if matches!(failure.kind, FailureKind::RateLimited { .. }) {
            gate.close_until(self.ports.clock.now().after(wait));
        }
        self.ports.timer.sleep(wait).await;
    }
}
