//! One exchange with an endpoint, under a permit.

use std::sync::Arc;
use std::time::Duration;

use domain::call::{CallFailure, Completion, FailureKind};
use domain::retry;

use super::{Blocked, CallRequest, Caller};
use crate::engine::gate::{Gate, Permit};

/// What came of one exchange.
pub(super) enum Exchange {
    Done(Result<Completion, CallFailure>),
    /// Nothing may pass.
    Shut,
    /// Nothing was sent: others may have taken the claim meanwhile.
    Unclaimed,
}

impl Caller {
    /// One exchange under a permit: the given one, or one that it waits for.
    pub(super) async fn exchange(
        &self,
        gate: &Arc<Gate>,
        request: &CallRequest,
        lapses: u64,
        permit: Option<Permit>,
    ) -> Exchange {
        let permit = match permit {
            Some(permit) => permit,
            None => match self.permit(gate, request).await {
                Some(permit) => permit,
                None => return Exchange::Shut,
            },
        };
        if !self.still_holds(lapses) {
            return Exchange::Unclaimed;
        }
        let result = self.ports.servers.complete(&request.endpoint, &request.call.call).await;
        drop(permit);
        Exchange::Done(result)
    }

    /// Waits for the permit to send; `None` where nothing may pass.
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

    /// Waits before the next try. A server that wants less is left alone by every call.
    pub(super) async fn wait(&self, gate: &Gate, failure: &CallFailure, wait: Duration) {
        if matches!(failure.kind, FailureKind::RateLimited { .. }) {
            gate.close_until(self.ports.clock.now().after(wait));
        }
        self.ports.timer.sleep(wait).await;
    }
}
