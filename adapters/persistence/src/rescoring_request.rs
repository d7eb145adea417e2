//! Asks for the runs of an experiment to be scored again.

use domain::id::ExperimentId;
use sea_orm::{ConnectionTrait, DbErr};

use crate::dialect::{Session, id, maybe_text};

/// An experiment's scoring is another from now on.
const REVISED: &str = "UPDATE experiment SET scoring_rev = scoring_rev + 1 WHERE id = $1";

/// Asks for an experiment's runs to be scored again; a rescoring that goes on takes it in.
const ASK: &str = "INSERT INTO rescoring (experiment_id, leader, by_whom) SELECT e.id, \
     (SELECT id FROM run WHERE experiment_id = $1 AND listed = 1 ORDER BY rank_class DESC, rank_score DESC, id LIMIT 1), \
     CAST($2 AS text) FROM experiment e WHERE e.id = $1 AND EXISTS (SELECT 1 FROM run WHERE experiment_id = $1) \
     ON CONFLICT (experiment_id) DO UPDATE SET requests = rescoring.requests + 1, \
     by_whom = COALESCE(excluded.by_whom, rescoring.by_whom)";

/// Makes the scoring of an experiment another, and asks for its runs to be scored again.
pub(crate) async fn revise<C: ConnectionTrait>(
    session: Session<'_, C>,
    experiment: ExperimentId,
    by: String,
) -> Result<(), DbErr> {
    session.execute(REVISED, vec![id(experiment.bits())]).await?;
    ask(session, experiment, Some(by)).await
}

/// Asks for an experiment's runs to be scored again, as of the revision that it has now.
pub(crate) async fn ask<C: ConnectionTrait>(
    session: Session<'_, C>,
    experiment: ExperimentId,
    by: Option<String>,
) -> Result<(), DbErr> {
    session.execute(ASK, vec![id(experiment.bits()), maybe_text(by)]).await.map(drop)
}
