//! Replays the decisions of a guide from the logs of a sweep.

use application::ports::{ExperimentStore as _, OutcomeLog as _, StoredDecision, SweepStore as _};
use domain::id::ExperimentId;
use domain::run::RunStatus;
use domain::strategy::{BlockOutcome, Guide as _, History, Proposal, Step, TrialChange, Trials};
use persistence::Stores;
use promptlooper_tests::support::racing::Halving;

use super::SAMPLES;

/// Checks that the guide decides the same again when it is shown the trials according to the logs.
pub(super) async fn assert_replays(stores: &Stores, experiment: &str) {
    let experiment: ExperimentId = experiment.parse().unwrap();
    let sweep = stores.latest(experiment).await.unwrap().unwrap();
    let definition = stores.of_sweep(sweep.id).await.unwrap().unwrap().definition;
    let decisions = stores.decisions(sweep.id).await.unwrap();
    let outcomes = stores.outcomes(sweep.id, 0, 10_000).await.unwrap();
    assert_eq!(decisions.iter().map(|decision| decision.ask).max(), Some(sweep.asks - 1));
    for ask in 0..sweep.asks {
        let trials = shown(&decisions, &outcomes, ask);
        let history = History {
            space: definition.space(),
            samples: SAMPLES,
            seed: sweep.seed,
            asked: trials.as_slice().len() as u64,
            limit: None,
            trials: trials.as_slice(),
        };
        let Proposal::Steps(mut steps) = Halving.propose(&history, usize::MAX) else { panic!("ask {ask}") };
        steps.sort_by_key(trial_of);
        let decided = decisions.iter().filter(|decision| decision.ask == ask);
        let stored: Vec<_> = decided.map(|decision| (decision.trial, &decision.change)).collect();
        assert_eq!(steps.len(), stored.len(), "ask {ask}");
        for (step, (trial, change)) in steps.iter().zip(stored) {
            assert!(trial_of(step) == trial && is_stored(step, change), "ask {ask}: {step:?} was {change:?}");
        }
    }
}

/// The trials that the guide saw for a decision.
fn shown(decisions: &[StoredDecision], outcomes: &[BlockOutcome], ask: u64) -> Trials {
    let seen = decisions.iter().find(|decision| decision.ask == ask).unwrap().seen;
    let mut trials = Trials::default();
    for decision in decisions.iter().filter(|decision| decision.ask < ask) {
        trials.decided(decision.trial, decision.change.clone()).unwrap();
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.seq <= seen) {
        trials.told(outcome).unwrap();
    }
    trials
}

fn is_stored(step: &Step, change: &TrialChange) -> bool {
    match (step, change) {
        (Step::Evaluate(work), TrialChange::Begin { point, up_to, .. }) => {
            (&work.point, &work.up_to) == (point, up_to)
        }
        (Step::Evaluate(work), TrialChange::Extend { up_to }) => work.up_to == *up_to,
        (Step::Prune { .. }, TrialChange::End(status)) => *status == RunStatus::Pruned,
        (Step::Complete { .. }, TrialChange::End(status)) => *status == RunStatus::Completed,
        _ => false,
    }
}

fn trial_of(step: &Step) -> u64 {
    match step {
        Step::Evaluate(work) => work.trial,
        Step::Complete { trial } | Step::Prune { trial, .. } => *trial,
    }
}
