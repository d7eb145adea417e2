//! Requests and tokens a minute: which calls an endpoint may be sent now. Nothing here reads a clock.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::time::Timestamp;

/// What an endpoint takes a minute, from all processes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimits {
    /// Requests, a retry counted like any other.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens, prompt and completion together.
    pub tokens_per_minute: Option<NonZeroU32>,
}

impl RateLimits {
    /// Whether neither is limited.
    #[must_use]
    pub const fn is_unlimited(self) -> bool {
        self.requests_per_minute.is_none() && self.tokens_per_minute.is_none()
    }

    /// Whether a call of so many tokens may be sent after what was sent within the window. A call that is larger than the
    /// limit of tokens may be sent where nothing else counts: it could never be sent otherwise.
    fn admit(self, sent: SecondUse, tokens: u64) -> bool {
        let requests = self.requests_per_minute.is_none_or(|most| sent.requests < u64::from(most.get()));
        let fits = |most: NonZeroU32| {
            sent.tokens == 0 || sent.tokens.saturating_add(tokens) <= u64::from(most.get())
        };
        requests && self.tokens_per_minute.is_none_or(fits)
    }
}

/// What was sent to an endpoint within one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecondUse {
    /// The second, counted from 1970-01-01T00:00:00Z.
    pub second: i64,
    /// Requests.
    pub requests: u64,
    /// Tokens: those that an answer counted, or the most that a call without an answer can use.
    pub tokens: u64,
}

/// Whole seconds that are looked back on: a minute, the second that has begun, and one for the way from the decision to the
/// server, so that no 60 seconds at the server hold more than the limits.
pub const WINDOW_SECONDS: i64 = 62;

/// Which calls may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    /// So many of the calls, the first of them.
    pub granted: usize,
    /// How long until the next of them may be sent; zero where all are granted.
    pub wait: Duration,
}

/// Decides how many of `calls`, given by their tokens, may be sent at `now`, after what was `sent` before: at most one entry
/// for each second, in any order. Calls are granted in their order.
///
/// ```
/// use std::num::NonZeroU32;
/// use promptlooper_domain::rate::{RateLimits, decide};
/// use promptlooper_domain::time::Timestamp;
/// let limits = RateLimits { requests_per_minute: NonZeroU32::new(2), tokens_per_minute: None };
/// let decision = decide(limits, &[], Timestamp::from_micros(500_000), &[10, 10, 10]);
/// assert_eq!((decision.granted, decision.wait.as_millis()), (2, 61_500));
/// ```
#[must_use]
pub fn decide(limits: RateLimits, sent: &[SecondUse], now: Timestamp, calls: &[u64]) -> RateDecision {
    let second = now.micros().div_euclid(1_000_000);
    let mut recent: Vec<SecondUse> =
        sent.iter().copied().filter(|used| used.second > second - WINDOW_SECONDS).collect();
    recent.sort_unstable_by_key(|used| used.second);
    let mut sum =
        recent.iter().fold(SecondUse { second, ..SecondUse::default() }, |sum, used| sum.plus(*used));
    let mut granted = SecondUse { second, ..SecondUse::default() };
    for (place, tokens) in calls.iter().enumerate() {
        if !limits.admit(sum, *tokens) {
            recent.push(granted);
            return RateDecision { granted: place, wait: wait(limits, &recent, now, *tokens) };
        }
        let call = SecondUse { second, requests: 1, tokens: *tokens };
        (sum, granted) = (sum.plus(call), granted.plus(call));
    }
    RateDecision { granted: calls.len(), wait: Duration::ZERO }
}

/// How long until so much has left the window that a call of so many tokens may be sent. `recent` is in order of time.
fn wait(limits: RateLimits, recent: &[SecondUse], now: Timestamp, tokens: u64) -> Duration {
    let mut left = recent.iter().fold(SecondUse::default(), |sum, used| sum.plus(*used));
    for used in recent {
        left.requests = left.requests.saturating_sub(used.requests);
        left.tokens = left.tokens.saturating_sub(used.tokens);
        if limits.admit(left, tokens) {
            let end = used.second.saturating_add(WINDOW_SECONDS).saturating_mul(1_000_000);
            return Timestamp::from_micros(end).since(now);
        }
    }
    Duration::from_secs(1)
}

impl SecondUse {
    const fn plus(self, other: Self) -> Self {
        Self {
            second: self.second,
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }
}

/// How many calls at once an endpoint is sent after it has refused some for coming too fast: half as many after each refusal,
/// one more after each minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    slots: u32,
    since: Timestamp,
}

