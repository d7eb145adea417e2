//! Sums of tokens, cost and latency.

use domain::call::{FlagCounts, Flags};
use domain::money::NanoDollars;
use domain::pricing::Tokens;

use super::StoredAnswer;

/// The tokens, cost and latency of answers.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Tokens of all answers, cached ones included.
    pub tokens: Tokens,
    /// Tokens of the answers that their run paid for.
    pub paid: Tokens,
    /// Cost of all answers; `None` where some price is not known.
    pub cost: Option<NanoDollars>,
    /// Cost of those that their run paid for; `None` where some price is not known.
    pub paid_cost: Option<NanoDollars>,
    /// Latency of all answers together, in milliseconds, as it was when each was made.
    pub latency_ms: u64,
    /// Calls that their run paid for.
    pub calls: u64,
    /// Calls answered from the cache.
    pub hits: u64,
    /// Tokens of the calls answered from the cache.
    pub saved: u64,
    /// What is odd about the answers.
    pub flags: FlagCounts,
}

impl Usage {
    /// That of no answers.
    pub const NONE: Self = Self {
        tokens: Tokens { input: 0, output: 0 },
        paid: Tokens { input: 0, output: 0 },
        cost: Some(NanoDollars::ZERO),
        paid_cost: Some(NanoDollars::ZERO),
        latency_ms: 0,
        calls: 0,
        hits: 0,
        saved: 0,
        flags: FlagCounts::new([0; Flags::COUNT]),
    };

    pub(crate) fn of(answer: &StoredAnswer, paid: bool) -> Self {
        let tokens = answer.reply.tokens;
        let latency_ms = u64::try_from(answer.reply.latency.as_millis()).unwrap_or(u64::MAX);
        let flags = FlagCounts::of(answer.reply.flags);
        let whole = Self { tokens, cost: answer.cost, latency_ms, flags, ..Self::NONE };
        if paid {
            Self { paid: tokens, paid_cost: answer.cost, calls: 1, ..whole }
        } else {
            Self { hits: 1, saved: tokens.total(), ..whole }
        }
    }

    /// What an answer to a scorer's call adds: what was paid for it, but nothing of what a configuration takes.
    pub(crate) fn of_scorer(answer: &StoredAnswer, paid: bool) -> Self {
        if paid {
            Self { paid: answer.reply.tokens, paid_cost: answer.cost, calls: 1, ..Self::NONE }
        } else {
            Self { hits: 1, saved: answer.reply.tokens.total(), ..Self::NONE }
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            tokens: self.tokens + other.tokens,
            paid: self.paid + other.paid,
            cost: sum(self.cost, other.cost),
            paid_cost: sum(self.paid_cost, other.paid_cost),
            latency_ms: self.latency_ms.saturating_add(other.latency_ms),
            calls: self.calls + other.calls,
            hits: self.hits + other.hits,
            saved: self.saved.saturating_add(other.saved),
            flags: self.flags + other.flags,
        }
    }
}

/// Both together, where both are known.
fn sum(one: Option<NanoDollars>, other: Option<NanoDollars>) -> Option<NanoDollars> {
    Some(one? + other?)
}
