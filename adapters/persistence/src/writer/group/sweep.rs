//! Stores new sweeps and their changes of state.

use application::ports::{Commit, CommitError, NewSweep, Receipt, ReservationMark, SweepMove};
use domain::event::NewEvent;
use domain::id::SweepId;
use domain::money::NanoDollars;
use domain::sweep::{SweepKind, SweepLimits, SweepStatus};
use domain::value::Value;
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};

use super::launch;
use crate::deltas::{Delta, Deltas};
use crate::dialect::{Session, id, json, maybe_text, maybe_whole, text, whole};
use crate::rows::Row;

/// A sweep goes through the space as it is when it begins.
const BEGIN: &str = "INSERT INTO sweep (id, experiment_id, kind, strategy, seed, max_runs, max_tokens, \
     max_cost_nano, parameter_space, outline, status, version, asked, duplicates, epoch) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT parameter_space FROM experiment WHERE id = $2), \
     (SELECT outline FROM experiment WHERE id = $2), \
     'running', 1, 0, 0, 0) ON CONFLICT DO NOTHING";

/// The experiment is still what the sweep was checked against, and stays so until the sweep can be seen.
const BEGUN: &str =
    "UPDATE experiment SET status = 'running', updated_at = {now} WHERE id = $1 AND revision = $2";

const EXPERIMENT: &str = "UPDATE experiment SET status = $2, updated_at = {now} WHERE id = $1";

/// What is made for a reservation that is still the one that it was made for.
const MADE: &str = "UPDATE idempotency SET made = $4 WHERE principal = $1 AND key = $2 AND reservation = $3 \
     AND made IS NULL";

const MOVE: &str = "UPDATE sweep SET status = $3, pause_reason = $4, finish_reason = $5, version = version + 1, \
     finished_at = CASE WHEN $6 = 1 THEN {now} END, lease_owner = NULL, lease_until = NULL \
     WHERE id = $1 AND version = $2";

const LIMITS: &str = "UPDATE sweep SET max_runs = $2, max_tokens = $3, max_cost_nano = $4 WHERE id = $1";

/// Runs that somebody holds are fenced; every run that had begun is pending again.
const RECALL: &str = "UPDATE run SET status = 'pending', \
     lease_epoch = lease_epoch + CASE WHEN lease_owner IS NULL THEN 0 ELSE 1 END, lease_owner = NULL, lease_until = NULL \
     WHERE id IN (SELECT id FROM run WHERE sweep_id = $1 AND completed_at IS NULL AND status = 'running' \
     ORDER BY id {for update})";

const CANCEL: &str = "UPDATE run SET status = 'cancelled', completed_at = {now}, asked = done, \
     lease_epoch = lease_epoch + 1, lease_owner = NULL, lease_until = NULL \
     WHERE id IN (SELECT id FROM run WHERE sweep_id = $1 AND completed_at IS NULL ORDER BY id {for update})";

const ADD: &str = "UPDATE sweep_total SET outcomes = outcomes + $2, completed = completed + $3, failed = failed + $4, \
     cached = cached + $5, cancelled = cancelled + $6, samples = samples + $7, \
     tokens_in = tokens_in + $8, tokens_out = tokens_out + $9, cost_nano = cost_nano + $10, \
     unpriced = unpriced + $11, calls = calls + $12, hits = hits + $13, unknown_calls = unknown_calls + $14, \
     unknown_tokens = unknown_tokens + $15, unknown_nano = unknown_nano + $16, pruned = pruned + $17 WHERE sweep_id = $1 RETURNING outcomes";

/// Writes what a commit says of sweeps and new runs, and adds to what listeners are told; the first part that is refused ends
/// it.
pub(super) async fn write<C: ConnectionTrait>(
    session: Session<'_, C>,
    commit: &Commit,
    deltas: &mut Deltas,
    told: &mut Vec<NewEvent>,
) -> Result<Result<Receipt, CommitError>, DbErr> {
    let mut receipt = Receipt::default();
    if let Some(new) = &commit.begin
        && let Err(refused) = begin(session, new).await?
    {
        return Ok(Err(refused));
    }
    if let Some(moved) = &commit.moved
        && !move_to(session, moved, deltas).await?
    {
        return Ok(Err(CommitError::Conflict));
    }
    if let Some(launched) = &commit.launch {
        let delta = deltas.entry(launched.sweep).or_default();
        let Some(landed) = launch::launch(session, launched, delta).await? else {
            return Ok(Err(CommitError::Conflict));
        };
        receipt.duplicates = landed.duplicates;
        told.extend(landed.told);
    }
    if let Some(single) = &commit.single
        && !launch::insert_single(session, single).await?
    {
        return Ok(Err(CommitError::Conflict));
    }
    if let Some(mark) = &commit.mark
        && !land_mark(session, mark).await?
    {
        return Ok(Err(CommitError::Conflict));
    }
    Ok(Ok(receipt))
}

