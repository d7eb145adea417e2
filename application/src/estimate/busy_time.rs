//! How long calls keep a server busy.

use std::num::NonZeroU32;

use domain::endpoint::Limits;
use domain::rate::{RateLimits, WINDOW_SECONDS};

/// How long an endpoint or a service is busy.
pub(super) struct BusyTime {
    limits: Limits,
    pub(super) calls: f64,
    pub(super) tokens: f64,
    /// The seconds of all exchanges, one after the other.
    pub(super) exchanges: f64,
}

impl BusyTime {
    pub(super) const fn new(limits: Limits) -> Self {
        Self { limits, calls: 0.0, tokens: 0.0, exchanges: 0.0 }
    }

    /// By its concurrency, or by its limits a minute where these take longer. The first minute's calls need not wait.
    pub(super) fn seconds(&self) -> f64 {
        let a_minute = |count: f64, limit: Option<NonZeroU32>| {
            let minutes = limit.map_or(0.0, |limit| (count / f64::from(limit.get()) - 1.0).max(0.0).ceil());
            minutes * WINDOW_SECONDS as f64
        };
        let RateLimits { requests_per_minute, tokens_per_minute } = self.limits.rate;
        let at_once = self.exchanges / f64::from(self.limits.concurrency.get());
        at_once.max(a_minute(self.calls, requests_per_minute)).max(a_minute(self.tokens, tokens_per_minute))
    }
}
