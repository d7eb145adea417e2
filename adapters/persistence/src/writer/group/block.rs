//! Stores finished blocks of runs.

use std::collections::BTreeMap;

use application::ports::{Block, RunEnding, ScoreRow, StageResultRow};
use domain::call::Flags;
use domain::id::{RunId, SweepId};
use domain::money::NanoDollars;
use domain::scoring::Judgement;
use domain::value::{Map, Value};
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};

use crate::columns::{Column, Columns};
use crate::deltas::{Delta, Deltas};
use crate::dialect::{
    Session, bytes, id, maybe_id, maybe_json, maybe_real, maybe_text, maybe_whole, text, whole,
};
use crate::rows::Row;
use crate::score_rows::recall_map;

/// An unknown cost makes the sum unknown: adding NULL gives NULL. A run that has what it was asked for and is not to be ended
/// by its worker rests: nobody holds it.
const ADVANCED: &str = "done = $4, blocks = $3 + 1, \
     lease_owner = CASE WHEN final = 0 AND asked = $4 THEN NULL ELSE lease_owner END, \
     lease_until = CASE WHEN final = 0 AND asked = $4 THEN NULL ELSE lease_until END \
     WHERE id = $1 AND lease_epoch = $2 AND blocks = $3 AND lease_owner IS NOT NULL AND completed_at IS NULL";

const HOLD: &str = "UPDATE run SET lease_until = lease_until \
     WHERE id = $1 AND lease_epoch = $2 AND lease_owner IS NOT NULL AND completed_at IS NULL \
     RETURNING blocks, done";

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
    let (sql, values) = advancing(block);
    let advanced = session.execute(&sql, values).await?.rows_affected() > 0;
    Ok(advanced.then_some(LandedBlock { block, no: block.no, upto: block.upto }))
}

/// The statement that advances a run by a block, and its values.
fn advancing(block: &Block) -> (String, Vec<Bound>) {
    let (usage, counts) = (&block.usage, block.usage.flags.counts());
    let counted = Columns([
        ("failures", whole(block.failures)),
        ("tokens_in", whole(usage.tokens.input)),
        ("tokens_out", whole(usage.tokens.output)),
        ("paid_in", whole(usage.paid.input)),
        ("paid_out", whole(usage.paid.output)),
        ("cost_nano", maybe_whole(usage.cost.map(NanoDollars::nanos))),
        ("paid_nano", maybe_whole(usage.paid_cost.map(NanoDollars::nanos))),
        ("latency_ms", whole(usage.latency_ms)),
        ("calls", whole(usage.calls)),
        ("hits", whole(usage.hits)),
        ("saved", whole(usage.saved)),
    ]);
    let names = Flags::default().named().map(|(name, _)| name);
    let flags =
        Columns(std::array::from_fn::<_, { Flags::COUNT }, _>(|flag| (names[flag], whole(counts[flag]))));
    let origins = Columns([
        ("origins", text(block.origins.spell())),
        ("mixed", whole(i64::from(block.origins.is_mixed()))),
    ]);
    let sql = format!(
        "UPDATE run SET {}, {}, {}, {ADVANCED}",
        counted.increments(5),
        flags.increments(16),
        origins.assignments(16 + Flags::COUNT)
    );
    let run = [id(block.lease.run.bits()), whole(block.lease.epoch), whole(block.no), whole(block.upto)];
    (sql, origins.values(flags.values(counted.values(run))))
}

fn count(block: &Block, delta: &mut Delta) {
    delta.outcomes += 1;
    delta.samples += i64::try_from(block.vector.len()).unwrap_or(i64::MAX);
    delta.hits = delta.hits.saturating_add_unsigned(block.usage.hits);
    if let Some(ending) = &block.ending {
        delta.ended(ending.end.status());
    }
}

/// Stores the rows of blocks that passed the fence. `outcomes` is what each sweep has counted, these included.
pub(super) async fn write<C: ConnectionTrait>(
    session: Session<'_, C>,
    landed: &[LandedBlock<'_>],
    mut outcomes: BTreeMap<SweepId, i64>,
) -> Result<(), DbErr> {
    // Numbers are given from the last block back, so that the last one has the sweep's count.
    let mut rows = Vec::with_capacity(landed.len());
    for landed in landed.iter().rev() {
        let seq = landed.block.sweep.and_then(|sweep| outcomes.get_mut(&sweep)).map_or(0, |last| {
            *last -= 1;
            *last + 1
        });
        rows.push(block_row(landed, seq));
    }
    session.insert_rows("block", rows, "").await?;
    let blocks = || landed.iter().map(|landed| landed.block);
    let results = blocks().flat_map(|block| block.results.iter().map(|row| result_row(block, row)));
    session.insert_rows("stage_result", results.collect(), "").await?;
    let scores = blocks().flat_map(|block| block.scores.iter().map(|row| score_row(block.lease.run, row)));
    session.insert_rows("score", scores.collect(), "").await.map(drop)
}

fn block_row(landed: &LandedBlock<'_>, seq: i64) -> [Column; 8] {
    let block = landed.block;
    [
        ("run_id", id(block.lease.run.bits())),
        ("no", whole(landed.no)),
        ("sweep_id", maybe_id(block.sweep.map(SweepId::bits))),
        ("outcome_seq", whole(seq)),
        ("upto", whole(landed.upto)),
        ("scores", bytes(block.vector.iter().flat_map(|score| score.to_le_bytes()).collect())),
        ("failures", whole(block.failures)),
        ("ended", maybe_text(block.ending.as_ref().map(|ending| ending.end.status().as_str().to_owned()))),
    ]
}

fn result_row(block: &Block, row: &StageResultRow) -> [Column; 8] {
    let error = row.error.as_ref().map(|error| {
        Map::from([
            ("kind".to_owned(), Value::from(error.kind.as_str())),
            ("message".to_owned(), Value::from(error.message.replace('\0', "\u{fffd}"))),
        ])
    });
    [
        ("run_id", id(block.lease.run.bits())),
        ("sample_index", whole(row.sample)),
        ("repeat", whole(row.repeat)),
        ("stage_index", whole(row.stage)),
        ("answer_id", maybe_whole(row.answer.map(|answer| answer.0))),
        ("paid", whole(i64::from(row.paid))),
        ("recall", maybe_json(&row.recall.as_ref().map(recall_map).unwrap_or_default())),
        ("error", maybe_json(&error.unwrap_or_default())),
    ]
}

pub(super) fn score_row(run: RunId, row: &ScoreRow) -> [Column; 7] {
    let nothing = Map::new();
    let (value, metadata, error) = match &row.judgement {
        Ok(Judgement { value, metadata }) => (Some(value.value()), metadata, None),
        Err(error) => (None, &nothing, Some(error.replace('\0', "\u{fffd}"))),
    };
    [
        ("run_id", id(run.bits())),
        ("sample_index", whole(row.sample)),
        ("repeat", whole(row.repeat)),
        ("scorer_no", whole(row.scorer)),
        ("value", maybe_real(value)),
        ("metadata", maybe_json(metadata)),
        ("error", maybe_text(error)),
    ]
}
