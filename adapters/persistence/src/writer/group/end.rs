//! Ends runs: their place on the board, their metrics, and what listeners are told.
//!
//! A finished run is written to only by who holds the row of its experiment's board, so that of the runs of one
//! configuration that end at once each sees the ones before it.

use std::time::Duration;

use application::ports::RunEnding;
use domain::event::NewEvent;
use domain::id::{ExperimentId, RunId};
use domain::money::NanoDollars;
use domain::run::{RunEnd, ScorerTotal};
use domain::value::Value;
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};

use crate::batch::{Rows, padded};
use crate::columns::Columns;
use crate::dialect::{Dialect, Session, id, json, maybe_real, maybe_whole, text, whole};
use crate::figures::{self, Figures};
use crate::rank_class::{PARTIAL, UNSCORED, WHOLE};
use crate::rescoring_request;
use crate::rows::Row;

/// Takes the boards of these runs and marks them as changed.
const CHANGED: &str = "INSERT INTO board (experiment_id, rev) \
     SELECT DISTINCT experiment_id, 1 FROM run WHERE id IN ({runs}) ORDER BY experiment_id \
     ON CONFLICT (experiment_id) DO UPDATE SET rev = board.rev + 1";

const ENDED: &str = "completed_at = {now}, lease_owner = NULL, lease_until = NULL, asked = done, \
     counted_answer = (SELECT COALESCE(MAX(a.id), 0) FROM answer a) \
     WHERE id = $1 RETURNING experiment_id, cost_nano, latency_ms, done, started_at, completed_at, scoring_rev, \
     (SELECT e.repeats FROM experiment e WHERE e.id = run.experiment_id) AS repeats, \
     (SELECT e.scoring_rev FROM experiment e WHERE e.id = run.experiment_id) AS current_scoring";

/// Of the runs of one configuration the newest finished one is listed.
const UNLIST: &str = "UPDATE run SET listed = 0 WHERE listed = 1 AND id <> $1 \
     AND experiment_id = (SELECT experiment_id FROM run WHERE id = $1) \
     AND config_hash = (SELECT config_hash FROM run WHERE id = $1)";

const LEADER: &str = "SELECT rank_class, rank_score FROM run WHERE listed = 1 \
     AND experiment_id = (SELECT experiment_id FROM run WHERE id = $1) \
     ORDER BY rank_class DESC, rank_score DESC, id LIMIT 1";

/// Ends runs, by their last block or by decision, in the order of their ids; what listeners are told of it. Takes the boards
/// of other runs too whose scores are to change.
pub(super) async fn write<C: ConnectionTrait>(
    session: Session<'_, C>,
    endings: &[(RunId, &RunEnding)],
    others: Vec<RunId>,
) -> Result<Vec<NewEvent>, DbErr> {
    let ranked = endings.iter().filter(|(_, ending)| ending.end.status().is_ranked());
    let changed: Vec<RunId> = ranked.map(|(run, _)| *run).chain(others).collect();
    mark_boards(session, &changed).await?;
    let (mut told, mut metrics) = (Vec::new(), Vec::new());
    for (run, RunEnding { end: ended, completed, lead }) in endings {
        let leads = lead.is_some() && leads(session, *run, ended).await?;
        let Some(bill) = end(session, *run, ended).await? else { continue };
        metrics.extend(bill.metrics);
        told.extend(completed.clone().map(|event| billed(event, bill.cost, bill.took)));
        told.extend(lead.clone().filter(|_| leads));
    }
    session.insert(Rows { insert: figures::METRICS, then: figures::AGAIN, values: metrics }).await?;
    Ok(told)
}

async fn mark_boards<C: ConnectionTrait>(session: Session<'_, C>, runs: &[RunId]) -> Result<(), DbErr> {
    for (chunk, placeholders) in padded(runs) {
        let values = chunk.map(|run| id(run.bits())).collect();
        session.execute(&CHANGED.replace("{runs}", &placeholders), values).await?;
    }
    Ok(())
}

