//! Claims calls, and finds their answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use application::ports::{AnswerId, CallClaim, CallStore, Claim, Reservation, StoreError, StoredAnswer};
use async_trait::async_trait;
use domain::call::{CallFailure, Completion, Digest, Embedding, FailureKind, Flags, Reply, ReplyBody};
use domain::id::{RunId, SweepId, WorkerId};
use domain::pricing::Tokens;
use domain::run::{Asker, Payer};
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};

use crate::batch::{Rows, padded};
use crate::budget::Budget;
use crate::dialect::{Session, corrupt, failed, id, maybe_id, text, whole};
use crate::group::{Deltas, Spent};
use crate::open::Stores;
use crate::rows::Row;

/// The columns of an answer, in a row where it may be missing.
pub(crate) const ANSWER: &str = "a.id AS answer_id, a.response, a.vector, a.model_returned, a.tool_calls, a.tokens_in, \
     a.tokens_out, a.latency_us, a.finish_reason, a.flags, a.cost_nano, a.paid_run, a.paid_sample, a.paid_repeat, \
     a.paid_asker, a.paid_by_scorer, a.paid_call";

/// In place of the run of a payer: the answer was tried outside any run. It is the nil UUID (RFC 9562, section 5.9).
pub(crate) const NO_RUN: u128 = 0;

const CLAIM: &str = "INSERT INTO response_cache (config_hash, claimed_by, claim_no, sweep_id, reserved_tokens, reserved_nano)";

/// Free are calls that nobody has answered, that did not fail for good in this sweep, and that no other live worker is
/// making. What a dead worker had set aside may have been spent: it is told, to be charged.
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

const RELEASE: &str = "UPDATE response_cache SET claimed_by = NULL, reserved_tokens = 0, reserved_nano = 0 \
     WHERE config_hash = $1 AND claimed_by = $2 AND answer_id IS NULL";

/// Whether whoever holds a call is taken for dead: where leases may be taken over, once its lease has run out.
const DEAD: &str =
    "NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = response_cache.claimed_by AND w.lease_until >= {now})";
const GONE: &str = "NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = response_cache.claimed_by)";

const LOST: &str = "UPDATE response_cache SET claimed_by = NULL, lost_tokens = reserved_tokens, \
     lost_nano = reserved_nano, reserved_tokens = 0, reserved_nano = 0 \
     WHERE config_hash IN (SELECT c.config_hash FROM response_cache c \
     WHERE c.answer_id IS NULL AND c.claimed_by IS NOT NULL AND c.sweep_id = $1 \
     AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = c.claimed_by AND w.lease_until >= {now}) \
     ORDER BY c.config_hash {for update}) RETURNING lost_tokens, lost_nano";

/// A call whose outcome is unknown no longer holds its reservation: it is charged.
const CHARGE: &str = "UPDATE sweep_total SET unknown_calls = unknown_calls + 1, unknown_tokens = unknown_tokens + $2, \
     unknown_nano = unknown_nano + $3 WHERE sweep_id = $1";
const HELD: &str = "SELECT sweep_id, reserved_tokens, reserved_nano FROM response_cache \
     WHERE config_hash = $1 AND claimed_by = $2 AND answer_id IS NULL {for update}";
const UNRESERVE: &str = "UPDATE response_cache SET reserved_tokens = 0, reserved_nano = 0 \
     WHERE config_hash = $1 AND claimed_by = $2 AND answer_id IS NULL";

#[async_trait]
impl CallStore for Stores {
    /// Most calls of a repeated sweep are answered: they are read, together with what others look for at the moment,
    /// before anything is written.
    async fn claim(&self, calls: Vec<CallClaim>, by: WorkerId) -> Result<Vec<Claim>, StoreError> {
        let mut known = self.lookups.look(calls.iter().map(|call| call.hash).collect()).await?;
        let open: Vec<CallClaim> =
            calls.iter().filter(|call| settled(&known, call).is_none()).copied().collect();
        if open.is_empty() {
            return Ok(calls.iter().filter_map(|call| take(&mut known, call)).collect());
        }
        let by = Claimant { worker: by, from_dead: self.takeovers.are_allowed(by) };
        let mut claimed = self.group.claim(open, by).await?.into_iter();
        let answers = calls.iter().map(|call| take(&mut known, call).or_else(|| claimed.next()));
        answers
            .collect::<Option<_>>()
            .ok_or_else(|| StoreError::Corrupt("a claim was not answered".to_owned()))
    }

