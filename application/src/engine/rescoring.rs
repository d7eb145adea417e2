//! Scores ended runs again whose experiment is scored otherwise since, from what is stored, without a call of their
//! pipelines. Which experiments are to be scored again stands in the database, so that a process that is lost with this work
//! leaves it to the others.

mod outputs;
mod ratings;
mod run;
mod scores;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::event::{EventType, NewEvent};
use domain::id::{ExperimentId, RunId};
use domain::value::{Map, Value};
use futures::future::{Either, FutureExt as _, join_all, select};

pub use self::ratings::RatingRefusal;
use self::run::ScoringScope;
use super::Engine;
use super::caller::Blocked;
use crate::ports::{Commit, CommitError, RescoringClaim, RescoringEnd, ScoredRun, StoreError};

/// How often to poll for rescorings if the bell does not ring.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// Runs that are scored side by side, so that their commits share transactions.
const RUNS_AT_ONCE: usize = 8;
/// How long a rescoring rests that was interrupted.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a rescoring stops before its end.
enum Interrupted {
    /// Another process has it, or this one is stopping.
    Lost,
    Store(StoreError),
}

impl From<StoreError> for Interrupted {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Engine {
    /// Carries out rescorings until the engine has stopped.
    pub(super) async fn rescore(self: &Arc<Self>) {
        select(pin!(self.follow_rescorings()), self.stopped()).await;
    }

    async fn follow_rescorings(self: &Arc<Self>) {
        loop {
            let seen = self.ports.bell.rings();
            match self.ports.rescorings.claim_rescoring(self.worker, self.settings.lease).await {
                Ok(Some(claim)) => self.score_experiment(claim).await,
                Ok(None) => self.until_next_rescoring(seen).await,
                Err(error) => {
                    tracing::warn!(%error, "rescorings could not be looked for");
                    self.ports.timer.sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    async fn until_next_rescoring(&self, seen: u64) {
        let mut rung = self.ports.bell.rung_after(seen).fuse();
        let mut look = self.ports.timer.sleep(POLL_EVERY).fuse();
        futures::select! { _ = rung => {}, () = look => {} }
    }

    /// Scores all outdated runs of an experiment while the lease is renewed.
    async fn score_experiment(self: &Arc<Self>, claim: RescoringClaim) {
        let work = self.score_all(&claim);
        let ended = match select(pin!(work), pin!(self.keep_rescoring(&claim))).await {
            Either::Left((ended, _)) => ended,
            Either::Right(((), _)) => Err(Interrupted::Lost),
        };
        if let Err(Interrupted::Store(error)) = ended {
            tracing::warn!(%error, "a rescoring was interrupted; it will go on");
            self.ports.timer.sleep(RETRY_AFTER).await;
        }
        self.ports.bell.ring();
    }

    /// Renews the lease; returns once it is lost.
    async fn keep_rescoring(&self, claim: &RescoringClaim) {
        loop {
            self.ports.timer.sleep(self.settings.lease / 3).await;
            let renewed =
                self.ports.rescorings.renew_rescoring(claim.experiment, claim.epoch, self.settings.lease);
            match renewed.await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "the lease of a rescoring could not be renewed"),
            }
        }
    }

    async fn score_all(self: &Arc<Self>, claim: &RescoringClaim) -> Result<(), Interrupted> {
        let (mut after, mut done) = (None, claim.done);
        loop {
            let runs = self.ports.rescorings.outdated(claim.experiment, after, RUNS_AT_ONCE).await?;
            let Some(last) = runs.last().map(|run| run.id) else { break };
            for scored in join_all(runs.into_iter().map(|run| self.score_run(claim, run))).await {
                done += u64::from(scored?);
            }
            after = Some(last);
            self.tell(claim, progress(claim, done, false)).await?;
        }
        self.end_rescoring(claim, done).await
    }

    /// Scores one run again. A run that cannot be scored keeps the scores that it has: the others are not held up.
    async fn score_run(
        self: &Arc<Self>,
        claim: &RescoringClaim,
        run: ScoredRun,
    ) -> Result<bool, Interrupted> {
        let id = run.id;
        let scope = ScoringScope { claim: Some(claim), only: None, sample: None, rating: None };
        match self.new_scores(run, scope).await {
            Ok(Some(scores)) => {
                let commit = Commit { scores: Some(scores), ..Commit::default() };
                match self.ports.journal.commit(commit).await {
                    Ok(_) => Ok(true),
                    // The run's scores have changed meanwhile; it is still outdated, or up to date now.
                    Err(CommitError::Conflict | CommitError::SweepActive) => Ok(false),
                    Err(CommitError::Store(error)) => Err(error.into()),
                }
            }
            Ok(None) => Ok(false),
            Err(Blocked::Stopping) => Err(Interrupted::Lost),
            Err(Blocked::Store(StoreError::Unavailable(reason))) => {
                Err(StoreError::Unavailable(reason).into())
            }
            Err(blocked) => {
                tracing::warn!(run = %id, ?blocked, "a run could not be scored again");
                Ok(false)
            }
        }
    }

    async fn tell(&self, claim: &RescoringClaim, data: Map) -> Result<(), Interrupted> {
        let events = vec![event(claim, data)];
        match self.ports.journal.commit(Commit { events, ..Commit::default() }).await {
            Err(CommitError::Store(error)) => Err(error.into()),
            _ => {
                self.ports.bell.ring();
                Ok(())
            }
        }
    }

    /// Ends a rescoring that nobody has asked for again since it began, and says so, with the leader if it is another.
    async fn end_rescoring(&self, claim: &RescoringClaim, done: u64) -> Result<(), Interrupted> {
        let mut events = vec![event(claim, progress(claim, done, true))];
        events.extend(self.new_leader(claim.experiment, claim.leader).await?);
        let RescoringClaim { experiment, epoch, requests, .. } = *claim;
        let rescored = Some(RescoringEnd { experiment, epoch, requests });
        match self.ports.journal.commit(Commit { rescored, events, ..Commit::default() }).await {
            Err(CommitError::Store(error)) => Err(error.into()),
            // It was asked for again: it goes on.
            _ => Ok(()),
        }
    }

    /// The event that an experiment has another leader than this run.
    async fn new_leader(
        &self,
        experiment: ExperimentId,
        before: Option<RunId>,
    ) -> Result<Option<NewEvent>, StoreError> {
        let leader = self.ports.boards.leader(experiment).await?;
        let leader = leader.filter(|leader| !leader.partial && Some(leader.id) != before);
        Ok(leader.and_then(|leader| {
            let named = leader.scores.iter();
            let named = named.filter_map(|total| Some((total.name.clone(), Value::number(total.value?))));
            let data = [
                ("run_id", Value::from(leader.id.to_string())),
                ("score", Value::number(leader.score?)),
                ("scores", Value::Map(named.collect())),
                ("config", Value::Map(leader.values)),
            ];
            Some(NewEvent::new(experiment, EventType::NewBestFound, data))
        }))
    }
}

fn event(claim: &RescoringClaim, data: Map) -> NewEvent {
    let event = NewEvent::new(claim.experiment, EventType::ExperimentRescored, []);
    NewEvent { by: claim.by.clone(), data, ..event }
}

fn progress(claim: &RescoringClaim, done: u64, finished: bool) -> Map {
    let data = [
        ("runs", Value::from(claim.left.saturating_add(claim.done).max(done))),
        ("done", Value::from(done)),
        ("finished", Value::from(finished)),
    ];
    data.map(|(name, value)| (name.to_owned(), value)).into()
}
