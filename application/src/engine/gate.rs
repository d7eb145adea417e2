//! Limits the exchanges that this process has in flight with an endpoint.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::RunId;
use domain::time::Timestamp;
use futures::channel::oneshot;

use crate::ports::Breaker;

/// Gives out permits for exchanges with one endpoint. A [`Permit`] is held for the HTTP exchange only.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slots: u32,
    in_use: u32,
    /// The slots that the store counts as held by this process; `None` if it has no entry of it.
    held: Option<u32>,
    asking: bool,
    /// For each run the calls that wait, in their order; the run whose turn is next comes first.
    waiting: VecDeque<(Option<RunId>, VecDeque<oneshot::Sender<()>>)>,
    closed_until: Option<Timestamp>,
    broken: Option<Breaker>,
    /// How often this process has found the endpoint broken.
    breaks: u64,
    /// Whether it serves this process at all.
    refusals: Refusals,
}

/// What is known of whether an endpoint serves this process at all.
#[derive(Debug, Clone, Copy)]
enum Refusals {
    /// So many answers refused, and none has succeeded.
    Only(u32),
    /// A call has succeeded: a refusal then means its prompt.
    Served,
}

impl Default for Refusals {
    fn default() -> Self {
        Self::Only(0)
    }
}

/// The right to one exchange, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    gate: Arc<Gate>,
}

/// The right to ask the store for more or fewer slots. Only one caller holds it at a time; dropping it passes it on.
#[derive(Debug)]
pub(super) struct ResizeTurn<'a> {
    pub(super) gate: &'a Gate,
}

impl Drop for ResizeTurn<'_> {
    fn drop(&mut self) {
        self.gate.lock().asking = false;
    }
}

/// The use of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demand {
    /// Slots granted: the limit of permits.
    pub slots: u32,
    /// Permits in use; more than the slots while slots are being released.
    pub in_use: u32,
    /// Calls that wait for one.
    pub waiting: u32,
    /// Slots the store counts as this process's.
    pub held: Option<u32>,
}

impl Demand {
    /// Whether calls wait for slots.
    pub(super) const fn is_short(self) -> bool {
        self.waiting > 0 && self.in_use >= self.slots
    }

    /// Whether the store counts slots that can no longer be in use.
    pub(super) fn has_surplus(self) -> bool {
        self.held.is_some_and(|held| held > self.slots.max(self.in_use))
    }
}

impl Gate {
    /// Waits for a permit for a run, or for the calls outside runs. Runs take turns, so that none of them starves. `None`
    /// if the endpoint is broken or the gate was [`wake`](Self::wake)d.
    pub(super) async fn pass(self: &Arc<Self>, run: Option<RunId>) -> Option<Permit> {
        let turn = {
            let mut state = self.lock();
            if state.broken.is_some() {
                return None;
            }
            if state.in_use < state.slots && state.waiting.is_empty() {
                state.in_use += 1;
                return Some(Permit { gate: Arc::clone(self) });
            }
            let (tell, turn) = oneshot::channel();
            state.enqueue(run, tell);
            turn
        };
        PermitHandover { gate: Arc::clone(self), turn: Some(turn) }.take().await
    }

    /// Lowers the local limit to `want` before the store is asked for as many slots. Returns the exchanges that may
    /// still be under way until [`resize`](Self::resize).
    #[must_use]
    pub(super) fn lower_to(&self, want: u32) -> u32 {
        let mut state = self.lock();
        state.slots = state.slots.min(want);
        state.slots.max(state.in_use)
    }

    /// Sets the slots granted and the slots that the store counts as held, and gives out the permits that now fit.
    pub(super) fn resize(&self, slots: u32, held: Option<u32>) {
        let mut state = self.lock();
        state.slots = slots;
        state.held = held;
        state.admit();
    }

