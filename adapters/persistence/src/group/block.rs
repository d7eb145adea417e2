//! Stores finished blocks of runs.

use std::collections::BTreeMap;
use std::time::Duration;

use application::ports::{Block, RunEnd, ScoreRow, ScorerTotal, StageResultRow};
use domain::event::NewEvent;
use domain::id::{RunId, SweepId};
use domain::money::NanoDollars;
use domain::run::RunStatus;
use domain::value::{Map, Value};
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};

use super::{Delta, Deltas};
use crate::batch::Rows;
use crate::dialect::{
    Dialect, Session, bytes, id, json, maybe_id, maybe_json, maybe_real, maybe_text, maybe_whole, text, whole,
};
use crate::rows::Row;

/// An unknown cost makes the sum unknown: adding NULL gives NULL.
const ADVANCE: &str = "UPDATE run SET done = $3, blocks = $4, failures = failures + $5, tokens_in = tokens_in + $6, \
     tokens_out = tokens_out + $7, paid_in = paid_in + $8, paid_out = paid_out + $9, \
     cost_nano = cost_nano + CAST($10 AS bigint), paid_nano = paid_nano + CAST($11 AS bigint), \
     latency_ms = latency_ms + $12, calls = calls + $13, hits = hits + $14 \
     WHERE id = $1 AND lease_epoch = $2 AND blocks = $15 AND lease_owner IS NOT NULL AND completed_at IS NULL";

const HOLD: &str = "UPDATE run SET lease_until = lease_until \
     WHERE id = $1 AND lease_epoch = $2 AND lease_owner IS NOT NULL AND completed_at IS NULL";

const END: &str = "UPDATE run SET status = $2, completed_at = {now}, lease_owner = NULL, lease_until = NULL, \
     asked = done, score = $3, ci_low = $4, ci_high = $5, n = $6, rank_score = $7, listed = $8, scores = $9, \
     error = $10 WHERE id = $1 RETURNING cost_nano, started_at, completed_at";

/// Of the runs of one configuration the newest finished one is listed.
const UNLIST: &str = "UPDATE run SET listed = 0 WHERE listed = 1 AND id <> $1 \
     AND experiment_id = (SELECT experiment_id FROM run WHERE id = $1) \
     AND config_hash = (SELECT config_hash FROM run WHERE id = $1)";

const LEAD: &str = "UPDATE experiment SET best_score = $2 \
     WHERE id = (SELECT experiment_id FROM run WHERE id = $1) AND (best_score IS NULL OR best_score < $2)";

const BLOCKS: &str = "INSERT INTO block (run_id, no, sweep_id, outcome_seq, upto, scores)";
const RESULTS: &str =
    "INSERT INTO stage_result (run_id, sample_index, repeat, stage_index, answer_id, paid, error)";
const SCORES: &str = "INSERT INTO score (run_id, sample_index, repeat, scorer_no, value, metadata, error)";

/// Advances the block's run, and ends it where the block says so; what listeners are told of its end. `None` where
/// somebody else has the run now, or the block has landed before.
pub(super) async fn fence<C: ConnectionTrait>(
    session: Session<'_, C>,
    block: &Block,
    deltas: &mut Deltas,
) -> Result<Option<Vec<NewEvent>>, DbErr> {
    if !advance(session, block).await? {
        return Ok(None);
    }
    let mut told = Vec::new();
    if let Some(ended) = &block.end {
        let bill = end(session, block.lease.run, ended).await?;
        told.extend(block.completed.clone().map(|event| billed(event, bill)));
        told.extend(lead(session, block).await?);
    }
    if let Some(sweep) = block.sweep {
        count(block, deltas.entry(sweep).or_default());
    }
    Ok(Some(told))
}

/// Whether the run is still its holder's, and the block the next one. A block without samples only ends its run.
async fn advance<C: ConnectionTrait>(session: Session<'_, C>, block: &Block) -> Result<bool, DbErr> {
    if block.vector.is_empty() {
        let values = vec![id(block.lease.run.bits()), whole(block.lease.epoch)];
        return Ok(session.execute(HOLD, values).await?.rows_affected() > 0);
    }
    let values = vec![
        id(block.lease.run.bits()),
        whole(block.lease.epoch),
        whole(block.upto),
        whole(block.no + 1),
        whole(block.failures),
        whole(block.tokens.input),
        whole(block.tokens.output),
        whole(block.paid.input),
        whole(block.paid.output),
        maybe_whole(block.cost.map(NanoDollars::nanos)),
        maybe_whole(block.paid_cost.map(NanoDollars::nanos)),
        whole(block.latency_ms),
        whole(block.calls),
        whole(block.hits),
        whole(block.no),
    ];
    Ok(session.execute(ADVANCE, values).await?.rows_affected() > 0)
}

/// What a run came to that only the store knows.
#[derive(Debug, Default, Clone, Copy)]
struct Bill {
    cost: Option<NanoDollars>,
    took: Duration,
}

fn billed(mut event: NewEvent, bill: Bill) -> NewEvent {
    let cost = bill.cost.map(|cost| ("cost_estimate", Value::number(cost.dollars())));
    let took = ("duration_ms", Value::from(u64::try_from(bill.took.as_millis()).unwrap_or(u64::MAX)));
    event.data.extend(cost.into_iter().chain([took]).map(|(name, value)| (name.to_owned(), value)));
    event
}

