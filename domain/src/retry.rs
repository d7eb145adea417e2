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
/// The longest wait that a server may ask for before its run is put back instead.
pub const LONGEST_WAIT: Duration = Duration::from_mins(2);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// What to do after the `failed`-th failure (from 1) of a call. `chance` in `[0, 1)` spreads the waits: full jitter
/// over a back-off that doubles from 0.5 s to 20 s (Brooker, "Exponential Backoff and Jitter").
#[must_use]
pub fn after(failure: &CallFailure, failed: u32, chance: f64) -> RetryDecision {
    if let FailureKind::RateLimited { retry_after: Some(wait) } = failure.kind
        && wait > LONGEST_WAIT
    {
        return RetryDecision::Postpone(wait);
    }
    let retries = match (failure.should_retry, retries(failure.kind)) {
        (Some(false), _) => 0,
        (Some(true), 0) if !failure.kind.breaks_endpoint() => RETRIES,
        (_, retries) => retries,
    };
    if failed > retries {
        return RetryDecision::GiveUp;
    }
    let asked = match failure.kind {
        FailureKind::RateLimited { retry_after } => retry_after,
        _ => None,
    };
    RetryDecision::Again(asked.unwrap_or_else(|| backoff(failed).mul_f64(chance.clamp(0.0, 1.0))))
}

/// How often a call is tried again after a failure of this kind.
const fn retries(kind: FailureKind) -> u32 {
    match kind {
        FailureKind::RateLimited { .. }
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

    fn limited(wait: Option<u64>) -> FailureKind {
        FailureKind::RateLimited { retry_after: wait.map(Duration::from_secs) }
    }

    #[test]
    fn faults_that_pass_are_retried_with_growing_waits() {
        let ms = |ms| RetryDecision::Again(Duration::from_millis(ms));
        let secs = |secs| RetryDecision::Again(Duration::from_secs(secs));
        for (kind, failed, chance, verdict) in [
            (FailureKind::Upstream5xx, 1, 1.0, ms(500)),
            (FailureKind::Upstream5xx, 3, 0.5, ms(1000)),
            (FailureKind::Upstream5xx, 4, 0.5, RetryDecision::GiveUp),
            (FailureKind::Connect, 2, 0.0, ms(0)),
            (FailureKind::Truncated, 1, 1.0, ms(500)),
            (FailureKind::Truncated, 2, 1.0, RetryDecision::GiveUp),
            (FailureKind::Malformed, 2, 1.0, RetryDecision::GiveUp),
            (FailureKind::Rejected, 1, 1.0, RetryDecision::GiveUp),
            (FailureKind::Unauthorized, 1, 1.0, RetryDecision::GiveUp),
            (limited(Some(2)), 1, 0.0, secs(2)),
            (limited(Some(120)), 3, 0.0, secs(120)),
            (limited(Some(3600)), 1, 0.0, RetryDecision::Postpone(Duration::from_hours(1))),
            (limited(None), 1, 1.0, ms(500)),
            (limited(Some(2)), 4, 0.0, RetryDecision::GiveUp),
            (FailureKind::UpstreamBusy, 3, 1.0, ms(2000)),
            (FailureKind::Forbidden, 1, 1.0, RetryDecision::GiveUp),
            (FailureKind::Timeout, 2, 1.0, RetryDecision::GiveUp),
        ] {
            assert_eq!(after(&CallFailure::new(kind, ""), failed, chance), verdict, "{kind:?} × {failed}");
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
