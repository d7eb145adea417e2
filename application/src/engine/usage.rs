//! Sums of tokens, cost and latency.

use domain::money::NanoDollars;
use domain::pricing::Tokens;

use crate::ports::{Block, StoredAnswer};

/// The tokens, cost and latency of answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    tokens: Tokens,
    paid: Tokens,
    cost: Option<NanoDollars>,
    paid_cost: Option<NanoDollars>,
    latency_ms: u64,
    calls: u64,
    hits: u64,
}

impl Usage {
    pub(super) const NONE: Self = Self {
        tokens: Tokens { input: 0, output: 0 },
        paid: Tokens { input: 0, output: 0 },
        cost: Some(NanoDollars::ZERO),
        paid_cost: Some(NanoDollars::ZERO),
        latency_ms: 0,
        calls: 0,
        hits: 0,
    };

    pub(super) fn of(answer: &StoredAnswer, paid: bool) -> Self {
        let tokens = answer.reply.tokens;
        let latency_ms = u64::try_from(answer.reply.latency.as_millis()).unwrap_or(u64::MAX);
        let whole = Self { tokens, cost: answer.cost, latency_ms, ..Self::NONE };
        if paid {
            Self { paid: tokens, paid_cost: answer.cost, calls: 1, ..whole }
        } else {
            Self { hits: 1, ..whole }
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            tokens: self.tokens + other.tokens,
            paid: self.paid + other.paid,
            cost: sum(self.cost, other.cost),
            paid_cost: sum(self.paid_cost, other.paid_cost),
            latency_ms: self.latency_ms.saturating_add(other.latency_ms),
            calls: self.calls + other.calls,
            hits: self.hits + other.hits,
        }
    }
}

impl Usage {
    /// Adds it to what a block took.
    pub(super) fn add_to(self, block: &mut Block) {
        block.tokens += self.tokens;
        block.paid += self.paid;
        block.cost = sum(block.cost, self.cost);
        block.paid_cost = sum(block.paid_cost, self.paid_cost);
        block.latency_ms = block.latency_ms.saturating_add(self.latency_ms);
        block.calls += self.calls;
        block.hits += self.hits;
    }
}

/// Both together, where both are known.
fn sum(one: Option<NanoDollars>, other: Option<NanoDollars>) -> Option<NanoDollars> {
    Some(one? + other?)
}
