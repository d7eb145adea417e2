//! Claims calls within a transaction.

use std::collections::BTreeMap;

use application::ports::{CallClaim, Claim, Reservation};
use domain::call::Digest;
use domain::id::{SweepId, WorkerId};
use sea_orm::{ConnectionTrait, DbErr};

use crate::answers::{look, take};
use crate::batch::padded;
use crate::budget::Budget;
use crate::columns::Column;
use crate::deltas::{Deltas, Spent};
use crate::dialect::{Session, corrupt, id, maybe_id, text, whole};
use crate::rows::Row;

/// Claims a call that has no answer, did not fail permanently in this sweep, and is not claimed by another live
/// worker. Returns what a dead worker had reserved for it, since that may have been spent and has to be charged.
const FREE: &str = "ON CONFLICT (config_hash) DO UPDATE SET claimed_by = excluded.claimed_by, \
     claim_no = response_cache.claim_no + 1, sweep_id = excluded.sweep_id, \
     reserved_tokens = excluded.reserved_tokens, reserved_nano = excluded.reserved_nano, \
     failed_kind = NULL, failed_message = NULL, \
     lost_sweep_id = CASE WHEN response_cache.claimed_by <> excluded.claimed_by THEN response_cache.sweep_id END, \
     lost_tokens = CASE WHEN response_cache.claimed_by <> excluded.claimed_by THEN response_cache.reserved_tokens ELSE 0 END, \
     lost_nano = CASE WHEN response_cache.claimed_by <> excluded.claimed_by THEN response_cache.reserved_nano ELSE 0 END \
     WHERE response_cache.answer_id IS NULL \
     AND (response_cache.failed_kind IS NULL OR response_cache.sweep_id IS DISTINCT FROM excluded.sweep_id) \
     AND (response_cache.claimed_by IS NULL OR response_cache.claimed_by = excluded.claimed_by";

const FREED: &str = "RETURNING config_hash, lost_sweep_id, lost_tokens, lost_nano";

pub(crate) const RELEASE: &str = "UPDATE response_cache SET claimed_by = NULL, reserved_tokens = 0, reserved_nano = 0 \
     WHERE config_hash = $1 AND claimed_by = $2 AND answer_id IS NULL";

/// The worker that holds a call is considered dead if its lease has expired. Used where this worker may take over
/// from others.
const DEAD: &str =
    "NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = response_cache.claimed_by AND w.lease_until >= {now})";

const GONE: &str = "NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = response_cache.claimed_by)";

const LOST: &str = "UPDATE response_cache SET claimed_by = NULL, lost_tokens = reserved_tokens, \
     lost_nano = reserved_nano, reserved_tokens = 0, reserved_nano = 0 \
     WHERE config_hash IN (SELECT c.config_hash FROM response_cache c \
     WHERE c.answer_id IS NULL AND c.claimed_by IS NOT NULL AND c.sweep_id = $1 \
     AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = c.claimed_by AND w.lease_until >= {now}) \
     ORDER BY c.config_hash {for update}) RETURNING lost_tokens, lost_nano";

/// The worker that claims calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claimant {
    pub(crate) worker: WorkerId,
    /// Whether it may take over calls of workers whose lease has expired.
    pub(crate) from_dead: bool,
}

/// Locks the stored rows of these calls, in the order of their hashes.
pub(crate) async fn lock<C: ConnectionTrait>(
    session: Session<'_, C>,
    hashes: &[Digest],
) -> Result<(), DbErr> {
    for (chunk, placeholders) in padded(hashes) {
        let sql = format!(
            "SELECT config_hash FROM response_cache WHERE config_hash IN ({placeholders}) \
             ORDER BY config_hash {{for update}}"
        );
        session.all(&sql, chunk.map(|hash| text(hash.to_string())).collect()).await?;
    }
    Ok(())
}

