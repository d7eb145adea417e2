//! Stores ratings of runs, with the scores that follow from them.

use std::sync::Arc;

use domain::access::Writer;
use domain::event::{EventType, NewEvent};
use domain::id::RunId;
use domain::scoring::rating::Rating;
use domain::value::Value;
use thiserror::Error;

use super::super::Engine;
use super::super::caller::Blocked;
use super::run::ScoringScope;
use crate::ports::{Commit, CommitError, NewRating, ScoredRun, StoreError};

/// How often a rating is tried while others change the scores of the same run.
const TRIES: u32 = 50;

/// Why a rating was not stored.
#[derive(Debug, Error)]
pub enum RatingRefusal {
    /// The run has not ended, or has no output to rate.
    #[error("the run has no outputs to rate")]
    NotRatable,
    /// The run has no such sample.
    #[error("the run has no such sample")]
    NoSample,
    /// Others keep changing the scores of the run.
    #[error("others keep changing the scores of this run")]
    Busy,
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Stores a rating of an ended run, with the scores that follow from it.
    ///
    /// # Errors
    /// Where the run cannot be rated; nothing is stored then.
    pub async fn rate(
        self: &Arc<Self>,
        by: &Writer,
        run: RunId,
        rating: Rating,
    ) -> Result<(), RatingRefusal> {
        let new = NewRating { id: self.ports.ids.next(), rating };
        for _ in 0..TRIES {
            let scored = self.ports.rescorings.scored_run(run).await?.ok_or(RatingRefusal::NotRatable)?;
            let commit = self.rated(by, scored, &new).await?;
            match self.ports.journal.commit(commit).await {
                Ok(_) => {
                    self.ports.bell.ring();
                    return Ok(());
                }
                Err(CommitError::Store(error)) => return Err(error.into()),
                // The scores have changed since they were read.
                Err(CommitError::Conflict | CommitError::SweepActive) => {}
            }
        }
        Err(RatingRefusal::Busy)
    }

    /// What a rating changes. Scores of another revision are left to the rescoring, which then finds the rating.
    async fn rated(
        self: &Arc<Self>,
        by: &Writer,
        run: ScoredRun,
        new: &NewRating,
    ) -> Result<Commit, RatingRefusal> {
        let Some(loaded) = self.load(run.experiment, run.form).await? else {
            return Err(RatingRefusal::NotRatable);
        };
        let Rating { sample, value, .. } = &new.rating;
        let order = loaded.order(0..run.done).unwrap_or_default();
        if sample.is_some_and(|sample| !order.contains(&sample)) {
            return Err(RatingRefusal::NoSample);
        }
        let concerned = loaded.rated_scorers(value.scorer());
        let only = if run.scoring_rev == loaded.form().scoring_rev { concerned } else { Vec::new() };
        let data = [
            ("run_id", Value::from(run.id.to_string())),
            ("scorer_name", Value::from(value.scorer())),
            ("value", Value::number(value.score().value())),
            ("sample_index", sample.map_or(Value::Null, Value::from)),
        ];
        let event = NewEvent::new(run.experiment, EventType::ScoreAdded, data).by(Some(by));
        let scope = ScoringScope { claim: None, only: Some(&only), sample: *sample, rating: Some(new) };
        match self.new_scores(run, scope).await {
            Ok(Some(scores)) => Ok(Commit { scores: Some(scores), events: vec![event], ..Commit::default() }),
            Err(Blocked::Store(error)) => Err(error.into()),
            Ok(None) | Err(_) => Err(RatingRefusal::NotRatable),
        }
    }
}
