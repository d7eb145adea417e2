//! Acquires and releases a process's share of an endpoint's concurrency.

use domain::id::EndpointId;

use super::Caller;
use crate::engine::gate::{Gate, ResizeTurn};
use crate::ports::{EndpointCondition, SlotRequest, StoreError};

impl Caller {
    /// Takes as many slots as calls wait for, twice as many as it has at once.
    pub(super) async fn take(
        &self,
        endpoint: EndpointId,
        concurrency: u32,
        asking: ResizeTurn<'_>,
    ) -> Result<(), StoreError> {
        let demand = asking.gate.demand();
        let want = demand.in_use.saturating_add(demand.waiting).max(2 * demand.slots).max(1);
        self.share(endpoint, concurrency, asking, want).await
    }

    /// Asks for `want` slots. The local limit is lowered before the store is asked, so that there are never more exchanges
    /// under way than slots held.
    async fn share(
        &self,
        endpoint: EndpointId,
        concurrency: u32,
        asking: ResizeTurn<'_>,
        want: u32,
    ) -> Result<(), StoreError> {
        let gate = asking.gate;
        let want = want.min(gate.allowed(self.ports.clock.now(), concurrency));
        let in_flight = gate.lower_to(want);
        let request = SlotRequest { concurrency, want, in_flight };
        let granted = self.ports.slots.hold(self.worker, endpoint, request).await;
        if let Ok(granted) = &granted {
            let held = in_flight.max(*granted);
            gate.resize(*granted, (want.max(held) > 0).then_some(held));
        }
        granted.map(drop)
    }

    /// Learns how the endpoints in use are doing, and adjusts their slots: acquires slots that calls wait for and releases
    /// surplus ones; with `beat` also those that are idle.
    pub(in crate::engine) async fn share_all(&self, beat: bool) -> Result<(), StoreError> {
        let gates = self.endpoint_gates().into_iter().filter(|(_, gate)| {
            let demand = gate.demand();
            demand.in_use > 0 || demand.is_to_change(beat)
        });
        let gates: Vec<_> = gates.map(|(id, gate)| (id, gate.breaks(), gate)).collect();
        let ids: Vec<EndpointId> = gates.iter().map(|(id, ..)| *id).collect();
        let conditions = self.ports.endpoints.conditions(&ids).await?;
        for (endpoint, breaks, gate) in gates {
            let condition = conditions.iter().find(|condition| condition.endpoint == endpoint);
            if let Some(condition) = condition {
                self.follow(&gate, breaks, condition, beat).await?;
            }
        }
        Ok(())
    }

    /// Does as an endpoint's condition says, which was read after [`Gate::breaks`] returned `breaks`.
    async fn follow(
        &self,
        gate: &Gate,
        breaks: u64,
        condition: &EndpointCondition,
        beat: bool,
    ) -> Result<(), StoreError> {
        gate.apply_stored(breaks, condition.breaker.clone());
        if let Some(until) = condition.backing_off_until {
            gate.close_until(until);
        }
        if beat {
            self.correct_rate(gate, condition.endpoint).await?;
        }
        if gate.demand().is_to_change(beat)
            && let Some(asking) = gate.ask()
        {
            let demand = gate.demand();
            let want = demand.in_use.saturating_add(demand.waiting);
            self.share(condition.endpoint, condition.concurrency, asking, want).await?;
        }
        Ok(())
    }
}
