//! Computes the standings of boards whose runs have changed, for all who read them.
//!
//! Which boards have changed stands in the database, so that a process that is lost with this work leaves it to the others.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use domain::id::{ExperimentId, RunId, SweepId};
use domain::leaderboard::{COMPARED, Contender, standings};
use futures::FutureExt as _;
use futures::future::select;

use super::Engine;
use crate::ports::{
    ExperimentFacts, RankedRun, ScoreVector, Standings, StandingsClaim, StoreError, offloaded,
};

/// How long a process has a board to itself while it computes the standings.
const LEASE: Duration = Duration::from_secs(3);
/// The least time between two computations of one board.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// The most time between two computations of a board that changes, whatever the clock says that the last one took.
const MAX_INTERVAL: Duration = Duration::from_mins(1);
/// The share of time that may go into one board: one part in so many.
const SHARE_OF_TIME: u32 = 4;
/// How often to poll for changed boards if the bell does not ring.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// The least time between two polls.
const MIN_POLL_GAP: Duration = Duration::from_millis(100);
/// Runs of a board whose ranks are kept.
const RANKED: usize = 500;

impl Engine {
    /// Computes standings until the engine has stopped and holds no run. Where it works for one sweep only, whoever waits
    /// for that reads them next: then they are computed once more, unless the database does not answer.
    pub(super) async fn keep_standings(&self) {
        self.until_ended(self.follow_boards()).await;
        if let Some(sweep) = self.settings.only {
            select(pin!(self.compute_last(sweep)), self.ports.timer.sleep(LEASE)).await;
        }
    }

    async fn compute_last(&self, sweep: SweepId) {
        match self.ports.sweeps.sweep(sweep).await {
            Ok(Some(sweep)) => self.compute_standings(Some(sweep.experiment)).await,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "standings could not be computed"),
        }
    }

    async fn follow_boards(&self) {
        loop {
            let seen = self.ports.bell.rings();
            self.compute_standings(None).await;
            self.ports.timer.sleep(MIN_POLL_GAP).await;
            let mut rung = self.ports.bell.rung_after(seen).fuse();
            let mut look = self.ports.timer.sleep(POLL_EVERY).fuse();
            futures::select! { _ = rung => {}, () = look => {} }
        }
    }

    /// Computes the standings of all boards that have changed, or `at_once` those of one.
    async fn compute_standings(&self, at_once: Option<ExperimentId>) {
        loop {
            let computed = match self.ports.standings.claim_standings(LEASE, at_once).await {
                Ok(None) => return,
                Ok(Some(claim)) => self.compute(claim).await,
                Err(error) => Err(error),
            };
            if let Err(error) = computed {
                tracing::warn!(%error, "standings could not be computed; they will be tried again");
                return;
            }
        }
    }

    async fn compute(&self, claim: StandingsClaim) -> Result<(), StoreError> {
        let begun = self.ports.clock.now();
        let Some(facts) = self.ports.facts.facts(claim.experiment).await? else { return Ok(()) };
        let ranked = self.ports.standings.ranked(claim.experiment, RANKED).await?;
        let compared = compared(&ranked);
        let vectors = self.ports.runs.vectors(&compared).await?;
        let computed = offloaded(&*self.ports.offload, move || stand(&facts, &ranked, vectors)).await;
        let computed =
            computed.ok_or_else(|| StoreError::Unavailable("computing standings broke down".to_owned()))?;
        let took = self.ports.clock.now().since(begun);
        let rest = MIN_INTERVAL.max(took * (SHARE_OF_TIME - 1)).min(MAX_INTERVAL);
        self.ports.standings.put_standings(claim, computed, rest).await
    }
}

/// The runs that are compared with each other: the first ones, and the first partial ones, which the leader puts in their
/// places.
fn compared(ranked: &[RankedRun]) -> Vec<RunId> {
    let behind = ranked.iter().skip(COMPARED).filter(|run| run.partial).take(COMPARED);
    ranked.iter().take(COMPARED).chain(behind).map(|run| run.run).collect()
}

fn stand(facts: &ExperimentFacts, ranked: &[RankedRun], vectors: Vec<ScoreVector>) -> Standings {
    let contenders = vectors.into_iter().map(|vector| {
        let mut scores = vector.scores;
        scores.resize(facts.samples as usize, f64::NAN);
        Contender { run: vector.run, scores, repeats: facts.repeats }
    });
    let contenders: Vec<Contender> = contenders.collect();
    let known: HashSet<RunId> = contenders.iter().map(|contender| contender.run).collect();
    let others = ranked.iter().filter(|run| !known.contains(&run.run));
    let (partial, whole): (Vec<&RankedRun>, Vec<&RankedRun>) = others.partition(|run| run.partial);
    let means: Vec<f64> = whole.iter().filter_map(|run| run.score).collect();
    let compared = standings(&contenders, &means);
    let first = compared.iter().filter(|standing| !standing.partial).map(|standing| standing.run);
    let shifted = compared.iter().filter(|standing| standing.partial).map(|standing| standing.run);
    let order = first.chain(whole.iter().map(|run| run.run)).chain(shifted);
    let order = order.chain(partial.iter().map(|run| run.run)).collect();
    Standings { compared, order }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::id::{ProjectId, SampleSetId};

    use super::*;
    use crate::ports::{ExperimentForm, Outline};

    fn ranked(run: u128, score: f64, partial: bool) -> RankedRun {
        RankedRun { run: RunId::new(run), score: Some(score), partial }
    }

    fn facts(samples: u32) -> ExperimentFacts {
        ExperimentFacts {
            id: ExperimentId::new(1),
            project: ProjectId::new(1),
            sample_set: SampleSetId::new(1),
            samples,
            repeats: 1,
            form: ExperimentForm { revision: 1, scoring_rev: 1 },
            outline: Arc::new(Outline::default()),
        }
    }

    #[test]
    fn far_down_the_board_only_partial_runs_are_compared() {
        let whole = (0..200).map(|n| ranked(n, 1.0 - n as f64 / 1e3, false));
        let partial = (200..300).map(|n| ranked(n, 0.9, true));
        let compared = compared(&whole.chain(partial).collect::<Vec<_>>());
        let expected = (0..50).chain(200..250).map(RunId::new);
        assert!(compared.into_iter().eq(expected));
    }

    #[test]
    fn the_order_holds_every_ranked_run_once_and_partial_ones_where_they_belong() {
        let vector =
            |run: u128, scores: &[f64]| ScoreVector { run: RunId::new(run), scores: scores.to_vec() };
        let vectors = vec![
            vector(1, &[0.9, 0.8, 0.7, 0.9]),
            vector(3, &[0.2, f64::NAN, f64::NAN, f64::NAN]),
            vector(4, &[0.8]),
        ];
        let board =
            [ranked(1, 0.825, false), ranked(2, 0.5, false), ranked(3, 0.9, true), ranked(4, 0.8, true)];
        let found = stand(&facts(4), &board, vectors);
        assert_eq!(found.order, [1, 2, 4, 3].map(RunId::new));
        assert_eq!(found.compared.len(), 3);
    }
}
