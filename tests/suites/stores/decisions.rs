//! Runs that continue or end by decision, and the logs that decisions are based on.

use std::time::Duration;

use application::ports::{
    ClaimedRun, Commit, CommitError, DecidedEnd, Extension, Journal, Launch, OutcomeLog, RunEnding, RunStore,
    StoredSweep, SweepMove, SweepStore,
};
use domain::event::{EventType, NewEvent};
use domain::id::RunId;
use domain::run::tally::{CallCounts, Ending, Layout, ResumedScores, Tally};
use domain::run::{ErrorKind, RunEnd, RunError, RunState, RunStatus};
use domain::space::Point;
use domain::strategy::TrialChange;
use domain::sweep::SweepStatus;
use promptlooper_tests::support::home::Kind;

use super::fixture::*;

on_both! {
    a_run_with_all_requested_samples_rests,
    a_continued_run_is_ended_by_its_worker,
    a_run_may_go_on_while_it_is_executed,
    a_decision_ends_a_run,
    both_ways_to_end_a_run_give_the_same_results,
    a_decision_lands_whole_or_not_at_all,
    every_reader_of_the_logs_gets_the_same,
    a_stopped_sweep_leaves_no_run_resting,
}

/// The conductor's view of the fixture's sweep.
async fn conducted(fixture: &Fixture) -> StoredSweep {
    fixture.stores.conduct(fixture.worker, LEASE, None).await.unwrap().remove(0)
}

async fn decide(fixture: &Fixture, of: impl FnOnce(Launch) -> Launch) -> Result<Vec<u64>, CommitError> {
    let launch = of(fixture.decision(&conducted(fixture).await));
    let commit = Commit { launch: Some(launch), ..Commit::default() };
    fixture.stores.commit(commit).await.map(|receipt| receipt.duplicates)
}

/// Begins trials that take two of three samples first.
async fn race(fixture: &Fixture, configs: &[u8]) -> Vec<RunId> {
    let asked = conducted(fixture).await.asked;
    let new = configs.iter().zip(asked..).map(|(n, trial)| {
        let run = fixture.run(*n, trial);
        application::ports::NewRun { asked: 2, is_final: false, ..run }
    });
    let new: Vec<_> = new.collect();
    let ids = new.iter().map(|run| run.id).collect();
    decide(fixture, |launch| Launch { new, seen: 0, ..launch }).await.unwrap();
    ids
}

async fn claim(fixture: &Fixture) -> ClaimedRun {
    fixture.stores.claim_runs(fixture.worker, 1, LEASE).await.remove(0)
}

/// Stores the next samples of a run, up to a number, and possibly its end.
async fn work(fixture: &Fixture, run: &ClaimedRun, upto: u32, end: Option<RunEnd>) {
    let mut block = fixture.block(run.lease, upto - run.done);
    (block.no, block.upto, block.ending) = (run.blocks, upto, end.map(RunEnding::from));
    fixture.stores.commit(Commit { block: Some(block), ..Commit::default() }).await.unwrap();
}

/// The end of a run, computed as its worker or its conductor does.
async fn end(fixture: &Fixture, run: RunId, ending: Ending) -> RunEnd {
    let resumed = fixture.stores.resumed(run).await.unwrap();
    let layout = Layout { scorers: &[], stages: &["s"], repeats: 2 };
    Tally::resume(0, resumed).end(layout, ending)
}

fn extension(run: RunId, trial: u64, asked: u32) -> Extension {
    Extension { trial, run, asked, is_final: asked == 3, why: "ahead".into() }
}

fn decided(run: RunId, done: u32, end: RunEnd) -> DecidedEnd {
    DecidedEnd { trial: 0, run, done, diff: Some(-0.25), ending: end.into() }
}

async fn totals(fixture: &Fixture) -> [u64; 4] {
    let totals = fixture.stores.totals(fixture.sweep).await.unwrap();
    [totals.running, totals.completed, totals.pruned, totals.cancelled]
}

async fn a_run_with_all_requested_samples_rests(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let id = race(&fixture, &[1]).await[0];
    let claimed = claim(&fixture).await;
    assert_eq!((claimed.asked, claimed.is_final), (2, false));
    work(&fixture, &claimed, 1, None).await;
    assert_eq!(fixture.number("SELECT count(*) AS n FROM run WHERE lease_owner IS NOT NULL").await, 1);
    let claimed = ClaimedRun { done: 1, blocks: 1, ..claimed };
    work(&fixture, &claimed, 2, None).await;
    let held = "SELECT count(*) AS n FROM run WHERE lease_owner IS NOT NULL OR lease_until IS NOT NULL";
    assert_eq!(fixture.number(held).await, 0, "somebody holds it");
    assert!(fixture.stores.claim_runs(fixture.worker, 5, LEASE).await.is_empty(), "it was claimed");
    let run = RunStore::run(&fixture.stores, id).await.unwrap().unwrap();
    assert_eq!((run.state, run.done), (RunState::Running, 2));
    assert_eq!(totals(&fixture).await, [1, 0, 0, 0]);
}