    async fn peek(&self, calls: Vec<Digest>) -> Result<Vec<Option<Arc<StoredAnswer>>>, StoreError> {
        let found = self.lookups.look(calls.clone()).await?;
        let answered = |hash: &Digest| match found.get(hash) {
            Some(Known::Answered(answer)) => Some(Arc::clone(answer)),
            Some(Known::Failed(..)) | None => None,
        };
        Ok(calls.iter().map(answered).collect())
    }

    async fn release(&self, calls: &[Digest], by: WorkerId) -> Result<(), StoreError> {
        for hash in calls {
            let values = vec![text(hash.to_string()), id(by.bits())];
            self.database.write().execute(RELEASE, values).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn charge(&self, call: Digest, by: WorkerId) -> Result<(), StoreError> {
        let stores = self.clone();
        let charge = async move { stores.charge_unknown(call, by).await };
        self.database.detached(charge).await.map_err(failed)
    }
}

impl Stores {
    async fn charge_unknown(&self, call: Digest, by: WorkerId) -> Result<(), DbErr> {
        let transaction = self.database.writer.begin().await?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        let key = vec![text(call.to_string()), id(by.bits())];
        if let Some(row) = session.one(HELD, key.clone()).await?
            && let Some(sweep) = Row(&row).maybe_id("sweep_id")?
        {
            session.execute(UNRESERVE, key).await?;
            let reserved = [Row(&row).whole("reserved_tokens")?, Row(&row).whole("reserved_nano")?];
            let mut values = vec![id(sweep)];
            values.extend(reserved.map(whole));
            session.execute(CHARGE, values).await?;
        }
        transaction.commit().await
    }
}

/// Who claims calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claimant {
    pub(crate) worker: WorkerId,
    /// Whether it may take what workers hold whose lease has run out.
    pub(crate) from_dead: bool,
}

/// What is known of a call that is not to be made.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Answered(Arc<StoredAnswer>),
    Failed(CallFailure, Option<SweepId>),
}

pub(crate) type Found = HashMap<Digest, Known>;

/// What there is to say of a call without claiming it.
fn settled<'a>(known: &'a Found, call: &CallClaim) -> Option<&'a Known> {
    known.get(&call.hash).filter(|known| match known {
        Known::Answered(_) => true,
        Known::Failed(_, sweep) => *sweep == call.sweep,
    })
}

fn take(known: &mut Found, call: &CallClaim) -> Option<Claim> {
    settled(known, call).map(|known| match known.clone() {
        Known::Answered(answer) => Claim::Answered(answer),
        Known::Failed(failure, _) => Claim::Failed(failure),
    })
}

/// Answers and failures of these calls.
pub(crate) async fn look<C: ConnectionTrait>(
    session: Session<'_, C>,
    hashes: &[Digest],
) -> Result<Found, DbErr> {
    let mut found = Found::with_capacity(hashes.len());
    for (chunk, placeholders) in padded(hashes) {
        let sql = format!(
            "SELECT c.config_hash, c.failed_kind, c.failed_message, c.sweep_id, {ANSWER} FROM response_cache c \
             LEFT JOIN answer a ON a.id = c.answer_id WHERE c.config_hash IN ({placeholders}) \
             AND (c.answer_id IS NOT NULL OR c.failed_kind IS NOT NULL)"
        );
        let values = chunk.map(|hash| text(hash.to_string())).collect();
        for row in session.all(&sql, values).await? {
            let hash = Digest::parse(&Row(&row).text("config_hash")?).ok_or_else(|| corrupt("call hash"))?;
            found.insert(hash, known(Row(&row))?);
        }
    }
    Ok(found)
}