impl BackOff {
    /// Refusals within this time after one that counted belong to calls sent before it, and do not count.
    const SETTLES_WITHIN: Duration = Duration::from_secs(5);

    /// The back-off after a refusal at `now`, where `concurrency` calls at once are allowed without one.
    #[must_use]
    pub fn after_refusal(known: Option<Self>, now: Timestamp, concurrency: u32) -> Self {
        match known {
            Some(known) if now.since(known.since) < Self::SETTLES_WITHIN => known,
            _ => {
                let slots = known.map_or(concurrency, |known| known.allowed(now, concurrency));
                Self { slots: (slots / 2).max(1), since: now }
            }
        }
    }

    /// Calls at once that are allowed at `now`, of the endpoint's `concurrency`; at least one.
    #[must_use]
    pub fn allowed(self, now: Timestamp, concurrency: u32) -> u32 {
        let minutes = u32::try_from(now.since(self.since).as_secs() / 60).unwrap_or(u32::MAX);
        self.slots.saturating_add(minutes).min(concurrency).max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(requests: u32, tokens: u32) -> RateLimits {
        RateLimits {
            requests_per_minute: NonZeroU32::new(requests),
            tokens_per_minute: NonZeroU32::new(tokens),
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1000)
    }

    #[test]
    fn requests_and_tokens_of_the_last_minute_count() {
        let sent = [
            SecondUse { second: 10, requests: 3, tokens: 60 },
            SecondUse { second: 40, requests: 1, tokens: 30 },
        ];
        for (limits, now, calls, granted, wait) in [
            (limits(0, 0), 50_000, vec![9; 7], 7, 0),
            (limits(5, 0), 50_000, vec![9; 7], 1, 22_000),
            (limits(4, 0), 50_000, vec![9; 7], 0, 22_000),
            (limits(4, 0), 72_000, vec![9; 7], 3, 30_000),
            (limits(0, 100), 50_000, vec![5, 5, 5], 2, 22_000),
            (limits(0, 100), 71_999, vec![20], 0, 1),
            (limits(0, 100), 50_000, vec![101], 0, 52_000),
            (limits(0, 100), 102_000, vec![101, 1], 1, 62_000),
        ] {
            let decision = decide(limits, &sent, at(now), &calls);
            assert_eq!(
                decision,
                RateDecision { granted, wait: Duration::from_millis(wait) },
                "{limits:?} at {now}: {calls:?}"
            );
        }
    }

    proptest! {
        /// Whatever is asked for at whatever time, no 60 seconds hold more than the limits, even where each call is up to a
        /// second on its way. The law keeps its own list of what arrived.
        #[test]
        fn no_minute_holds_more_than_the_limits(
            most in 1_u32..20,
            tokens in 50_u32..400,
            steps in prop::collection::vec((0_i64..9_000, 1_usize..12, 1_u64..40, 0_i64..1_000), 1..80),
        ) {
            let limits = limits(most, tokens);
            let mut sent: Vec<SecondUse> = Vec::new();
            let mut arrived: Vec<(i64, u64)> = Vec::new();
            let mut now = 1_000_000;
            for (pause, calls, size, delay) in steps {
                now += pause;
                let decision = decide(limits, &sent, at(now), &vec![size; calls]);
                prop_assert_eq!(decision.granted < calls, !decision.wait.is_zero());
                let granted = decision.granted as u64;
                sent.push(SecondUse { second: now / 1000, requests: granted, tokens: granted * size });
                arrived.extend((0..decision.granted).map(|_| (now + delay, size)));
            }
            for (begin, _) in &arrived {
                let minute = arrived.iter().filter(|(at, _)| (*begin..begin + 60_000).contains(at));
                let (count, used) = minute.fold((0, 0), |(count, used), (_, size)| (count + 1, used + size));
                prop_assert!(count <= most && used <= u64::from(tokens), "{} calls, {} tokens", count, used);
            }
        }
    }

    #[test]
    fn refusals_halve_and_minutes_add() {
        let first = BackOff::after_refusal(None, at(0), 8);
        assert_eq!(first.allowed(at(0), 8), 4);
        assert_eq!(BackOff::after_refusal(Some(first), at(4_999), 8), first, "one burst counts once");
        assert_eq!(first.allowed(at(120_000), 8), 6);
        let second = BackOff::after_refusal(Some(first), at(120_000), 8);
        assert_eq!(second.allowed(at(120_000), 8), 3);
        assert_eq!(second.allowed(at(3_600_000), 8), 8);
        assert_eq!(BackOff::after_refusal(None, at(0), 1).allowed(at(0), 1), 1);
    }
}
