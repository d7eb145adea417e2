//! Replaces the scores of runs that have ended, and ends rescorings. Who does so holds the run's board.

use application::ports::{Commit, CommitError, NewScores, Receipt, ReplacedScores, RescoringEnd};
use domain::event::NewEvent;
use domain::id::RunId;
use domain::money::NanoDollars;
use sea_orm::{ConnectionTrait, DbErr};

use super::block::score_row;
use super::end::{leads, metric_rows, scores_of, standing};
use crate::batch::Rows;
use crate::columns::Columns;
use crate::dialect::{
    Session, bytes, id, json, maybe_json, maybe_real, maybe_text, maybe_whole, text, whole,
};
use crate::figures;
use crate::rows::Row;
use crate::score_rows::rating_columns;

/// The lease of a rescoring is held by who knows its number.
const FENCE: &str = "SELECT 1 AS there FROM rescoring WHERE experiment_id = $1 AND epoch = $2 {for update}";

const DONE: &str = "UPDATE rescoring SET done = done + 1 WHERE experiment_id = $1";

const ENDED: &str = "DELETE FROM rescoring WHERE experiment_id = $1 AND epoch = $2 AND requests = $3";

const REPLACED: &str = "scores_version = scores_version + 1, \
     counted_answer = (SELECT COALESCE(MAX(a.id), 0) FROM answer a) \
     WHERE id = $1 AND scores_version = $2 AND completed_at IS NOT NULL \
     RETURNING experiment_id, cost_nano, latency_ms, done, \
     (SELECT e.repeats FROM experiment e WHERE e.id = run.experiment_id) AS repeats";

/// Metrics of scorers that there are no more would stay.
const OLD_METRICS: &str =
    "DELETE FROM run_metric WHERE run_id = $1 AND (name = 'score' OR name LIKE 'scores.%')";

/// The runs whose scores commits replace.
pub(super) fn scored(commits: &[&Commit]) -> Vec<RunId> {
    commits.iter().filter_map(|commit| Some(commit.scores.as_ref()?.run)).collect()
}

/// Writes what commits say of scores and rescorings, in the order of the runs, once their boards are held. Adds to what
/// listeners are told.
pub(super) async fn write<C: ConnectionTrait>(
    session: Session<'_, C>,
    commits: &[&Commit],
    receipts: &mut [Result<Receipt, CommitError>],
    told: &mut Vec<NewEvent>,
) -> Result<(), DbErr> {
    let accepted = commits.iter().zip(receipts).filter(|(_, receipt)| receipt.is_ok());
    let mut parts: Vec<_> =
        accepted.filter(|(commit, _)| commit.scores.is_some() || commit.rescored.is_some()).collect();
    parts.sort_by_key(|(commit, _)| commit.scores.as_ref().map(|scores| scores.run));
    for (commit, receipt) in parts {
        let mut landed = true;
        if let Some(scores) = &commit.scores {
            landed = replace(session, scores, told).await?;
        }
        if let Some(ended) = commit.rescored.as_ref().filter(|_| landed) {
            landed = end(session, ended).await?;
        }
        if !landed {
            *receipt = Err(CommitError::Conflict);
        }
    }
    Ok(())
}

/// Ends a rescoring; `false` where it was asked for again: whoever has it begins anew.
async fn end<C: ConnectionTrait>(session: Session<'_, C>, ended: &RescoringEnd) -> Result<bool, DbErr> {
    let values = vec![id(ended.experiment.bits()), whole(ended.epoch), whole(ended.requests)];
    Ok(session.execute(ENDED, values).await?.rows_affected() > 0)
}

/// Replaces scores; `false`, with nothing written, where they have changed since, or the lease is another's.
async fn replace<C: ConnectionTrait>(
    session: Session<'_, C>,
    new: &NewScores,
    told: &mut Vec<NewEvent>,
) -> Result<bool, DbErr> {
    if let Some((experiment, epoch)) = new.rescoring
        && session.one(FENCE, vec![id(experiment.bits()), whole(epoch)]).await?.is_none()
    {
        return Ok(false);
    }
    let leads = new.lead.is_some() && leads(session, new.run, &new.end).await?;
    let Some(metrics) = update_run(session, new).await? else { return Ok(false) };
    session.execute(OLD_METRICS, vec![id(new.run.bits())]).await?;
    session.insert(Rows { insert: figures::METRICS, then: figures::AGAIN, values: metrics }).await?;
    replace_rows(session, new).await?;
    insert_rating(session, new).await?;
    if let Some((experiment, _)) = new.rescoring {
        session.execute(DONE, vec![id(experiment.bits())]).await?;
    }
    told.extend(new.lead.clone().filter(|_| leads));
    Ok(true)
}

