//! Changes that a transaction makes to the counters of sweeps.

use std::collections::BTreeMap;

use domain::id::SweepId;
use domain::run::RunStatus;

/// Changes of one sweep's counters.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Delta {
    pub(crate) outcomes: i64,
    pub(crate) completed: i64,
    pub(crate) failed: i64,
    pub(crate) cached: i64,
    pub(crate) pruned: i64,
    pub(crate) cancelled: i64,
    pub(crate) samples: i64,
    pub(crate) tokens_in: i64,
    pub(crate) tokens_out: i64,
    pub(crate) cost_nano: i64,
    pub(crate) unpriced: i64,
    pub(crate) calls: i64,
    pub(crate) hits: i64,
    pub(crate) unknown_calls: i64,
    pub(crate) unknown_tokens: i64,
    pub(crate) unknown_nano: i64,
}

/// What a sweep has spent.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) tokens: i64,
    pub(crate) nano: i64,
}

impl From<&Delta> for Spent {
    fn from(delta: &Delta) -> Self {
        let tokens = delta.tokens_in.saturating_add(delta.tokens_out).saturating_add(delta.unknown_tokens);
        Self { tokens, nano: delta.cost_nano.saturating_add(delta.unknown_nano) }
    }
}

impl Delta {
    /// Counts a run that ended.
    pub(crate) const fn ended(&mut self, status: RunStatus) {
        match status {
            RunStatus::Failed => self.failed += 1,
            RunStatus::Cached => self.cached += 1,
            RunStatus::Pruned => self.pruned += 1,
            _ => self.completed += 1,
        }
    }

    /// Counts a call that was in flight when its worker was lost: it may have been made, and billed.
    pub(crate) const fn lost(&mut self, tokens: i64, nano: i64) {
        self.unknown_calls += 1;
        self.unknown_tokens = self.unknown_tokens.saturating_add(tokens);
        self.unknown_nano = self.unknown_nano.saturating_add(nano);
    }
}

pub(crate) type Deltas = BTreeMap<SweepId, Delta>;
