//! Acquires and releases a process's share of an endpoint's concurrency.

use domain::id::EndpointId;

use super::Caller;
use crate::engine::gate::ResizeTurn;
use crate::ports::{SlotRequest, StoreError};

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
        let (gate, want) = (asking.gate, want.min(concurrency));
        let in_flight = gate.lower_to(want);
        let request = SlotRequest { concurrency, want, in_flight };
        let granted = self.ports.slots.hold(self.worker, endpoint, request).await;
        if let Ok(granted) = &granted {
            let held = in_flight.max(*granted);
            gate.resize(*granted, (want.max(held) > 0).then_some(held));
        }
        granted.map(drop)
    }

    /// Adjusts the slots of every endpoint: acquires slots that calls wait for and releases surplus ones; with `beat` also
    /// those that are idle.
    pub(in crate::engine) async fn share_all(&self, beat: bool) -> Result<(), StoreError> {
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
}
