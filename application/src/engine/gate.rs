//! Limits the exchanges that this process has in flight with an endpoint, and how fast they follow each other.

mod permit;
mod rate;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::RunId;
use domain::rate::BackOff;
use domain::time::Timestamp;
use futures::channel::oneshot;

use self::permit::PermitHandover;
pub(super) use self::permit::{Permit, ResizeTurn};
use self::rate::RateQueue;
use crate::ports::Breaker;

/// Gives out permits for exchanges with one endpoint. A [`Permit`] is held for the HTTP exchange only.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    /// The calls that wait for the endpoint's limits a minute.
    rate: RateQueue,
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
    /// Fewer calls at once than the endpoint takes, since it refused some for coming too fast.
    back_off: Option<BackOff>,
    /// Whether one call at a time is sent, because the server is loading its model.
    alone: bool,
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

    /// Whether the store is to be asked for other slots; with `beat` also for those that are idle.
    pub(super) fn is_to_change(self, beat: bool) -> bool {
        self.is_short() || self.has_surplus() || beat && self.held.is_some()
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
                return Some(Permit::new(Arc::clone(self)));
            }
            let (tell, turn) = oneshot::channel();
            state.enqueue(run, tell);
            turn
        };
        PermitHandover::new(Arc::clone(self), turn).take().await
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

    /// Sends nothing before `until`: the endpoint asked for a pause. The end of the pause that was known before.
    pub(super) fn close_until(&self, until: Timestamp) -> Option<Timestamp> {
        let mut state = self.lock();
        let known = state.closed_until;
        state.closed_until = known.max(Some(until));
        known
    }

    /// Halves the calls at once, of the endpoint's `concurrency`: it refused one for coming too fast.
    pub(super) fn slow_down(&self, now: Timestamp, concurrency: u32) {
        let mut state = self.lock();
        state.back_off = Some(BackOff::after_refusal(state.back_off, now, concurrency));
        state.slots = state.slots.min(state.allowed(now, concurrency));
    }

    /// Sends one call at a time until one succeeds: the server is loading its model.
    pub(super) fn send_alone(&self) {
        let mut state = self.lock();
        state.alone = true;
        state.slots = state.slots.min(1);
    }

    /// How many calls at once may be sent of the endpoint's `concurrency`.
    #[must_use]
    pub(super) fn allowed(&self, now: Timestamp, concurrency: u32) -> u32 {
        self.lock().allowed(now, concurrency)
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
        let mut state = self.lock();
        state.refusals = Refusals::Served;
        state.alone = false;
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
    fn allowed(&self, now: Timestamp, concurrency: u32) -> u32 {
        if self.alone {
            1
        } else {
            self.back_off.map_or(concurrency, |back_off| back_off.allowed(now, concurrency))
        }
    }

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

#[cfg(test)]
mod tests;
