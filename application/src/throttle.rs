//! Limits how fast passwords can be guessed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::time::Timestamp;

/// Failures in a row that are let pass.
const FREE: u32 = 5;
/// How long the first wait is; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Names that are remembered; beyond that the oldest are forgotten.
const REMEMBERED: usize = 10_000;

/// Failed attempts by whom they were made for and from where.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn open_at(self) -> Timestamp {
        let Some(beyond) = self.count.checked_sub(FREE) else { return self.last };
        let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
        self.last.after(wait)
    }
}

impl Throttle {
    /// How long to wait before the next attempt; nothing where it may be made at once.
    pub(crate) fn wait(&self, who: &str, now: Timestamp) -> Option<Duration> {
        let open_at = self.failures().get(who)?.open_at();
        Some(open_at.since(now)).filter(|wait| !wait.is_zero())
    }

    /// Takes note of a failed attempt.
    pub(crate) fn failed(&self, who: &str, now: Timestamp) {
        let mut failures = self.failures();
        if failures.len() >= REMEMBERED {
            failures.retain(|_, of| now.since(of.last) < LONGEST_WAIT);
        }
        if failures.len() >= REMEMBERED {
            failures.clear();
        }
        let of = failures.entry(who.to_owned()).or_insert(Failures { count: 0, last: now });
        *of = Failures { count: of.count.saturating_add(1), last: now };
    }

    /// Forgets the failures of whoever got in.
    pub(crate) fn passed(&self, who: &str) {
        self.failures().remove(who);
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, HashMap<String, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_failures_and_end_with_success() {
        let (throttle, mut now) = (Throttle::default(), Timestamp::from_micros(0));
        for _ in 0..FREE - 1 {
            throttle.failed("ada", now);
            assert_eq!(throttle.wait("ada", now), None);
        }
        for seconds in [1, 2, 4, 8] {
            throttle.failed("ada", now);
            assert_eq!(throttle.wait("ada", now), Some(Duration::from_secs(seconds)));
            assert_eq!(throttle.wait("bob", now), None, "others are not kept waiting");
            now = now.after(Duration::from_secs(seconds));
            assert_eq!(throttle.wait("ada", now), None);
        }
        for _ in 0..40 {
            throttle.failed("ada", now);
        }
        assert_eq!(throttle.wait("ada", now), Some(LONGEST_WAIT));
        throttle.passed("ada");
        assert_eq!(throttle.wait("ada", now), None);
    }

    #[test]
    fn memory_has_a_bound() {
        let throttle = Throttle::default();
        for n in 0..3 * REMEMBERED {
            throttle.failed(&n.to_string(), Timestamp::from_micros(0));
        }
        assert!(throttle.failures().len() <= REMEMBERED);
    }
}
