//! Stores answers and failures of calls.

use std::sync::atomic::{AtomicI64, Ordering};

use application::ports::{AnswerId, FailedCall, Fill, Settlement};
use domain::call::{Reply, ReplyBody};
use domain::id::EndpointId;
use domain::run::{Asker, Payer};
use domain::value::Value;
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};

use crate::answers::{NO_RUN, vector_bytes};
use crate::batch::Rows;
use crate::columns::Column;
use crate::deltas::Deltas;
use crate::dialect::{Dialect, Session, id, json, maybe_id, maybe_text, maybe_whole, text, whole};
use crate::rows::{Row, read_all};

const FILLS: &str = "INSERT INTO response_cache (config_hash, answer_id, claim_no)";

/// The first answer stays. What the claim reserved is spent or free.
const FILL: &str = "ON CONFLICT (config_hash) DO UPDATE SET answer_id = excluded.answer_id, claimed_by = NULL, \
     sweep_id = NULL, reserved_tokens = 0, reserved_nano = 0, failed_kind = NULL, failed_message = NULL \
     WHERE response_cache.answer_id IS NULL";

const FAIL: &str = "UPDATE response_cache SET claimed_by = NULL, sweep_id = $1, reserved_tokens = 0, \
     reserved_nano = 0, failed_kind = $2, failed_message = $3 \
     WHERE config_hash = $4 AND claimed_by = $5 AND answer_id IS NULL";

/// Stores what the settlements hold; the ids of each one's answers.
pub(super) async fn write<C: ConnectionTrait>(
    session: Session<'_, C>,
    settlements: &[&Settlement],
    deltas: &mut Deltas,
    next_answer: &AtomicI64,
) -> Result<Vec<Vec<AnswerId>>, DbErr> {
    let fills: Vec<&Fill> = settlements.iter().flat_map(|calls| &calls.fills).collect();
    let ids = numbers(session, fills.len(), next_answer).await?;
    let mut numbered = ids.iter().map(|id| AnswerId(*id));
    let settled =
        settlements.iter().map(|calls| numbered.by_ref().take(calls.fills.len()).collect()).collect();
    store(session, &fills, &ids).await?;
    for fill in fills {
        count(fill, deltas);
    }
    let mut failures: Vec<&FailedCall> = settlements.iter().flat_map(|calls| &calls.failures).collect();
    failures.sort_by_key(|failed| failed.hash);
    for failed in failures {
        fail(session, failed).await?;
    }
    Ok(settled)
}

/// Numbers for new answers. SQLite has one writer, which counts itself.
async fn numbers<C: ConnectionTrait>(
    session: Session<'_, C>,
    count: usize,
    next_answer: &AtomicI64,
) -> Result<Vec<i64>, DbErr> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let wanted = i64::try_from(count).unwrap_or(i64::MAX);
    match session.dialect {
        Dialect::Sqlite => {
            let first = next_answer.fetch_add(wanted, Ordering::Relaxed);
            Ok((first..first + wanted).collect())
        }
        Dialect::Postgres => {
            let sql = "SELECT nextval('answer_id') AS id FROM generate_series(1, $1)";
            read_all(&session.all(sql, vec![whole(wanted)]).await?, |row: Row<'_>| row.whole("id"))
        }
    }
}

async fn store<C: ConnectionTrait>(
    session: Session<'_, C>,
    fills: &[&Fill],
    ids: &[i64],
) -> Result<(), DbErr> {
    let numbered = || fills.iter().zip(ids);
    let rows = numbered().map(|(fill, id)| answer_row(fill, *id)).collect();
    session.insert_rows("answer", rows, "").await?;
    let mut filled: Vec<_> = numbered().collect();
    filled.sort_by_key(|(fill, _)| fill.hash);
    filled.dedup_by_key(|(fill, _)| fill.hash);
    let rows = filled.into_iter().map(|(fill, id)| vec![text(fill.hash.to_string()), whole(*id), whole(1)]);
    session.insert(Rows { insert: FILLS, then: FILL, values: rows.collect() }).await
}

