//! Stores new sweeps and their changes of state.

use application::ports::{Commit, CommitError, NewSweep, Receipt, ReservationMark, SweepMove};
use domain::event::NewEvent;
use domain::id::SweepId;
use domain::money::NanoDollars;
use domain::sweep::{SweepKind, SweepLimits, SweepStatus};
use domain::value::Value;
use sea_orm::{ConnectionTrait, DbErr};

use super::launch;
use crate::columns::{Column, Columns};
use crate::deltas::{Delta, Deltas};
use crate::dialect::{Session, id, json, maybe_text, maybe_whole, text, whole};
use crate::rows::Row;

/// The experiment is still what the sweep was checked against, and stays so until the sweep can be seen.
const BEGUN: &str =
    "UPDATE experiment SET status = 'running', updated_at = {now} WHERE id = $1 AND revision = $2";

const EXPERIMENT: &str = "UPDATE experiment SET status = $2, updated_at = {now} WHERE id = $1";

/// What is made for a reservation that is still the one that it was made for.
const MADE: &str = "UPDATE idempotency SET made = $4 WHERE principal = $1 AND key = $2 AND reservation = $3 \
     AND made IS NULL";

const MOVED: &str = "version = version + 1, finished_at = CASE WHEN $3 = 1 THEN {now} END, \
     lease_owner = NULL, lease_until = NULL WHERE id = $1 AND version = $2";

/// Runs that somebody holds are fenced; every run that had begun is pending again.
const RECALL: &str = "UPDATE run SET status = 'pending', \
     lease_epoch = lease_epoch + CASE WHEN lease_owner IS NULL THEN 0 ELSE 1 END, lease_owner = NULL, lease_until = NULL \
     WHERE id IN (SELECT id FROM run WHERE sweep_id = $1 AND completed_at IS NULL AND status = 'running' \
     ORDER BY id {for update})";

const CANCEL: &str = "UPDATE run SET status = 'cancelled', completed_at = {now}, asked = done, \
     lease_epoch = lease_epoch + 1, lease_owner = NULL, lease_until = NULL \
     WHERE id IN (SELECT id FROM run WHERE sweep_id = $1 AND completed_at IS NULL ORDER BY id {for update})";

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
    let [max_runs, max_tokens, max_cost] = limits(&new.limits);
    let columns = Columns([
        ("id", id(new.id.bits())),
        ("kind", text(new.kind.as_str())),
        ("strategy", json(&strategy(new.kind))),
        ("seed", whole(new.seed.cast_signed())),
        max_runs,
        max_tokens,
        max_cost,
    ]);
    // A sweep goes through the space as it is when it begins.
    let sql = format!(
        "INSERT INTO sweep (experiment_id, parameter_space, outline, status, version, asked, duplicates, epoch, {}) \
         VALUES ($1, (SELECT parameter_space FROM experiment WHERE id = $1), \
         (SELECT outline FROM experiment WHERE id = $1), 'running', 1, 0, 0, 0, {}) ON CONFLICT DO NOTHING",
        columns.names(),
        columns.places(2)
    );
    let values = columns.values([id(new.experiment.bits())]);
    if session.execute(&sql, values).await?.rows_affected() == 0 {
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

fn limits(limits: &SweepLimits) -> [Column; 3] {
    [
        ("max_runs", maybe_whole(limits.max_runs)),
        ("max_tokens", maybe_whole(limits.max_tokens)),
        ("max_cost_nano", maybe_whole(limits.max_cost.map(NanoDollars::nanos))),
    ]
}

async fn move_to<C: ConnectionTrait>(
    session: Session<'_, C>,
    moved: &SweepMove,
    deltas: &mut Deltas,
) -> Result<bool, DbErr> {
    let (pause, finish) = reasons(moved.status);
    let columns = Columns([
        ("status", text(moved.status.as_str())),
        ("pause_reason", maybe_text(pause)),
        ("finish_reason", maybe_text(finish)),
    ]);
    let sql = format!("UPDATE sweep SET {}, {MOVED}", columns.assignments(4));
    let is_over = whole(i64::from(moved.status.is_over()));
    let values = columns.values([id(moved.sweep.bits()), whole(moved.version), is_over]);
    if session.execute(&sql, values).await?.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(changed) = &moved.limits {
        let limits = Columns(limits(changed));
        let sql = format!("UPDATE sweep SET {} WHERE id = $1", limits.assignments(2));
        session.execute(&sql, limits.values([id(moved.sweep.bits())])).await?;
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
    let counted = Columns([
        ("outcomes", whole(delta.outcomes)),
        ("completed", whole(delta.completed)),
        ("failed", whole(delta.failed)),
        ("cached", whole(delta.cached)),
        ("cancelled", whole(delta.cancelled)),
        ("samples", whole(delta.samples)),
        ("tokens_in", whole(delta.tokens_in)),
        ("tokens_out", whole(delta.tokens_out)),
        ("cost_nano", whole(delta.cost_nano)),
        ("unpriced", whole(delta.unpriced)),
        ("calls", whole(delta.calls)),
        ("hits", whole(delta.hits)),
        ("unknown_calls", whole(delta.unknown_calls)),
        ("unknown_tokens", whole(delta.unknown_tokens)),
        ("unknown_nano", whole(delta.unknown_nano)),
        ("pruned", whole(delta.pruned)),
    ]);
    let sql =
        format!("UPDATE sweep_total SET {} WHERE sweep_id = $1 RETURNING outcomes", counted.increments(2));
    let row = session.one(&sql, counted.values([id(sweep.bits())])).await?;
    row.map_or(Ok(0), |row| Row(&row).whole("outcomes"))
}