/// Marks a request with a key as done; `false` where its reservation is not its own any more.
async fn land_mark<C: ConnectionTrait>(
    session: Session<'_, C>,
    mark: &ReservationMark,
) -> Result<bool, DbErr> {
    let values =
        vec![text(mark.principal.as_str()), text(mark.key.as_str()), id(mark.reservation), id(mark.made)];
    Ok(session.execute(MADE, values).await?.rows_affected() > 0)
}

/// Makes a sweep. Refused after its row was made it must be rolled back, so it has a transaction of its own.
async fn begin<C: ConnectionTrait>(
    session: Session<'_, C>,
    new: &NewSweep,
) -> Result<Result<(), CommitError>, DbErr> {
    let mut values = vec![
        id(new.id.bits()),
        id(new.experiment.bits()),
        text(new.kind.as_str()),
        json(&strategy(new.kind)),
        whole(new.seed.cast_signed()),
    ];
    values.extend(limits(&new.limits));
    if session.execute(BEGIN, values).await?.rows_affected() == 0 {
        return Ok(Err(CommitError::SweepActive));
    }
    session.execute("INSERT INTO sweep_total (sweep_id) VALUES ($1)", vec![id(new.id.bits())]).await?;
    let begun = session.execute(BEGUN, vec![id(new.experiment.bits()), whole(new.revision)]).await?;
    Ok(if begun.rows_affected() == 0 { Err(CommitError::Conflict) } else { Ok(()) })
}

fn strategy(kind: SweepKind) -> Value {
    match kind {
        SweepKind::Grid { shuffle } => Value::from([("shuffle", Value::from(shuffle))]),
        SweepKind::Random => Value::Map(domain::value::Map::new()),
    }
}

fn limits(limits: &SweepLimits) -> [Bound; 3] {
    let cost = limits.max_cost.map(NanoDollars::nanos);
    [maybe_whole(limits.max_runs), maybe_whole(limits.max_tokens), maybe_whole(cost)]
}

async fn move_to<C: ConnectionTrait>(
    session: Session<'_, C>,
    moved: &SweepMove,
    deltas: &mut Deltas,
) -> Result<bool, DbErr> {
    let (pause, finish) = reasons(moved.status);
    let values = vec![
        id(moved.sweep.bits()),
        whole(moved.version),
        text(moved.status.as_str()),
        maybe_text(pause),
        maybe_text(finish),
        whole(i64::from(moved.status.is_over())),
    ];
    if session.execute(MOVE, values).await?.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(changed) = &moved.limits {
        let mut values = vec![id(moved.sweep.bits())];
        values.extend(limits(changed));
        session.execute(LIMITS, values).await?;
    }
    if moved.cancel {
        cancel(session, moved.sweep, deltas.entry(moved.sweep).or_default()).await?;
    } else if moved.recall {
        session.execute(RECALL, vec![id(moved.sweep.bits())]).await?;
    }
    session.execute(EXPERIMENT, vec![id(moved.experiment.bits()), text(moved.status.as_str())]).await?;
    Ok(true)
}

fn reasons(status: SweepStatus) -> (Option<String>, Option<String>) {
    match status {
        SweepStatus::Paused(reason) => (Some(reason.as_str().to_owned()), None),
        SweepStatus::Completed(reason) => (None, Some(reason.as_str().to_owned())),
        SweepStatus::Running => (None, None),
        SweepStatus::Stopped => (None, Some("stopped".to_owned())),
    }
}

async fn cancel<C: ConnectionTrait>(
    session: Session<'_, C>,
    sweep: SweepId,
    delta: &mut Delta,
) -> Result<(), DbErr> {
    let cancelled = session.execute(CANCEL, vec![id(sweep.bits())]).await?.rows_affected();
    delta.cancelled += cancelled.cast_signed();
    Ok(())
}

/// Adds to a sweep's counters; the number of outcomes it then has.
pub(super) async fn add<C: ConnectionTrait>(
    session: Session<'_, C>,
    sweep: SweepId,
    delta: &Delta,
) -> Result<i64, DbErr> {
    let numbers = [
        delta.outcomes,
        delta.completed,
        delta.failed,
        delta.cached,
        delta.cancelled,
        delta.samples,
        delta.tokens_in,
        delta.tokens_out,
        delta.cost_nano,
        delta.unpriced,
        delta.calls,
        delta.hits,
        delta.unknown_calls,
        delta.unknown_tokens,
        delta.unknown_nano,
        delta.pruned,
    ];
    let mut values = vec![id(sweep.bits())];
    values.extend(numbers.map(|number| Bound::BigInt(Some(number))));
    let row = session.one(ADD, values).await?;
    row.map_or(Ok(0), |row| Row(&row).whole("outcomes"))
}
