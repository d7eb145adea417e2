//! Looks up the outcomes of calls, and reads answers.

use std::collections::HashMap;
use std::sync::Arc;

use application::ports::{AnswerId, CallClaim, Claim, StoredAnswer};
use domain::call::{
    CallFailure, Completion, Digest, Embedding, FailureKind, Flags, Reply, ReplyBody, ServiceAnswer,
};
use domain::id::{RunId, SweepId};
use domain::pricing::{CacheUse, Tokens};
use domain::run::{Asker, Payer};
use sea_orm::{ConnectionTrait, DbErr};

use crate::batch::padded;
use crate::dialect::{Session, corrupt, text};
use crate::rows::Row;

/// The columns of an answer, in a row where it may be missing.
pub(crate) const ANSWER: &str = "a.id AS answer_id, a.response, a.reasoning, a.vector, a.service_json, a.model_returned, a.provider, a.system_fingerprint, a.service_tier, a.tool_calls, \
     a.tokens_in, a.tokens_out, a.latency_us, a.finish_reason, a.flags, a.stated_nano, a.cost_nano, a.paid_run, a.paid_sample, a.paid_repeat, \
     a.paid_asker, a.paid_by_scorer, a.paid_call";

/// The payer's run of an answer that was made outside any run: the nil UUID (RFC 9562, section 5.9).
pub(crate) const NO_RUN: u128 = 0;

/// The stored outcome of a call. A call that has one is not made again.
#[derive(Debug, Clone)]
pub(crate) enum KnownOutcome {
    Answered(Arc<StoredAnswer>),
    Failed(CallFailure, Option<SweepId>),
}

pub(crate) type KnownOutcomes = HashMap<Digest, KnownOutcome>;

/// The outcome of a call that is already stored, without claiming the call.
pub(crate) fn settled<'a>(known: &'a KnownOutcomes, call: &CallClaim) -> Option<&'a KnownOutcome> {
    known.get(&call.hash).filter(|known| match known {
        KnownOutcome::Answered(_) => true,
        KnownOutcome::Failed(_, sweep) => *sweep == call.sweep,
    })
}

pub(crate) fn take(known: &mut KnownOutcomes, call: &CallClaim) -> Option<Claim> {
    settled(known, call).map(|known| match known.clone() {
        KnownOutcome::Answered(answer) => Claim::Answered(answer),
        KnownOutcome::Failed(failure, _) => Claim::Failed(failure),
    })
}

/// The stored outcomes of these calls. In an order that has to be made, SQLite gives all rows at once rather than one after
/// the other, between which its thread and the reader's would wake each other.
pub(crate) async fn look<C: ConnectionTrait>(
    session: Session<'_, C>,
    hashes: &[Digest],
) -> Result<KnownOutcomes, DbErr> {
    let mut found = KnownOutcomes::with_capacity(hashes.len());
    for (chunk, placeholders) in padded(hashes) {
        let sql = format!(
            "SELECT c.config_hash, c.failed_kind, c.failed_message, c.sweep_id, {ANSWER} FROM response_cache c \
             LEFT JOIN answer a ON a.id = c.answer_id WHERE c.config_hash IN ({placeholders}) \
             AND (c.answer_id IS NOT NULL OR c.failed_kind IS NOT NULL) ORDER BY c.answer_id"
        );
        let values = chunk.map(|hash| text(hash.to_string())).collect();
        for row in session.all(&sql, values).await? {
            let hash = Digest::parse(&Row(&row).text("config_hash")?).ok_or_else(|| corrupt("call hash"))?;
            found.insert(hash, known(Row(&row))?);
        }
    }
    Ok(found)
}

fn known(row: Row<'_>) -> Result<KnownOutcome, DbErr> {
    let Some(kind) = row.maybe_text("failed_kind")? else {
        return Ok(KnownOutcome::Answered(Arc::new(stored(row)?)));
    };
    let kind = FailureKind::parse(&kind).ok_or_else(|| corrupt(format!("failure kind {kind}")))?;
    let message = row.maybe_text("failed_message")?.unwrap_or_default();
    Ok(KnownOutcome::Failed(CallFailure::new(kind, message), row.maybe_id("sweep_id")?.map(SweepId::new)))
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
    Ok(Reply {
        body: body(row)?,
        model_returned: row.maybe_text("model_returned")?,
        provider: row.maybe_text("provider")?,
        system_fingerprint: row.maybe_text("system_fingerprint")?,
        service_tier: row.maybe_text("service_tier")?,
        cache: CacheUse::default(),
        stated_cost: row.maybe_money("stated_nano")?,
        tokens: Tokens { input: row.count("tokens_in")?, output: row.count("tokens_out")? },
        latency: std::time::Duration::from_micros(row.count("latency_us")?),
        flags: Flags::from_bits(u8::try_from(row.whole("flags")?).unwrap_or_default()),
    })
}

fn body(row: Row<'_>) -> Result<ReplyBody, DbErr> {
    if let Some(is_json) = row.maybe_whole("service_json")? {
        return Ok(ReplyBody::Service(ServiceAnswer { text: row.text("response")?, is_json: is_json != 0 }));
    }
    Ok(match row.maybe_bytes("vector")? {
        Some(bytes) => ReplyBody::Embedding(embedding(&bytes).ok_or_else(|| corrupt("vector"))?),
        None => ReplyBody::Completion(Completion {
            text: row.text("response")?,
            reasoning: row.maybe_text("reasoning")?,
            finish_reason: row.maybe_text("finish_reason")?,
            tool_calls: row.maybe_json("tool_calls")?,
        }),
    })
}

/// Reads an embedding: four bytes for each number, little-endian.
fn embedding(bytes: &[u8]) -> Option<Embedding> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let numbers = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    if rest.is_empty() { Embedding::try_new(numbers) } else { None }
}

/// Writes an embedding as [`embedding`] reads it.
pub(crate) fn vector_bytes(embedding: &Embedding) -> Vec<u8> {
    embedding.numbers().iter().flat_map(|number| number.to_le_bytes()).collect()
}
