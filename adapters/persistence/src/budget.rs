//! The remainder of a sweep's budget: the limit minus what was spent, what may have been spent, and what is reserved
//! for calls in flight.

use application::ports::Reservation;
use domain::call::Digest;
use domain::id::SweepId;
use sea_orm::{ConnectionTrait, DbErr};

use crate::deltas::Spent;
use crate::dialect::{Session, corrupt, id};
use crate::rows::Row;

const BUDGET: &str = "SELECT s.max_tokens, s.max_cost_nano, t.tokens_in + t.tokens_out + t.unknown_tokens AS tokens, \
     t.cost_nano + t.unknown_nano AS nano FROM sweep_total t JOIN sweep s ON s.id = t.sweep_id \
     WHERE t.sweep_id = $1 {lock t}";

const RESERVED: &str = "SELECT CAST(COALESCE(SUM(reserved_tokens), 0) AS bigint) AS tokens, \
     CAST(COALESCE(SUM(reserved_nano), 0) AS bigint) AS nano FROM response_cache c \
     WHERE c.answer_id IS NULL AND c.claimed_by IS NOT NULL AND c.sweep_id = $1";

/// The remainder of a sweep's budget.
pub(crate) struct Budget {
    max_tokens: i64,
    max_nano: i64,
    spent_tokens: i64,
    spent_nano: i64,
    reserved_tokens: i64,
    reserved_nano: i64,
}

impl Budget {
    /// Reads the remainder. The store's reservations already include `wanted`, which is subtracted from them.
    pub(crate) async fn read<C: ConnectionTrait>(
        session: Session<'_, C>,
        sweep: SweepId,
        wanted: &[(Digest, Reservation)],
        spent: Spent,
    ) -> Result<Self, DbErr> {
        let row = session
            .one(BUDGET, vec![id(sweep.bits())])
            .await?
            .ok_or_else(|| corrupt("sweep without totals"))?;
        let reserved = session.one(RESERVED, vec![id(sweep.bits())]).await?;
        let reserved = reserved.ok_or_else(|| corrupt("reservations cannot be counted"))?;
        let tokens: i64 = wanted.iter().map(|(_, reserve)| signed(reserve.tokens)).sum();
        let nano: i64 = wanted.iter().map(|(_, reserve)| reserve.cost.nanos()).sum();
        Ok(Self {
            max_tokens: Row(&row).maybe_whole("max_tokens")?.unwrap_or(i64::MAX),
            max_nano: Row(&row).maybe_whole("max_cost_nano")?.unwrap_or(i64::MAX),
            spent_tokens: Row(&row).whole("tokens")?.saturating_add(spent.tokens),
            spent_nano: Row(&row).whole("nano")?.saturating_add(spent.nano),
            reserved_tokens: Row(&reserved).whole("tokens")?.saturating_sub(tokens),
            reserved_nano: Row(&reserved).whole("nano")?.saturating_sub(nano),
        })
    }

    /// Reserves an amount, if the budget has room for it.
    pub(crate) fn takes(&mut self, reserve: &Reservation) -> bool {
        let tokens = self.reserved_tokens.saturating_add(signed(reserve.tokens));
        let nano = self.reserved_nano.saturating_add(reserve.cost.nanos());
        let fits = self.spent_tokens.saturating_add(tokens) <= self.max_tokens
            && self.spent_nano.saturating_add(nano) <= self.max_nano;
        if fits {
            (self.reserved_tokens, self.reserved_nano) = (tokens, nano);
        }
        fits
    }

    /// Whether there are reservations that may still be released.
    pub(crate) const fn is_open(&self) -> bool {
        self.reserved_tokens > 0 || self.reserved_nano > 0
    }
}

fn signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