fn answer_row(fill: &Fill, number: i64) -> [Column; 28] {
    let (call, reply) = (&fill.call, &fill.reply);
    let (completion, service) = (reply.completion(), reply.service_answer());
    let tool_calls = completion.and_then(|completion| completion.tool_calls.as_ref());
    let [paid_run, paid_sample, paid_repeat, paid_asker, paid_by_scorer, paid_call] = payer(fill.paid_by);
    [
        ("id", whole(number)),
        ("endpoint_id", maybe_id(fill.endpoint.map(EndpointId::bits))),
        ("request", text(call.request_text())),
        ("response", text(response(reply))),
        ("reasoning", maybe_text(completion.and_then(|completion| completion.reasoning.clone()))),
        ("vector", Bound::Bytes(reply.embedding().map(vector_bytes))),
        ("service_json", maybe_whole(service.map(|answer| i64::from(answer.is_json)))),
        ("model", maybe_text(call.model().map(str::to_owned))),
        ("model_returned", maybe_text(reply.model_returned.clone())),
        ("provider", maybe_text(reply.provider.clone())),
        ("system_fingerprint", maybe_text(reply.system_fingerprint.clone())),
        ("service_tier", maybe_text(reply.service_tier.clone())),
        ("parameters", json(&Value::Map(call.parameters()))),
        ("tool_calls", tool_calls.map_or(Bound::Json(None), json)),
        ("tokens_in", whole(reply.tokens.input)),
        ("tokens_out", whole(reply.tokens.output)),
        ("latency_us", whole(reply.latency.as_micros())),
        ("finish_reason", maybe_text(completion.and_then(|completion| completion.finish_reason.clone()))),
        ("flags", whole(reply.flags.bits())),
        ("stated_nano", maybe_whole(reply.stated_cost.map(domain::money::NanoDollars::nanos))),
        ("cost_nano", maybe_whole(fill.cost.map(domain::money::NanoDollars::nanos))),
        ("price_day", maybe_text(fill.price_day.map(str::to_owned))),
        ("paid_run", paid_run),
        ("paid_sample", paid_sample),
        ("paid_repeat", paid_repeat),
        ("paid_asker", paid_asker),
        ("paid_by_scorer", paid_by_scorer),
        ("paid_call", paid_call),
    ]
}

/// The text of an answer; a vector has none.
fn response(reply: &Reply) -> &str {
    match &reply.body {
        ReplyBody::Completion(completion) => &completion.text,
        ReplyBody::Service(answer) => &answer.text,
        ReplyBody::Embedding(_) => "",
    }
}

/// Run, sample, repetition, asker, whether that is a scorer, and the number of the call.
fn payer(payer: Option<Payer>) -> [Bound; 6] {
    let Some(payer) = payer else { return [id(NO_RUN), whole(0), whole(0), whole(0), whole(0), whole(0)] };
    let (asker, by_scorer) = match payer.asker {
        Asker::Stage(stage) => (stage, 0),
        Asker::Scorer(scorer) => (scorer, 1),
    };
    [
        id(payer.run.bits()),
        whole(payer.sample),
        whole(payer.repeat),
        whole(asker),
        whole(by_scorer),
        whole(payer.call),
    ]
}

fn count(fill: &Fill, deltas: &mut Deltas) {
    let Some(sweep) = fill.sweep else { return };
    let delta = deltas.entry(sweep).or_default();
    let tokens = fill.reply.tokens;
    delta.calls += 1;
    delta.tokens_in = delta.tokens_in.saturating_add_unsigned(tokens.input);
    delta.tokens_out = delta.tokens_out.saturating_add_unsigned(tokens.output);
    match fill.cost {
        Some(cost) => delta.cost_nano = delta.cost_nano.saturating_add(cost.nanos()),
        None => delta.unpriced += 1,
    }
}

async fn fail<C: ConnectionTrait>(session: Session<'_, C>, failed: &FailedCall) -> Result<(), DbErr> {
    let values = vec![
        maybe_id(failed.sweep.map(domain::id::SweepId::bits)),
        text(failed.failure.kind.as_str()),
        text(failed.failure.message.replace('\0', "\u{fffd}")),
        text(failed.hash.to_string()),
        id(failed.by.bits()),
    ];
    session.execute(FAIL, values).await.map(drop)
}
