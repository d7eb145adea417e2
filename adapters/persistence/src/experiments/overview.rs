//! What lists show of experiments.

use application::ports::{ExperimentSummary, RunCounts};
use domain::experiment::ExperimentStatus;
use domain::id::{ExperimentId, ProjectId, RunId};
use domain::run::RunStatus;
use domain::strategy::Reason;
use sea_orm::DbErr;

use crate::dialect::{Dialect, corrupt};
use crate::rows::Row;

/// A column of the leading run on the board, for an experiment with alias `e`.
macro_rules! best {
    ($column:literal) => {
        concat!(
            "(SELECT r.",
            $column,
            " FROM run r WHERE r.experiment_id = e.id AND r.listed = 1 ORDER BY r.rank_class DESC, r.rank_score DESC, r.id LIMIT 1)"
        )
    };
}

/// The columns of an experiment in lists, for an experiment with alias `e`.
pub(crate) const SUMMARY: &str = concat!(
    "e.id, e.project_id, e.name, e.description, e.status, e.created_at, e.updated_at, ",
    best!("id"),
    " AS best_run_id, ",
    best!("score"),
    " AS best_score, (SELECT s.finish_reason FROM sweep s WHERE s.experiment_id = e.id ORDER BY s.id DESC LIMIT 1) \
     AS finish_reason"
);

/// Counts runs of sweeps by the sweeps' totals. Single runs are few, and are counted one by one.
pub(super) const COUNTS: &str = "SELECT CAST(COALESCE(SUM(s.asked - s.duplicates), 0) AS bigint) AS made, \
     CAST(COALESCE(SUM(t.completed), 0) AS bigint) AS completed, CAST(COALESCE(SUM(t.failed), 0) AS bigint) AS failed, \
     CAST(COALESCE(SUM(t.cached), 0) AS bigint) AS cached, CAST(COALESCE(SUM(t.pruned), 0) AS bigint) AS pruned, \
     CAST(COALESCE(SUM(t.cancelled), 0) AS bigint) AS cancelled, (SELECT count(*) FROM run WHERE experiment_id = $1 \
     AND status = 'running' AND sweep_id IS NOT NULL) AS running \
     FROM sweep s JOIN sweep_total t ON t.sweep_id = s.id WHERE s.experiment_id = $1";

pub(super) const SINGLE_COUNTS: &str = "SELECT status, count(*) AS n FROM run \
     WHERE experiment_id = $1 AND sweep_id IS NULL GROUP BY status";

pub(crate) fn summary(row: Row<'_>, dialect: Dialect) -> Result<ExperimentSummary, DbErr> {
    let time = |column| dialect.read_time(row.0, column)?.ok_or_else(|| corrupt(column));
    Ok(ExperimentSummary {
        id: ExperimentId::new(row.id("id")?),
        project: ProjectId::new(row.id("project_id")?),
        name: row.text("name")?,
        description: row.maybe_text("description")?,
        status: ExperimentStatus::parse(&row.text("status")?).ok_or_else(|| corrupt("experiment status"))?,
        finish_reason: row.maybe_text("finish_reason")?.and_then(|word| Reason::parse(&word)),
        best: row.maybe_id("best_run_id")?.map(RunId::new).zip(row.maybe_real("best_score")?),
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
    })
}

pub(super) fn counted(row: Row<'_>) -> Result<RunCounts, DbErr> {
    let mut counts = RunCounts {
        pending: 0,
        running: row.count("running")?,
        completed: row.count("completed")?,
        failed: row.count("failed")?,
        cached: row.count("cached")?,
        pruned: row.count("pruned")?,
        cancelled: row.count("cancelled")?,
    };
    let begun =
        [counts.running, counts.completed, counts.failed, counts.cached, counts.pruned, counts.cancelled];
    counts.pending = row.count("made")?.saturating_sub(begun.iter().sum());
    Ok(counts)
}

pub(super) fn add(counts: &mut RunCounts, status: &str, more: u64) {
    let count = match RunStatus::parse(status) {
        Some(RunStatus::Pending) => &mut counts.pending,
        Some(RunStatus::Running) => &mut counts.running,
        Some(RunStatus::Completed) => &mut counts.completed,
        Some(RunStatus::Failed) => &mut counts.failed,
        Some(RunStatus::Cached) => &mut counts.cached,
        Some(RunStatus::Pruned) => &mut counts.pruned,
        Some(RunStatus::Cancelled) => &mut counts.cancelled,
        None => return,
    };
    *count += more;
}