/// Claims calls within a transaction. Where a call is requested twice, the second request finds it busy. `deltas`
/// holds what the transaction has spent so far and not written yet; what dead workers may have spent is added to it.
pub(crate) async fn claim<C: ConnectionTrait>(
    session: Session<'_, C>,
    calls: &[CallClaim],
    by: Claimant,
    deltas: &mut Deltas,
) -> Result<Vec<Claim>, DbErr> {
    let mut first: BTreeMap<Digest, CallClaim> = BTreeMap::new();
    for call in calls {
        first.entry(call.hash).or_insert(*call);
    }
    let mut claims = taken(session, &first, by, deltas).await?;
    refuse_unaffordable(session, &first, &mut claims, by, deltas).await?;
    let left: Vec<Digest> = first.keys().filter(|hash| !claims.contains_key(*hash)).copied().collect();
    let mut known = look(session, &left).await?;
    let answers = calls
        .iter()
        .map(|call| claims.remove(&call.hash).or_else(|| take(&mut known, call)).unwrap_or(Claim::Busy));
    Ok(answers.collect())
}

/// Claims the calls that can be claimed.
async fn taken<C: ConnectionTrait>(
    session: Session<'_, C>,
    calls: &BTreeMap<Digest, CallClaim>,
    by: Claimant,
    deltas: &mut Deltas,
) -> Result<BTreeMap<Digest, Claim>, DbErr> {
    let rows = calls.values().map(|call| claim_row(call, by.worker)).collect();
    let dead = if by.from_dead { DEAD } else { GONE };
    let then = format!("{FREE} OR {dead}) {FREED}");
    let rows = session.insert_rows("response_cache", rows, &then).await?;
    let mut claims = BTreeMap::new();
    for row in &rows {
        let row = Row(row);
        let hash = Digest::parse(&row.text("config_hash")?).ok_or_else(|| corrupt("call hash"))?;
        if let Some(sweep) = row.maybe_id("lost_sweep_id")? {
            deltas
                .entry(SweepId::new(sweep))
                .or_default()
                .lost(row.whole("lost_tokens")?, row.whole("lost_nano")?);
        }
        claims.insert(hash, Claim::Yours);
    }
    Ok(claims)
}

fn claim_row(call: &CallClaim, by: WorkerId) -> [Column; 6] {
    let reserve = call.reserve.unwrap_or_default();
    [
        ("config_hash", text(call.hash.to_string())),
        ("claimed_by", id(by.bits())),
        ("claim_no", whole(1)),
        ("sweep_id", maybe_id(call.sweep.map(SweepId::bits))),
        ("reserved_tokens", whole(reserve.tokens)),
        ("reserved_nano", whole(reserve.cost.nanos())),
    ]
}

/// Charges what dead workers had reserved to the budgets of their sweeps: it may have been spent, whether or not
/// another worker repeats those calls.
async fn charge_lost<C: ConnectionTrait>(
    session: Session<'_, C>,
    sweep: SweepId,
    deltas: &mut Deltas,
) -> Result<(), DbErr> {
    for row in session.all(LOST, vec![id(sweep.bits())]).await? {
        let row = Row(&row);
        deltas.entry(sweep).or_default().lost(row.whole("lost_tokens")?, row.whole("lost_nano")?);
    }
    Ok(())
}

/// Releases the claims that do not fit the budget of their sweep. Calls are locked before totals, as everywhere.
async fn refuse_unaffordable<C: ConnectionTrait>(
    session: Session<'_, C>,
    calls: &BTreeMap<Digest, CallClaim>,
    claims: &mut BTreeMap<Digest, Claim>,
    by: Claimant,
    deltas: &mut Deltas,
) -> Result<(), DbErr> {
    let mut budgeted: BTreeMap<SweepId, Vec<(Digest, Reservation)>> = BTreeMap::new();
    for call in calls.values().filter(|call| claims.contains_key(&call.hash)) {
        if let (Some(sweep), Some(reserve)) = (call.sweep, call.reserve) {
            budgeted.entry(sweep).or_default().push((call.hash, reserve));
        }
    }
    for (sweep, wanted) in budgeted {
        if by.from_dead {
            charge_lost(session, sweep, deltas).await?;
        }
        let spent = deltas.get(&sweep).map(Spent::from).unwrap_or_default();
        let mut budget = Budget::read(session, sweep, &wanted, spent).await?;
        for (hash, reserve) in wanted {
            if !budget.takes(&reserve) {
                session.execute(RELEASE, vec![text(hash.to_string()), id(by.worker.bits())]).await?;
                claims.insert(hash, Claim::NoBudget { open: budget.is_open() });
            }
        }
    }
    Ok(())
}