async fn a_continued_run_is_ended_by_its_worker(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let id = race(&fixture, &[1]).await[0];
    work(&fixture, &claim(&fixture).await, 2, None).await;
    decide(&fixture, |launch| Launch { extend: vec![extension(id, 0, 3)], ..launch }).await.unwrap();
    let claimed = claim(&fixture).await;
    assert_eq!((claimed.lease.run, claimed.asked, claimed.done, claimed.is_final), (id, 3, 2, true));
    assert_eq!(totals(&fixture).await, [1, 0, 0, 0], "going on is no start");
    let ended = end(&fixture, id, Ending::Completed { of: 3 }).await;
    work(&fixture, &claimed, 3, Some(ended)).await;
    assert_eq!(totals(&fixture).await, [0, 1, 0, 0]);
    let refused = decide(&fixture, |launch| Launch { extend: vec![extension(id, 0, 4)], ..launch }).await;
    assert_eq!(refused, Err(CommitError::Conflict), "a run that is over went on");
}

async fn a_run_may_go_on_while_it_is_executed(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let id = race(&fixture, &[1]).await[0];
    let claimed = claim(&fixture).await;
    decide(&fixture, |launch| Launch { extend: vec![extension(id, 0, 3)], ..launch }).await.unwrap();
    // The worker was given two samples. It releases the run, and another claim takes the third.
    work(&fixture, &claimed, 2, None).await;
    RunStore::release(&fixture.stores, claimed.lease, Duration::ZERO).await.unwrap();
    let again = claim(&fixture).await;
    assert_eq!((again.lease.run, again.done, again.asked, again.is_final), (id, 2, 3, true));
}

async fn a_decision_ends_a_run(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let id = race(&fixture, &[1]).await[0];
    work(&fixture, &claim(&fixture).await, 2, None).await;
    let pruned = end(&fixture, id, Ending::Pruned).await;
    let commit =
        Launch { end: vec![decided(id, 2, pruned.clone())], ..fixture.decision(&conducted(&fixture).await) };
    let commit = Commit { launch: Some(commit), ..Commit::default() };
    fixture.stores.commit(commit.clone()).await.unwrap();
    assert_eq!(fixture.stores.commit(commit).await, Err(CommitError::Conflict), "it was ended twice");
    let run = RunStore::run(&fixture.stores, id).await.unwrap().unwrap();
    assert_eq!((run.state.status(), run.asked, run.done), (RunStatus::Pruned, 2, 2));
    assert_eq!((run.score, run.interval, run.n), (pruned.score, pruned.interval, 2));
    assert_eq!((run.score, run.state.ended_at().is_some()), (Some(0.5), true));
    assert_eq!(totals(&fixture).await, [0, 0, 1, 0]);
}

