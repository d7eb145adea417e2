//! Calls that wait for an endpoint's limits of requests and tokens a minute, which all processes share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::rate::RateLimits;
use domain::time::Timestamp;
use futures::lock::{Mutex as Turn, MutexGuard as TurnGuard};

use super::Gate;
use crate::ports::{RateCorrection, RateGrant, RateRequest};

/// How long a full endpoint is left before the store is asked again: calls of other processes may have used less than was
/// counted for them.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The queue of an endpoint. One caller at a time asks the store, for all that wait.
#[derive(Debug, Default)]
pub(super) struct RateQueue {
    state: Mutex<State>,
    turn: Turn<()>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    next: u64,
    /// When the store is to be asked again.
    not_before: Option<Timestamp>,
    corrections: Vec<RateCorrection>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    tokens: u64,
    /// The second that it is counted in, once it is granted.
    granted: Option<i64>,
}

/// A call's place in the queue. If it is dropped, the call is no longer counted.
#[derive(Debug)]
pub(in crate::engine) struct RateTicket {
    gate: Arc<Gate>,
    number: u64,
    tokens: u64,
}

/// A call that is counted within the limits a minute. Once it is dropped, what it used after all is counted instead.
#[derive(Debug)]
pub(in crate::engine) struct CountedCall {
    gate: Arc<Gate>,
    second: i64,
    tokens: u64,
    /// The tokens that it used, once it was sent.
    used: Option<u64>,
}

impl Gate {
    /// Queues a call that uses at most so many tokens.
    #[must_use]
    pub(in crate::engine) fn queue(self: &Arc<Self>, tokens: u64) -> RateTicket {
        let mut state = self.rate.lock();
        state.next += 1;
        let number = state.next;
        state.waiting.push_back(Waiting { number, tokens, granted: None });
        RateTicket { gate: Arc::clone(self), number, tokens }
    }

    /// The right to ask the store on behalf of all that wait.
    pub(in crate::engine) async fn rate_turn(&self) -> TurnGuard<'_, ()> {
        self.rate.turn.lock().await
    }

    /// What to ask the store for: all that wait, and the corrections that it has not had.
    #[must_use]
    pub(in crate::engine) fn rate_request(&self, limits: RateLimits) -> RateRequest {
        let mut state = self.rate.lock();
        let calls =
            state.waiting.iter().filter(|call| call.granted.is_none()).map(|call| call.tokens).collect();
        RateRequest { limits, calls, corrections: std::mem::take(&mut state.corrections) }
    }

    /// Gives the first that wait what the store granted at `now`.
    pub(in crate::engine) fn rate_granted(&self, grant: RateGrant, now: Timestamp) {
        let mut state = self.rate.lock();
        let wait = grant.decision.wait.min(ASK_AGAIN_AFTER);
        state.not_before = (!wait.is_zero()).then(|| now.after(wait));
        let waiting = state.waiting.iter_mut().filter(|call| call.granted.is_none());
        for call in waiting.take(grant.decision.granted) {
            call.granted = Some(grant.second);
        }
    }

    /// The store did not take these corrections: they are kept for the next time.
    pub(in crate::engine) fn keep_corrections(&self, corrections: Vec<RateCorrection>) {
        self.rate.lock().corrections.extend(corrections);
    }

    /// Whether there are corrections that the store has not had.
    #[must_use]
    pub(in crate::engine) fn has_corrections(&self) -> bool {
        !self.rate.lock().corrections.is_empty()
    }

    /// When the store is to be asked again for the calls that wait; at once where calls have used less than was counted.
    #[must_use]
    pub(in crate::engine) fn rate_not_before(&self) -> Option<Timestamp> {
        let state = self.rate.lock();
        state.not_before.filter(|_| state.corrections.is_empty())
    }
}

impl RateQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RateTicket {
    /// The call as it is counted, once it is granted.
    #[must_use]
    pub(in crate::engine) fn granted(&self) -> Option<CountedCall> {
        let second = self.leave(true)?;
        Some(CountedCall { gate: Arc::clone(&self.gate), second, tokens: self.tokens, used: None })
    }

    /// Leaves the queue; `only_granted` stays where it is not granted. The second that it was granted in.
    fn leave(&self, only_granted: bool) -> Option<i64> {
        let mut state = self.gate.rate.lock();
        let place = state.waiting.iter().position(|call| call.number == self.number)?;
        let granted = state.waiting.get(place)?.granted;
        if granted.is_some() || !only_granted {
            state.waiting.remove(place);
        }
        granted
    }
}

impl Drop for RateTicket {
    fn drop(&mut self) {
        if let Some(second) = self.leave(false) {
            drop(CountedCall { gate: Arc::clone(&self.gate), second, tokens: self.tokens, used: None });
        }
    }
}

impl CountedCall {
    /// It was sent, and used so many tokens; as many as are counted where that is not known.
    pub(super) const fn sent(&mut self, tokens: Option<u64>) {
        self.used = Some(match tokens {
            Some(tokens) => tokens,
            None => self.tokens,
        });
    }
}

impl Drop for CountedCall {
    fn drop(&mut self) {
        let whole = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        let requests = if self.used.is_some() { 0 } else { -1 };
        let tokens = whole(self.used.unwrap_or(0)) - whole(self.tokens);
        if requests != 0 || tokens != 0 {
            let correction = RateCorrection { second: self.second, requests, tokens };
            self.gate.rate.lock().corrections.push(correction);
        }
    }
}
