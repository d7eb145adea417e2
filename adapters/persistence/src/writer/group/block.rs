//! Stores finished blocks of runs.

use std::collections::BTreeMap;

use application::ports::{Block, RunEnding, ScoreRow, StageResultRow};
use domain::id::{RunId, SweepId};
use domain::money::NanoDollars;
use domain::scoring::Judgement;
use domain::value::{Map, Value};
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};

use crate::batch::Rows;
use crate::deltas::{Delta, Deltas};
use crate::dialect::{Session, bytes, id, maybe_id, maybe_json, maybe_real, maybe_text, maybe_whole, whole};
use crate::rows::Row;

/// An unknown cost makes the sum unknown: adding NULL gives NULL. A run that has what it was asked for and is not to be ended
/// by its worker rests: nobody holds it.
const ADVANCE: &str = "UPDATE run SET done = $3, blocks = $4, failures = failures + $5, tokens_in = tokens_in + $6, \
     tokens_out = tokens_out + $7, paid_in = paid_in + $8, paid_out = paid_out + $9, \
     cost_nano = cost_nano + CAST($10 AS bigint), paid_nano = paid_nano + CAST($11 AS bigint), \
     latency_ms = latency_ms + $12, calls = calls + $13, hits = hits + $14, \
     truncated = truncated + $16, refused = refused + $17, tokens_estimated = tokens_estimated + $18, \
     lossy_text = lossy_text + $19, no_output = no_output + $20, context_cut = context_cut + $21, \
     lease_owner = CASE WHEN final = 0 AND asked = $3 THEN NULL ELSE lease_owner END, \
     lease_until = CASE WHEN final = 0 AND asked = $3 THEN NULL ELSE lease_until END \
     WHERE id = $1 AND lease_epoch = $2 AND blocks = $15 AND lease_owner IS NOT NULL AND completed_at IS NULL";

const HOLD: &str = "UPDATE run SET lease_until = lease_until \
     WHERE id = $1 AND lease_epoch = $2 AND lease_owner IS NOT NULL AND completed_at IS NULL \
     RETURNING blocks, done";

const BLOCKS: &str = "INSERT INTO block (run_id, no, sweep_id, outcome_seq, upto, scores, failures, ended)";
const RESULTS: &str =
    "INSERT INTO stage_result (run_id, sample_index, repeat, stage_index, answer_id, paid, error)";
const SCORES: &str = "INSERT INTO score (run_id, sample_index, repeat, scorer_no, value, metadata, error)";

/// A block that passed the fence, and its number within its run.
pub(super) struct LandedBlock<'a> {
    block: &'a Block,
    no: u32,
    upto: u32,
}

impl<'a> LandedBlock<'a> {
    /// How its run ends with it, where it does.
    pub(super) fn ending(&self) -> Option<(RunId, &'a RunEnding)> {
        self.block.ending.as_ref().map(|ending| (self.block.lease.run, ending))
    }
}

/// Advances the block's run; `None` where somebody else has the run now, or the block has landed before.
pub(super) async fn fence<'a, C: ConnectionTrait>(
    session: Session<'_, C>,
    block: &'a Block,
    deltas: &mut Deltas,
) -> Result<Option<LandedBlock<'a>>, DbErr> {
    let landed = advance(session, block).await?;
    if let Some(sweep) = block.sweep.filter(|_| landed.is_some()) {
        count(block, deltas.entry(sweep).or_default());
    }
    Ok(landed)
}

/// Whether the run is still its holder's, and the block the next one. A block without samples only ends its run.
async fn advance<'a, C: ConnectionTrait>(
    session: Session<'_, C>,
    block: &'a Block,
) -> Result<Option<LandedBlock<'a>>, DbErr> {
    if block.vector.is_empty() {
        let values = vec![id(block.lease.run.bits()), whole(block.lease.epoch)];
        let Some(row) = session.one(HOLD, values).await? else { return Ok(None) };
        let (no, upto) = (Row(&row).small("blocks")?, Row(&row).small("done")?);
        return Ok(Some(LandedBlock { block, no, upto }));
    }
    let mut values = vec![
        id(block.lease.run.bits()),
        whole(block.lease.epoch),
        whole(block.upto),
        whole(block.no + 1),
        whole(block.failures),
        whole(block.usage.tokens.input),
        whole(block.usage.tokens.output),
        whole(block.usage.paid.input),
        whole(block.usage.paid.output),
        maybe_whole(block.usage.cost.map(NanoDollars::nanos)),
        maybe_whole(block.usage.paid_cost.map(NanoDollars::nanos)),
        whole(block.usage.latency_ms),
        whole(block.usage.calls),
        whole(block.usage.hits),
        whole(block.no),
    ];
    values.extend(block.usage.flags.counts().map(whole));
    let advanced = session.execute(ADVANCE, values).await?.rows_affected() > 0;
    Ok(advanced.then_some(LandedBlock { block, no: block.no, upto: block.upto }))
}

fn count(block: &Block, delta: &mut Delta) {
    delta.outcomes += 1;
    delta.samples += i64::try_from(block.vector.len()).unwrap_or(i64::MAX);
    delta.hits = delta.hits.saturating_add_unsigned(block.usage.hits);
    if let Some(ending) = &block.ending {
        delta.ended(ending.end.status);
    }
}

/// Stores the rows of blocks that passed the fence. `outcomes` is what each sweep has counted, these included.
pub(super) async fn write<C: ConnectionTrait>(
    session: Session<'_, C>,
    landed: &[LandedBlock<'_>],
    mut outcomes: BTreeMap<SweepId, i64>,
) -> Result<(), DbErr> {
    // Numbers are given from the last block back, so that the last one has the sweep's count.
    let mut rows: Vec<Vec<Bound>> = Vec::new();
    for landed in landed.iter().rev() {
        let seq = landed.block.sweep.and_then(|sweep| outcomes.get_mut(&sweep)).map_or(0, |last| {
            *last -= 1;
            *last + 1
        });
        rows.push(block_row(landed, seq));
    }
    session.insert(Rows { insert: BLOCKS, then: "", values: rows }).await?;
    let blocks = || landed.iter().map(|landed| landed.block);
    let results = blocks().flat_map(|block| block.results.iter().map(|row| result_row(block, row)));
    session.insert(Rows { insert: RESULTS, then: "", values: results.collect() }).await?;
    let scores = blocks().flat_map(|block| block.scores.iter().map(|row| score_row(block, row)));
    session.insert(Rows { insert: SCORES, then: "", values: scores.collect() }).await
}

fn block_row(landed: &LandedBlock<'_>, seq: i64) -> Vec<Bound> {
    let block = landed.block;
    vec![
        id(block.lease.run.bits()),
        whole(landed.no),
        maybe_id(block.sweep.map(SweepId::bits)),
        whole(seq),
        whole(landed.upto),
        bytes(block.vector.iter().flat_map(|score| score.to_le_bytes()).collect()),
        whole(block.failures),
        maybe_text(block.ending.as_ref().map(|ending| ending.end.status.as_str().to_owned())),
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
    let nothing = Map::new();
    let (value, metadata, error) = match &row.judgement {
        Ok(Judgement { value, metadata }) => (Some(value.value()), metadata, None),
        Err(error) => (None, &nothing, Some(error.replace('\0', "\u{fffd}"))),
    };
    vec![
        id(block.lease.run.bits()),
        whole(row.sample),
        whole(row.repeat),
        whole(row.scorer),
        maybe_real(value),
        maybe_json(metadata),
        maybe_text(error),
    ]
}