    /// The right to ask the store for slots; `None` while another caller has it.
    #[must_use]
    pub(super) fn ask(&self) -> Option<ResizeTurn<'_>> {
        let asked_already = std::mem::replace(&mut self.lock().asking, true);
        if asked_already { None } else { Some(ResizeTurn { gate: self }) }
    }

    /// Its current use.
    #[must_use]
    pub(super) fn demand(&self) -> Demand {
        let state = self.lock();
        let waiting =
            state.waiting.iter().flat_map(|(_, turns)| turns).filter(|turn| !turn.is_canceled()).count();
        Demand {
            slots: state.slots,
            in_use: state.in_use,
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            held: state.held,
        }
    }

    /// Whether all slots are in use and there may be more.
    #[must_use]
    pub(super) fn lacks(&self, concurrency: u32) -> bool {
        let state = self.lock();
        !state.asking && state.in_use >= state.slots && state.slots < concurrency
    }

    /// Sends nothing before `until`: the endpoint asked for a pause.
    pub(super) fn close_until(&self, until: Timestamp) {
        let mut state = self.lock();
        state.closed_until = state.closed_until.max(Some(until));
    }

    /// The end of the pause that the endpoint asked for.
    #[must_use]
    pub(super) fn closed_until(&self) -> Option<Timestamp> {
        self.lock().closed_until
    }

    /// Gives out no permits any more, for this reason.
    pub(super) fn break_open(&self, breaker: Breaker) {
        let mut state = self.lock();
        state.breaks += 1;
        state.set_broken(Some(breaker));
    }

    /// How often [`break_open`](Self::break_open) was called: to be read before the stored breaker is.
    #[must_use]
    pub(super) fn breaks(&self) -> u64 {
        self.lock().breaks
    }

    /// Applies the stored breaker, which was read after [`breaks`](Self::breaks) returned `seen`. Nothing is done if the
    /// endpoint was found broken since: what was read may be older than that.
    pub(super) fn apply_stored(&self, seen: u64, breaker: Option<Breaker>) {
        let mut state = self.lock();
        if state.breaks == seen {
            if breaker.is_none() && state.broken.is_some() {
                // Somebody changed the endpoint.
                state.refusals = Refusals::default();
            }
            state.set_broken(breaker);
        }
    }

    /// A call has succeeded.
    pub(super) fn note_success(&self) {
        self.lock().refusals = Refusals::Served;
    }

    /// The endpoint refused a call, perhaps for its prompt. Whether it refuses every call: it never served this process, and
    /// as many answers in a row as it takes calls at once were refusals.
    #[must_use]
    pub(super) fn note_refusal(&self, concurrency: u32) -> bool {
        let mut state = self.lock();
        match &mut state.refusals {
            Refusals::Served => false,
            Refusals::Only(count) => {
                *count += 1;
                *count >= concurrency
            }
        }
    }

    /// Why no permits are given out.
    #[must_use]
    pub(super) fn broken(&self) -> Option<Breaker> {
        self.lock().broken.clone()
    }

    /// Ends all waits without a permit.
    pub(super) fn wake(&self) {
        self.lock().waiting.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set_broken(&mut self, breaker: Option<Breaker>) {
        self.broken = breaker;
        if self.broken.is_some() {
            self.waiting.clear();
        }
    }

    fn enqueue(&mut self, run: Option<RunId>, turn: oneshot::Sender<()>) {
        match self.waiting.iter_mut().find(|(waiting, _)| *waiting == run) {
            Some((_, turns)) => turns.push_back(turn),
            None => self.waiting.push_back((run, VecDeque::from([turn]))),
        }
    }

    /// Gives free slots to waiting calls, one run after the other.
    fn admit(&mut self) {
        while self.in_use < self.slots {
            let Some((run, mut turns)) = self.waiting.pop_front() else { break };
            if let Some(turn) = turns.pop_front()
                && turn.send(()).is_ok()
            {
                self.in_use += 1;
            }
            if !turns.is_empty() {
                self.waiting.push_back((run, turns));
            }
        }
    }
}

/// A waiting caller's place in the queue. If it is dropped after the permit was handed over, the permit is returned.
struct PermitHandover {
    gate: Arc<Gate>,
    turn: Option<oneshot::Receiver<()>>,
}

impl PermitHandover {
    async fn take(mut self) -> Option<Permit> {
        let turn = self.turn.as_mut()?;
        let came = turn.await.is_ok();
        self.turn = None;
        came.then(|| Permit { gate: Arc::clone(&self.gate) })
    }
}