async fn both_ways_to_end_a_run_give_the_same_results(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let ids = race(&fixture, &[1, 2]).await;
    let told = || Some(NewEvent::new(fixture.experiment, EventType::RunCompleted, []));
    let lead = || Some(NewEvent::new(fixture.experiment, EventType::NewBestFound, []));
    // The first run is ended by decision, the second by the worker that stores the same last sample.
    work(&fixture, &claim(&fixture).await, 2, None).await;
    let of = Ending::Completed { of: 2 };
    let completed = end(&fixture, ids[0], of).await;
    let ending = RunEnding { end: completed, completed: told(), lead: lead() };
    let decided = DecidedEnd { trial: 0, run: ids[0], done: 2, diff: None, ending };
    decide(&fixture, |launch| Launch { end: vec![decided], ..launch }).await.unwrap();
    let claimed = claim(&fixture).await;
    let mut block = fixture.block(claimed.lease, 2);
    let resumed = ResumedScores {
        vector: vec![0.5; 2],
        calls: CallCounts { paid: 1, hits: 0, saved: 0 },
        ..ResumedScores::default()
    };
    let layout = Layout { scorers: &[], stages: &["s"], repeats: 2 };
    let end = Tally::resume(0, resumed).end(layout, of);
    block.ending = Some(RunEnding { end, completed: told(), lead: None });
    fixture.stores.commit(Commit { block: Some(block), ..Commit::default() }).await.unwrap();

    let mut runs = Vec::new();
    for id in ids {
        let run = RunStore::run(&fixture.stores, id).await.unwrap().unwrap();
        let numbers = (run.state.status(), run.asked, run.done, run.score, run.interval, run.n);
        runs.push((numbers, run.scores, run.tokens, run.cost, run.latency_ms, run.state.error().cloned()));
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(totals(&fixture).await, [0, 2, 0, 0]);
    let billed = "SELECT count(*) AS n FROM event WHERE type = 'run.completed' AND CAST(payload AS text) LIKE '%duration_ms%'";
    assert_eq!(fixture.number(billed).await, 2, "the store adds what it knows to both");
    assert_eq!(fixture.number("SELECT count(*) AS n FROM event WHERE type = 'new_best_found'").await, 1);
}

async fn a_decision_lands_whole_or_not_at_all(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let ids = race(&fixture, &[1, 2]).await;
    work(&fixture, &claim(&fixture).await, 2, None).await;
    let pruned = end(&fixture, ids[0], Ending::Pruned).await;
    let ends = [
        decided(ids[0], 1, pruned.clone()), // Its run has more samples by now.
        decided(ids[1], 2, pruned.clone()), // Its samples are still under way.
    ];
    for wrong in ends {
        let launch = |launch| Launch {
            new: vec![fixture.run(3, 2)],
            extend: vec![extension(ids[0], 0, 3)],
            end: vec![wrong],
            ..launch
        };
        assert_eq!(decide(&fixture, launch).await, Err(CommitError::Conflict));
    }
    let smaller =
        |launch| Launch { new: vec![fixture.run(3, 2)], extend: vec![extension(ids[0], 0, 2)], ..launch };
    assert_eq!(decide(&fixture, smaller).await, Err(CommitError::Conflict), "it was asked for less");
    let stored = conducted(&fixture).await;
    assert_eq!((stored.asks, stored.asked), (1, 2));
    let left = "SELECT (SELECT count(*) FROM trial) + (SELECT count(*) FROM trial_step) + \
                (SELECT count(*) FROM run WHERE asked = 2 AND completed_at IS NULL) AS n";
    assert_eq!(fixture.number(left).await, 4, "a part of it landed");
    assert_eq!(totals(&fixture).await, [1, 0, 0, 0]);
}

async fn every_reader_of_the_logs_gets_the_same(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    // The third trial has the first one's configuration.
    let ids = race(&fixture, &[1, 2, 1]).await;
    work(&fixture, &claim(&fixture).await, 2, None).await;
    let broken = claim(&fixture).await;
    let error = RunError { kind: ErrorKind::Internal, message: "x".into(), stage: None, sample: None };
    let mut block = fixture.block(broken.lease, 0);
    block.ending = Some(RunEnd::failed(error).into());
    fixture.stores.commit(Commit { block: Some(block), ..Commit::default() }).await.unwrap();
    decide(&fixture, |launch| Launch { extend: vec![extension(ids[0], 0, 3)], seen: 2, ..launch })
        .await
        .unwrap();

    let decisions = fixture.stores.decisions(fixture.sweep).await.unwrap();
    let begin = |n, duplicate| {
        let point = Point::from(fixture.run(n, 0).config.values);
        TrialChange::Begin { point, up_to: 2, duplicate }
    };
    let each: Vec<_> = decisions.iter().map(|of| (of.ask, of.seen, of.trial, of.run, &of.change)).collect();
    assert_eq!(
        each,
        [
            (0, 0, 0, ids[0], &begin(1, false)),
            (0, 0, 1, ids[1], &begin(2, false)),
            (0, 0, 2, ids[0], &begin(1, true)),
            (1, 2, 0, ids[0], &TrialChange::Extend { up_to: 3 }),
        ]
    );
    let all = fixture.stores.outcomes(fixture.sweep, 0, 9).await.unwrap();
    let each: Vec<_> = all.iter().map(|of| (of.seq, of.trial, of.upto, of.scores.len(), of.end)).collect();
    assert_eq!(each, [(1, 0, 2, 2, None), (2, 1, 0, 0, Some(RunStatus::Failed))]);
    assert_eq!(fixture.stores.outcomes(fixture.sweep, 0, 1).await.unwrap(), all[..1]);
    assert_eq!(fixture.stores.outcomes(fixture.sweep, 1, 9).await.unwrap(), all[1..]);
    assert!(fixture.stores.outcomes(fixture.sweep, 2, 9).await.unwrap().is_empty());
}

async fn a_stopped_sweep_leaves_no_run_resting(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    race(&fixture, &[1, 2]).await;
    work(&fixture, &claim(&fixture).await, 2, None).await;
    let stop = SweepMove {
        sweep: fixture.sweep,
        experiment: fixture.experiment,
        version: conducted(&fixture).await.version,
        status: SweepStatus::Stopped,
        recall: false,
        cancel: true,
        limits: None,
    };
    fixture.stores.commit(Commit { moved: Some(stop), ..Commit::default() }).await.unwrap();
    assert_eq!(totals(&fixture).await, [0, 0, 0, 2]);
}