/// Writes what the scores come to; the metrics of the run then.
async fn update_run<C: ConnectionTrait>(
    session: Session<'_, C>,
    new: &NewScores,
) -> Result<Option<Vec<Vec<sea_orm::Value>>>, DbErr> {
    let (class, score) = standing(&new.end);
    let columns = Columns([
        ("score", maybe_real(new.end.score)),
        ("ci_low", maybe_real(new.end.interval.map(|(low, _)| low))),
        ("ci_high", maybe_real(new.end.interval.map(|(_, high)| high))),
        ("n", whole(new.end.n)),
        ("rank_class", whole(class)),
        ("rank_score", maybe_real(Some(score))),
        ("scores", json(&scores_of(&new.end.scores))),
        ("scoring_rev", whole(new.scoring_rev)),
    ]);
    let usage = &new.usage;
    let counted = Columns([
        ("paid_in", whole(usage.paid.input)),
        ("paid_out", whole(usage.paid.output)),
        ("paid_nano", maybe_whole(usage.paid_cost.map(NanoDollars::nanos))),
        ("calls", whole(usage.calls)),
        ("saved", whole(usage.saved)),
    ]);
    let sql = format!("UPDATE run SET {}, {}, {REPLACED}", columns.assignments(3), counted.increments(11));
    let values = counted.values(columns.values([id(new.run.bits()), whole(new.version)]));
    let row = session.one(&sql, values).await?;
    let metrics = row.map(|row| metric_rows(Row(&row), new.run, &new.end));
    metrics.transpose()
}

async fn replace_rows<C: ConnectionTrait>(session: Session<'_, C>, new: &NewScores) -> Result<(), DbErr> {
    let run = || id(new.run.bits());
    match &new.replaced {
        ReplacedScores::All => {
            session.execute("DELETE FROM score WHERE run_id = $1", vec![run()]).await?;
        }
        ReplacedScores::Of { scorers, sample } => {
            let sql = "DELETE FROM score WHERE run_id = $1 AND scorer_no = $2 AND ($3 IS NULL OR sample_index = $3)";
            for scorer in scorers {
                session.execute(sql, vec![run(), whole(*scorer), maybe_whole(*sample)]).await?;
            }
        }
    }
    let rows = new.rows.iter().map(|row| score_row(new.run, row));
    session.insert_rows("score", rows.collect(), "").await?;
    let sql = "UPDATE block SET scores = $3 WHERE run_id = $1 AND no = $2";
    for (no, scores) in &new.blocks {
        let scores = scores.iter().flat_map(|score| score.to_le_bytes()).collect();
        session.execute(sql, vec![run(), whole(*no), bytes(scores)]).await?;
    }
    Ok(())
}

async fn insert_rating<C: ConnectionTrait>(session: Session<'_, C>, new: &NewScores) -> Result<(), DbErr> {
    let Some(new_rating) = &new.rating else { return Ok(()) };
    let rating = &new_rating.rating;
    let (kind, scorer, value, metadata) = rating_columns(&rating.value);
    let columns = Columns([
        ("id", id(new_rating.id)),
        ("run_id", id(new.run.bits())),
        ("sample_index", maybe_whole(rating.sample)),
        ("by_whom", text(rating.by.as_str())),
        ("kind", text(kind)),
        ("scorer_name", maybe_text(scorer)),
        ("value", maybe_real(Some(value))),
        ("metadata", maybe_json(&metadata)),
        ("comment", maybe_text(rating.comment.as_ref().map(|text| text.replace('\0', "\u{fffd}")))),
    ]);
    let (sql, values) = columns.insert("rating");
    session.execute(&sql, values).await.map(drop)
}