impl Drop for PermitHandover {
    fn drop(&mut self) {
        if let Some(mut turn) = self.turn.take() {
            turn.close();
            if matches!(turn.try_recv(), Ok(Some(()))) {
                drop(Permit { gate: Arc::clone(&self.gate) });
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

#[cfg(test)]
mod tests {
    use domain::call::FailureKind;
    use futures::FutureExt as _;
    use futures::executor::block_on;

    use super::*;

    const RUN: Option<RunId> = Some(RunId::new(1));

    fn gate(slots: u32) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        gate.resize(slots, Some(slots));
        gate
    }

    #[test]
    fn an_endpoint_that_never_served_is_told_from_one_that_refuses_a_prompt() {
        let gate = Gate::default();
        assert!(!gate.note_refusal(2) && gate.note_refusal(2));
        let gate = Gate::default();
        gate.note_success();
        assert!((0..9).all(|_| !gate.note_refusal(2)));
    }

    #[test]
    fn no_more_pass_than_there_are_slots() {
        let gate = gate(2);
        let held = [block_on(gate.pass(RUN)), block_on(gate.pass(RUN))];
        let mut third = Box::pin(gate.pass(RUN));
        assert!(third.as_mut().now_or_never().is_none());
        assert_eq!(gate.demand(), Demand { slots: 2, in_use: 2, waiting: 1, held: Some(2) });
        drop(held);
        assert!(block_on(third).is_some());
        assert_eq!(gate.demand().in_use, 0);
    }

    #[test]
    fn runs_take_turns() {
        let gate = gate(0);
        let runs = [1, 1, 1, 2, 2].map(|run| Some(RunId::new(run)));
        let mut waiting: Vec<_> = runs.iter().map(|run| Box::pin(gate.pass(*run))).collect();
        assert!(waiting.iter_mut().all(|turn| turn.as_mut().now_or_never().is_none()));
        gate.resize(3, Some(3));
        let turns: Vec<_> = waiting.iter_mut().map(|turn| turn.as_mut().now_or_never().flatten()).collect();
        let admitted: Vec<bool> = turns.iter().map(Option::is_some).collect();
        assert_eq!(admitted, [true, true, false, true, false], "one run had the other's turn");
    }

    #[test]
    fn a_turn_that_nobody_takes_goes_to_the_next() {
        let gate = gate(1);
        let held = block_on(gate.pass(RUN));
        let mut left = Box::pin(gate.pass(RUN));
        assert!(left.as_mut().now_or_never().is_none());
        let mut next = Box::pin(gate.pass(RUN));
        assert!(next.as_mut().now_or_never().is_none());
        drop(held);
        drop(left);
        assert!(next.now_or_never().flatten().is_some());
        assert_eq!(gate.demand().in_use, 0);
    }

    #[test]
    fn a_broken_endpoint_sends_everyone_away() {
        let gate = gate(1);
        let held = block_on(gate.pass(RUN));
        let mut waiting = Box::pin(gate.pass(RUN));
        assert!(waiting.as_mut().now_or_never().is_none());
        let before = gate.breaks();
        gate.break_open(Breaker { kind: FailureKind::Unauthorized, reason: "401".into() });
        assert!(block_on(waiting).is_none());
        drop(held);
        assert!(block_on(gate.pass(RUN)).is_none());
        gate.apply_stored(before, None);
        assert!(block_on(gate.pass(RUN)).is_none(), "the store was read before the endpoint broke");
        gate.apply_stored(gate.breaks(), None);
        assert!(block_on(gate.pass(RUN)).is_some());
    }

    #[test]
    fn slots_in_use_are_given_up_when_their_exchange_ends() {
        let gate = gate(2);
        let mut held = vec![block_on(gate.pass(RUN)), block_on(gate.pass(RUN))];
        assert_eq!(gate.lower_to(1), 2, "two are in flight");
        gate.resize(1, Some(2));
        let mut third = Box::pin(gate.pass(RUN));
        held.pop();
        assert!(third.as_mut().now_or_never().is_none(), "a slot that was given up was used again");
        assert!(gate.demand().has_surplus());
        assert_eq!(gate.lower_to(1), 1);
        gate.resize(1, Some(1));
        assert!(!gate.demand().has_surplus());
        held.pop();
        assert!(block_on(third).is_some());
    }

    #[test]
    fn one_asks_at_a_time() {
        let gate = gate(0);
        let asking = gate.ask();
        assert!(asking.is_some() && gate.ask().is_none() && !gate.lacks(1));
        drop(asking);
        assert!(gate.lacks(1) && gate.ask().is_some());
    }

    #[test]
    fn more_slots_let_more_in() {
        let gate = gate(0);
        let mut waiting = Box::pin(gate.pass(RUN));
        assert!(waiting.as_mut().now_or_never().is_none());
        gate.resize(1, Some(1));
        assert!(block_on(waiting).is_some());
    }
}