async fn end<C: ConnectionTrait>(session: Session<'_, C>, run: RunId, ended: &RunEnd) -> Result<Bill, DbErr> {
    let listed = ended.status.is_ranked();
    let values = vec![
        id(run.bits()),
        text(ended.status.as_str()),
        maybe_real(ended.score),
        maybe_real(ended.interval.map(|(low, _)| low)),
        maybe_real(ended.interval.map(|(_, high)| high)),
        whole(ended.n),
        maybe_real(Some(rank_score(ended))),
        whole(i64::from(listed)),
        json(&scorers(&ended.scores)),
        ended.error.as_ref().map_or(Bound::Json(None), |error| json(&crate::runs::error_value(error))),
    ];
    if listed {
        session.execute(UNLIST, vec![id(run.bits())]).await?;
    }
    let row = session.one(END, values).await?;
    row.map_or_else(|| Ok(Bill::default()), |row| bill(Row(&row), session.dialect))
}

fn bill(row: Row<'_>, dialect: Dialect) -> Result<Bill, DbErr> {
    let began = dialect.read_time(row.0, "started_at")?;
    let ended = dialect.read_time(row.0, "completed_at")?;
    let took = began.zip(ended).map_or(Duration::ZERO, |(began, ended)| ended.since(began));
    Ok(Bill { cost: row.maybe_money("cost_nano")?, took })
}

/// What the board is sorted by: whole runs by their score, then partial ones, then those without a score.
fn rank_score(ended: &RunEnd) -> f64 {
    match ended.score {
        Some(score) if !ended.partial => score,
        Some(score) => score - 1.0,
        None => -2.0,
    }
}

fn scorers(totals: &[ScorerTotal]) -> Value {
    Value::List(totals.iter().map(scorer).collect())
}

fn scorer(total: &ScorerTotal) -> Value {
    let number = |number: Option<f64>| number.map_or(Value::Null, Value::number);
    Value::from([
        ("name", Value::from(total.name.as_str())),
        ("value", number(total.value)),
        ("ci_low", number(total.interval.map(|(low, _)| low))),
        ("ci_high", number(total.interval.map(|(_, high)| high))),
        ("n", Value::from(total.n)),
        ("failed", Value::from(total.failed)),
    ])
}

fn count(block: &Block, delta: &mut Delta) {
    delta.outcomes += 1;
    delta.samples += i64::try_from(block.vector.len()).unwrap_or(i64::MAX);
    delta.hits = delta.hits.saturating_add_unsigned(block.hits);
    let Some(ended) = &block.end else { return };
    delta.running -= 1;
    match ended.status {
        RunStatus::Failed => delta.failed += 1,
        RunStatus::Cached => delta.cached += 1,
        _ => delta.completed += 1,
    }
}

/// What listeners are told where the block's run takes the lead.
async fn lead<C: ConnectionTrait>(session: Session<'_, C>, block: &Block) -> Result<Option<NewEvent>, DbErr> {
    let score = block.end.as_ref().and_then(|ended| ended.score);
    let (Some(event), Some(score)) = (&block.lead, score) else { return Ok(None) };
    let values = vec![id(block.lease.run.bits()), maybe_real(Some(score))];
    let leads = session.execute(LEAD, values).await?.rows_affected() > 0;
    Ok(leads.then(|| event.clone()))
}

/// Stores the rows of blocks that were not fenced. `outcomes` is what each sweep has counted, these included.
pub(super) async fn write<C: ConnectionTrait>(
    session: Session<'_, C>,
    blocks: &[&Block],
    mut outcomes: BTreeMap<SweepId, i64>,
) -> Result<(), DbErr> {
    // Numbers are given from the last block back, so that the last one has the sweep's count.
    let mut rows: Vec<Vec<Bound>> = Vec::new();
    for block in blocks.iter().rev().filter(|block| !block.vector.is_empty()) {
        let seq = block.sweep.and_then(|sweep| outcomes.get_mut(&sweep)).map_or(0, |last| {
            *last -= 1;
            *last + 1
        });
        rows.push(block_row(block, seq));
    }
    session.insert(Rows { insert: BLOCKS, then: "", values: rows }).await?;
    let results = blocks.iter().flat_map(|block| block.results.iter().map(|row| result_row(block, row)));
    session.insert(Rows { insert: RESULTS, then: "", values: results.collect() }).await?;
    let scores = blocks.iter().flat_map(|block| block.scores.iter().map(|row| score_row(block, row)));
    session.insert(Rows { insert: SCORES, then: "", values: scores.collect() }).await
}

fn block_row(block: &Block, seq: i64) -> Vec<Bound> {
    vec![
        id(block.lease.run.bits()),
        whole(block.no),
        maybe_id(block.sweep.map(SweepId::bits)),
        whole(seq),
        whole(block.upto),
        bytes(block.vector.iter().flat_map(|score| score.to_le_bytes()).collect()),
    ]
}

fn result_row(block: &Block, row: &StageResultRow) -> Vec<Bound> {
    let error = row.error.as_ref().map(|error| {
        Map::from([
            ("kind".to_owned(), Value::from(error.kind.as_str())),
            ("message".to_owned(), Value::from(error.message.replace('\0', "\u{fffd}"))),
        ])
    });
    vec![
        id(block.lease.run.bits()),
        whole(row.sample),
        whole(row.repeat),
        whole(row.stage),
        maybe_whole(row.answer.map(|answer| answer.0)),
        whole(i64::from(row.paid)),
        maybe_json(&error.unwrap_or_default()),
    ]
}

fn score_row(block: &Block, row: &ScoreRow) -> Vec<Bound> {
    vec![
        id(block.lease.run.bits()),
        whole(row.sample),
        whole(row.repeat),
        whole(row.scorer),
        maybe_real(row.value),
        maybe_json(&row.metadata),
        maybe_text(row.error.as_ref().map(|error| error.replace('\0', "\u{fffd}"))),
    ]
}
