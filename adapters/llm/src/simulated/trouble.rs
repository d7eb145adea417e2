//! Simulated faults that a retry overcomes.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::call::{CallFailure, ChatCall, FailureKind};

use super::dice::{Dice, fnv1a};

/// Remembers which calls have failed, so that the next try succeeds.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    had: Mutex<HashSet<u64>>,
}

impl Trouble {
    /// How many of the first exchanges are turned away for being too many.
    const RATE_LIMITED: f64 = 0.01;
    /// How many of them get an answer that is broken.
    const MALFORMED: f64 = 0.005;
    /// Calls that are remembered at most.
    const REMEMBERED: usize = 10_000;

    /// The trouble of this exchange, if the call is due for some and has had none.
    pub(super) fn of(&self, call: &ChatCall) -> Result<(), CallFailure> {
        let mut dice = Dice::of_call(call, "trouble");
        let roll = dice.unit();
        if roll >= Self::RATE_LIMITED + Self::MALFORMED || !self.is_first(fnv1a(&call.canonical())) {
            return Ok(());
        }
        Err(if roll < Self::RATE_LIMITED {
            let retry_after = Some(Duration::from_secs_f64(0.05 + 0.15 * dice.unit()));
            CallFailure {
                retry_after,
                ..CallFailure::new(FailureKind::RateLimited, "429: simulated rate limit")
            }
        } else {
            let message = "the response is not a chat completion: {\"choices\":[{\"mess (simulated)";
            CallFailure::new(FailureKind::Malformed, message)
        })
    }

    /// Whether this call has not failed yet; it counts as failed from now on.
    fn is_first(&self, call: u64) -> bool {
        let mut had = self.had.lock().unwrap_or_else(PoisonError::into_inner);
        if had.len() >= Self::REMEMBERED {
            had.clear();
        }
        had.insert(call)
    }
}
