//! The rights that a gate gives out, which end when they are dropped.

use std::sync::Arc;

use futures::channel::oneshot;

use super::Gate;
use super::rate::CountedCall;

/// The right to one exchange, until it is dropped.
#[derive(Debug)]
pub(in crate::engine) struct Permit {
    gate: Arc<Gate>,
    /// What is counted for it within the endpoint's limits a minute.
    counted: Option<CountedCall>,
}

impl Permit {
    pub(super) const fn new(gate: Arc<Gate>) -> Self {
        Self { gate, counted: None }
    }

    /// The same permit for a call that is counted within the limits a minute.
    pub(in crate::engine) fn counting(mut self, call: CountedCall) -> Self {
        self.counted = Some(call);
        self
    }

    /// The exchange was sent, and used so many tokens; as many as were counted for it where that is not known.
    pub(in crate::engine) const fn sent(&mut self, tokens: Option<u64>) {
        if let Some(counted) = &mut self.counted {
            counted.sent(tokens);
        }
    }
}

/// The right to ask the store for more or fewer slots. Only one caller holds it at a time; dropping it passes it on.
#[derive(Debug)]
pub(in crate::engine) struct ResizeTurn<'a> {
    pub(in crate::engine) gate: &'a Gate,
}

impl Drop for ResizeTurn<'_> {
    fn drop(&mut self) {
        self.gate.lock().asking = false;
    }
}

/// A waiting caller's place in the queue. If it is dropped after the permit was handed over, the permit is returned.
pub(super) struct PermitHandover {
    gate: Arc<Gate>,
    turn: Option<oneshot::Receiver<()>>,
}

impl PermitHandover {
    /// The place of a caller whose turn is announced through `turn`.
    pub(super) const fn new(gate: Arc<Gate>, turn: oneshot::Receiver<()>) -> Self {
        Self { gate, turn: Some(turn) }
    }

    /// Waits for its turn.
    pub(super) async fn take(mut self) -> Option<Permit> {
        let turn = self.turn.as_mut()?;
        let came = turn.await.is_ok();
        self.turn = None;
        came.then(|| Permit::new(Arc::clone(&self.gate)))
    }
}

impl Drop for PermitHandover {
    fn drop(&mut self) {
        if let Some(mut turn) = self.turn.take() {
            turn.close();
            if matches!(turn.try_recv(), Ok(Some(()))) {
                drop(Permit::new(Arc::clone(&self.gate)));
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.in_use = state.in_use.saturating_sub(1);
        state.admit();
    }
}
