//! Decides what follows a failed exchange; never waits itself.

use std::time::Duration;

use crate::call::{CallFailure, FailureKind};

/// What to do after a failed exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// Try again after this wait.
    Again(Duration),
    /// The server wants to be left alone for longer than a worker should wait: put the run back for this long.
    Postpone(Duration),
    /// This call has failed for good.
    GiveUp,
}

/// Retries of faults that usually pass.
const RETRIES: u32 = 3;
/// How often, and how many times, a server that loads its model is asked again: five minutes in all.
const LOADING_WAIT: Duration = Duration::from_secs(3);
const LOADING_RETRIES: u32 = 100;
/// The longest wait that a server may ask for before its run is put back instead.
pub const LONGEST_WAIT: Duration = Duration::from_mins(2);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// What to do after the `failed`-th failure (from 1) of a call. `chance` in `[0, 1)` spreads the waits: full jitter
/// over a back-off that doubles from 0.5 s to 20 s (Brooker, "Exponential Backoff and Jitter").
#[must_use]
pub fn after(failure: &CallFailure, failed: u32, chance: f64) -> RetryDecision {
    let retries = match (failure.should_retry, retries(failure.kind)) {
        (Some(false), _) => 0,
        (Some(true), 0) if !failure.kind.breaks_endpoint() => RETRIES,
        (_, retries) => retries,
    };
    if let Some(wait) = failure.retry_after.filter(|wait| retries > 0 && *wait > LONGEST_WAIT) {
        return RetryDecision::Postpone(wait);
    }
    if failed > retries {
        return RetryDecision::GiveUp;
    }
    match failure.retry_after {
        Some(wait) => RetryDecision::Again(wait),
        None if failure.kind == FailureKind::Loading => RetryDecision::Again(LOADING_WAIT),
        None => RetryDecision::Again(backoff(failed).mul_f64(chance.clamp(0.0, 1.0))),
    }
}

/// How often a call is tried again after a failure of this kind.
const fn retries(kind: FailureKind) -> u32 {
    match kind {
        FailureKind::Loading => LOADING_RETRIES,
        FailureKind::RateLimited
        | FailureKind::Upstream5xx
        | FailureKind::UpstreamBusy
        | FailureKind::Connect => RETRIES,
        // Its outcome is unknown: it may have been billed.
        FailureKind::Truncated | FailureKind::Malformed | FailureKind::Timeout => 1,
        FailureKind::QuotaExhausted
        | FailureKind::Unauthorized
        | FailureKind::Forbidden
        | FailureKind::Misconfigured
        | FailureKind::Rejected
        | FailureKind::ResponseTooLarge
        | FailureKind::NoChoices
        | FailureKind::Redirect
        | FailureKind::BadHttp
        | FailureKind::AddressRefused
        | FailureKind::Unstorable => 0,
    }
}

fn backoff(failed: u32) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1 << failed.saturating_sub(1).min(16));
    doubled.min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind, wait: Option<u64>) -> CallFailure {
        CallFailure { retry_after: wait.map(Duration::from_secs), ..CallFailure::new(kind, "") }
    }

    #[test]
    fn faults_that_pass_are_retried_with_growing_waits() {
        let ms = |ms| RetryDecision::Again(Duration::from_millis(ms));
        let secs = |secs| RetryDecision::Again(Duration::from_secs(secs));
        let limited = FailureKind::RateLimited;
        for (kind, wait, failed, chance, decision) in [
            (FailureKind::Upstream5xx, None, 1, 1.0, ms(500)),
            (FailureKind::Upstream5xx, None, 3, 0.5, ms(1000)),
            (FailureKind::Upstream5xx, None, 4, 0.5, RetryDecision::GiveUp),
            (FailureKind::Upstream5xx, Some(7), 1, 0.5, secs(7)),
            (FailureKind::Connect, None, 2, 0.0, ms(0)),
            (FailureKind::Truncated, None, 1, 1.0, ms(500)),
            (FailureKind::Truncated, None, 2, 1.0, RetryDecision::GiveUp),
            (FailureKind::Malformed, None, 2, 1.0, RetryDecision::GiveUp),
            (FailureKind::Rejected, None, 1, 1.0, RetryDecision::GiveUp),
            (FailureKind::Unauthorized, None, 1, 1.0, RetryDecision::GiveUp),
            (FailureKind::QuotaExhausted, Some(3600), 1, 1.0, RetryDecision::GiveUp),
            (limited, Some(2), 1, 0.0, secs(2)),
            (limited, Some(120), 3, 0.0, secs(120)),
            (limited, Some(3600), 1, 0.0, RetryDecision::Postpone(Duration::from_hours(1))),
            (limited, Some(3600), 4, 0.0, RetryDecision::Postpone(Duration::from_hours(1))),
            (limited, None, 1, 1.0, ms(500)),
            (limited, Some(2), 4, 0.0, RetryDecision::GiveUp),
            (FailureKind::Loading, None, 100, 0.0, secs(3)),
            (FailureKind::Loading, Some(20), 1, 0.0, secs(20)),
            (FailureKind::Loading, None, 101, 0.0, RetryDecision::GiveUp),
            (FailureKind::UpstreamBusy, None, 3, 1.0, ms(2000)),
            (FailureKind::Forbidden, None, 1, 1.0, RetryDecision::GiveUp),
            (FailureKind::Timeout, None, 2, 1.0, RetryDecision::GiveUp),
        ] {
            assert_eq!(after(&failure(kind, wait), failed, chance), decision, "{kind:?} × {failed}");
        }
    }

    #[test]
    fn what_the_server_says_of_retries_is_obeyed() {
        let failure = |kind, says| CallFailure { should_retry: Some(says), ..CallFailure::new(kind, "") };
        let again = |kind, says| after(&failure(kind, says), 1, 0.0) != RetryDecision::GiveUp;
        assert!(!again(FailureKind::Upstream5xx, false) && again(FailureKind::Rejected, true));
        assert!(!again(FailureKind::Unauthorized, true));
    }

    #[test]
    fn waits_are_capped() {
        assert_eq!(backoff(40), LONGEST_BACKOFF);
    }
}