fn known(row: Row<'_>) -> Result<Known, DbErr> {
    let Some(kind) = row.maybe_text("failed_kind")? else {
        return Ok(Known::Answered(Arc::new(stored(row)?)));
    };
    let kind = FailureKind::parse(&kind).ok_or_else(|| corrupt(format!("failure kind {kind}")))?;
    let message = row.maybe_text("failed_message")?.unwrap_or_default();
    Ok(Known::Failed(CallFailure::new(kind, message), row.maybe_id("sweep_id")?.map(SweepId::new)))
}

fn stored(row: Row<'_>) -> Result<StoredAnswer, DbErr> {
    Ok(StoredAnswer {
        id: AnswerId(row.whole("answer_id")?),
        reply: Arc::new(reply(row)?),
        cost: row.maybe_money("cost_nano")?,
        paid_by: payer(row)?,
    })
}

fn payer(row: Row<'_>) -> Result<Option<Payer>, DbErr> {
    let run = row.id("paid_run")?;
    if run == NO_RUN {
        return Ok(None);
    }
    let asker = row.small("paid_asker")?;
    let by_scorer = row.whole("paid_by_scorer")? != 0;
    Ok(Some(Payer {
        run: RunId::new(run),
        sample: row.small("paid_sample")?,
        repeat: row.small("paid_repeat")?,
        asker: if by_scorer { Asker::Scorer(asker) } else { Asker::Stage(asker) },
        call: row.small("paid_call")?,
    }))
}

pub(crate) fn reply(row: Row<'_>) -> Result<Reply, DbErr> {
    let body = match row.maybe_bytes("vector")? {
        Some(bytes) => ReplyBody::Embedding(embedding(&bytes).ok_or_else(|| corrupt("vector"))?),
        None => ReplyBody::Completion(Completion {
            text: row.text("response")?,
            finish_reason: row.maybe_text("finish_reason")?,
            tool_calls: row.maybe_json("tool_calls")?,
        }),
    };
    Ok(Reply {
        body,
        model_returned: row.maybe_text("model_returned")?,
        tokens: Tokens { input: row.count("tokens_in")?, output: row.count("tokens_out")? },
        latency: std::time::Duration::from_micros(row.count("latency_us")?),
        flags: Flags::from_bits(u8::try_from(row.whole("flags")?).unwrap_or_default()),
    })
}

/// Four bytes a number, the lowest first.
fn embedding(bytes: &[u8]) -> Option<Embedding> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let numbers = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    if rest.is_empty() { Embedding::try_new(numbers) } else { None }
}

/// What [`embedding`] reads.
pub(crate) fn vector_bytes(embedding: &Embedding) -> Vec<u8> {
    embedding.numbers().iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Locks those of the calls that are known; they come in order.
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

/// Claims calls within a transaction. A call that is asked for twice is busy the second time. `deltas` is what the
/// transaction has spent so far and not yet written; what dead workers may have spent is added.
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

/// Takes what is free.
async fn taken<C: ConnectionTrait>(
    session: Session<'_, C>,
    calls: &BTreeMap<Digest, CallClaim>,
    by: Claimant,
    deltas: &mut Deltas,
) -> Result<BTreeMap<Digest, Claim>, DbErr> {
    let rows = calls.values().map(|call| claim_row(call, by.worker)).collect();
    let dead = if by.from_dead { DEAD } else { GONE };
    let then = format!("{FREE} OR {dead}) {FREED}");
    let rows = session.insert_returning(Rows { insert: CLAIM, then: &then, values: rows }).await?;
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

fn claim_row(call: &CallClaim, by: WorkerId) -> Vec<Bound> {
    let reserve = call.reserve.unwrap_or_default();
    vec![
        text(call.hash.to_string()),
        id(by.bits()),
        whole(1),
        maybe_id(call.sweep.map(SweepId::bits)),
        whole(reserve.tokens),
        whole(reserve.cost.nanos()),
    ]
}

/// What dead workers had set aside of a sweep's budget may have been spent: it is charged, whether or not somebody makes
/// those calls again.
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

/// Gives back what does not fit the budget of its sweep. The calls are locked before the totals, as everywhere.
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