/// Whether the run that is about to end stands before all that have ended.
pub(super) async fn leads<C: ConnectionTrait>(
    session: Session<'_, C>,
    run: RunId,
    ended: &RunEnd,
) -> Result<bool, DbErr> {
    let Some(first) = session.one(LEADER, vec![id(run.bits())]).await? else { return Ok(true) };
    let first = (Row(&first).whole("rank_class")?, Row(&first).maybe_real("rank_score")?.unwrap_or(0.0));
    let (class, score) = standing(ended);
    Ok(class > first.0 || class == first.0 && score > first.1)
}

/// What a run came to that only the store knows.
struct Bill {
    cost: Option<NanoDollars>,
    took: Duration,
    metrics: Vec<Vec<Bound>>,
}

fn billed(mut event: NewEvent, cost: Option<NanoDollars>, took: Duration) -> NewEvent {
    let cost = cost.map(|cost| ("cost_estimate", Value::number(cost.dollars())));
    let took = ("duration_ms", Value::from(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)));
    event.data.extend(cost.into_iter().chain([took]).map(|(name, value)| (name.to_owned(), value)));
    event
}

async fn end<C: ConnectionTrait>(
    session: Session<'_, C>,
    run: RunId,
    ended: &RunEnd,
) -> Result<Option<Bill>, DbErr> {
    let listed = ended.status().is_ranked();
    let (class, score) = standing(ended);
    let error = ended.error().map(|error| json(&crate::run_rows::error_value(error)));
    let columns = Columns([
        ("status", text(ended.status().as_str())),
        ("score", maybe_real(ended.score)),
        ("ci_low", maybe_real(ended.interval.map(|(low, _)| low))),
        ("ci_high", maybe_real(ended.interval.map(|(_, high)| high))),
        ("n", whole(ended.n)),
        ("rank_class", maybe_whole(listed.then_some(class))),
        ("rank_score", maybe_real(listed.then_some(score))),
        ("listed", whole(i64::from(listed))),
        ("scores", json(&scores_of(&ended.scores))),
        ("error", error.unwrap_or(Bound::Json(None))),
    ]);
    if listed {
        session.execute(UNLIST, vec![id(run.bits())]).await?;
    }
    let sql = format!("UPDATE run SET {}, {ENDED}", columns.assignments(2));
    let Some(row) = session.one(&sql, columns.values([id(run.bits())])).await? else { return Ok(None) };
    let scored = Row(&row).maybe_whole("scoring_rev")?;
    if listed && scored.is_some_and(|scored| Some(scored) < Row(&row).whole("current_scoring").ok()) {
        rescoring_request::ask(session, ExperimentId::new(Row(&row).id("experiment_id")?), None).await?;
    }
    bill(Row(&row), session.dialect, run, ended).map(Some)
}

fn bill(row: Row<'_>, dialect: Dialect, run: RunId, ended: &RunEnd) -> Result<Bill, DbErr> {
    let began = dialect.read_time(row.0, "started_at")?;
    let completed = dialect.read_time(row.0, "completed_at")?;
    let took = began.zip(completed).map_or(Duration::ZERO, |(began, completed)| completed.since(began));
    let metrics = if ended.status().is_ranked() { metric_rows(row, run, ended)? } else { Vec::new() };
    Ok(Bill { cost: row.maybe_money("cost_nano")?, took, metrics })
}

/// The metrics of a run that came to this, whose row this is.
pub(super) fn metric_rows(row: Row<'_>, run: RunId, ended: &RunEnd) -> Result<Vec<Vec<Bound>>, DbErr> {
    let figures = Figures {
        run,
        experiment: ExperimentId::new(row.id("experiment_id")?),
        score: ended.score,
        scores: &ended.scores,
        cost: row.maybe_money("cost_nano")?,
        latency_ms: row.count("latency_ms")?,
        asked: row.count("done")?.saturating_mul(row.count("repeats")?),
    };
    Ok(figures.rows())
}

/// What the board is sorted by: whole runs by their score, then partial ones, then those without a score.
pub(super) fn standing(ended: &RunEnd) -> (i64, f64) {
    match ended.score {
        Some(score) if !ended.partial => (WHOLE, score),
        Some(score) => (PARTIAL, score),
        None => (UNSCORED, 0.0),
    }
}

pub(super) fn scores_of(totals: &[ScorerTotal]) -> Value {
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
