//! Atomic commits, repeated commits, and lost workers.

use std::time::Duration;

use application::ports::{
    CallClaim, CallStore, Claim, Commit, CommitError, ExperimentStore, Journal, Launch, NewSweep,
    Reservation, RunClaim, RunStore, SingleRun, SweepMove, SweepStore, WorkerStore,
};
use domain::event::{EventType, NewEvent};
use domain::id::{RunId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::run::{ErrorKind, RunEnd, RunError};
use domain::sweep::{PauseReason, SweepKind, SweepLimits, SweepStatus};
use promptlooper_tests::support::home::Kind;

use super::fixture::*;

on_both! {
    a_unit_of_several_parts_lands_whole_or_not_at_all,
    repeated_commits_count_once,
    changed_experiments_refuse_what_was_checked_before,
    calls_lost_with_their_worker_are_charged,
    runs_that_workers_are_lost_on_are_executed_alone,
    runs_that_make_progress_are_not_blamed_for_lost_workers,
    no_worker_is_considered_dead_right_after_an_outage,
    of_equal_configurations_one_is_listed,
}

fn event(fixture: &Fixture) -> Vec<NewEvent> {
    vec![NewEvent::new(fixture.experiment, EventType::CacheHit, [])]
}

async fn pause(fixture: &Fixture) -> SweepMove {
    let stored = SweepStore::sweep(&fixture.stores, fixture.sweep).await.unwrap().unwrap();
    SweepMove {
        sweep: fixture.sweep,
        experiment: fixture.experiment,
        version: stored.version,
        status: SweepStatus::Paused(PauseReason::Manual),
        recall: false,
        cancel: false,
        limits: None,
    }
}

async fn a_unit_of_several_parts_lands_whole_or_not_at_all(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1]).await;
    let lost = fixture.stores.claim_runs(fixture.worker, 1, Duration::from_millis(1)).await.remove(0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let held = fixture.stores.claim_runs(live(&fixture.stores).await, 1, LEASE).await.remove(0);
    let told = fixture.number("SELECT count(*) AS n FROM event").await;

    // The move alone would succeed; the block is from a worker that has lost the run.
    let commit = Commit {
        moved: Some(pause(&fixture).await),
        block: Some(fixture.block(lost.lease, 1)),
        events: event(&fixture),
        ..Commit::default()
    };
    assert_eq!(fixture.stores.commit(commit.clone()).await, Err(CommitError::Conflict));
    let sweep = SweepStore::sweep(&fixture.stores, fixture.sweep).await.unwrap().unwrap();
    assert_eq!((sweep.status, sweep.version), (SweepStatus::Running, pause(&fixture).await.version));
    assert_eq!(fixture.number("SELECT count(*) AS n FROM event").await, told);

    // The block alone would succeed; the move has an old version.
    let stale = SweepMove { version: sweep.version - 1, ..pause(&fixture).await };
    let block = Some(fixture.block(held.lease, 1));
    let commit =
        Commit { moved: Some(stale), block: block.clone(), events: event(&fixture), ..Commit::default() };
    assert_eq!(fixture.stores.commit(commit).await, Err(CommitError::Conflict));
    assert_eq!(fixture.number("SELECT count(*) AS n FROM block").await, 0);
    assert_eq!(fixture.stores.totals(fixture.sweep).await.unwrap().samples, 0);

    // Both are valid, and are committed together with other requests.
    let commit =
        Commit { moved: Some(pause(&fixture).await), block, events: event(&fixture), ..Commit::default() };
    let other = Commit { events: event(&fixture), ..Commit::default() };
    let (landed, beside) =
        futures::future::join(fixture.stores.commit(commit), fixture.stores.commit(other)).await;
    assert!(landed.is_ok() && beside.is_ok(), "{landed:?} {beside:?}");
    assert_eq!(fixture.number("SELECT count(*) AS n FROM event").await, told + 2);
    assert_eq!(fixture.stores.totals(fixture.sweep).await.unwrap().samples, 1);
}

async fn repeated_commits_count_once(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let stored = fixture.stores.conduct(fixture.worker, LEASE, None).await.unwrap().remove(0);
    let launch = Launch { new: vec![fixture.run(1, 0), fixture.run(2, 1)], ..fixture.decision(&stored) };
    let commit = Commit { launch: Some(launch), ..Commit::default() };
    fixture.stores.commit(commit.clone()).await.unwrap();
    assert_eq!(fixture.stores.commit(commit).await, Err(CommitError::Conflict));
    let stored = SweepStore::sweep(&fixture.stores, fixture.sweep).await.unwrap().unwrap();
    assert_eq!((stored.asked, stored.duplicates), (2, 0));

    let run = fixture.stores.claim_runs(fixture.worker, 1, LEASE).await.remove(0);
    let commit =
        Commit { block: Some(fixture.block(run.lease, 2)), events: event(&fixture), ..Commit::default() };
    fixture.stores.commit(commit.clone()).await.unwrap();
    assert_eq!(fixture.stores.commit(commit).await, Err(CommitError::Conflict));
    let run = RunStore::run(&fixture.stores, run.lease.run).await.unwrap().unwrap();
    assert_eq!((run.done, run.tokens.input), (2, 3));
    assert_eq!(fixture.stores.totals(fixture.sweep).await.unwrap().samples, 2);
    assert_eq!(fixture.number("SELECT count(*) AS n FROM event WHERE type = 'cache.hit'").await, 1);
}

async fn changed_experiments_refuse_what_was_checked_before(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (config_hash, config) = (hash(1), fixture.run(1, 0).config);
    let single = |revision| SingleRun {
        id: RunId::new(7),
        experiment: fixture.experiment,
        revision,
        config_hash,
        config: config.clone(),
        asked: 3,
    };
    let refused = Commit { single: Some(single(9)), events: event(&fixture), ..Commit::default() };
    assert_eq!(fixture.stores.commit(refused).await, Err(CommitError::Conflict));
    let known = fixture.stores.experiment(fixture.experiment).await.unwrap().unwrap().revision;
    fixture.stores.commit(Commit { single: Some(single(known)), ..Commit::default() }).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) AS n FROM run").await, 1);

    let stop = SweepMove { status: SweepStatus::Stopped, ..pause(&fixture).await };
    fixture.stores.commit(Commit { moved: Some(stop), ..Commit::default() }).await.unwrap();
    let begin = |revision| NewSweep {
        id: SweepId::new(8),
        experiment: fixture.experiment,
        revision,
        kind: SweepKind::Random,
        seed: 1,
        limits: SweepLimits::default(),
    };
    let refused = Commit { begin: Some(begin(known + 1)), events: event(&fixture), ..Commit::default() };
    assert_eq!(fixture.stores.commit(refused).await, Err(CommitError::Conflict));
    assert_eq!(
        fixture.number("SELECT count(*) AS n FROM sweep").await,
        1,
        "a sweep was stored that was refused"
    );
    fixture.stores.commit(Commit { begin: Some(begin(known)), ..Commit::default() }).await.unwrap();
}

async fn calls_lost_with_their_worker_are_charged(kind: Kind) {
    let limits = SweepLimits { max_tokens: Some(100), ..SweepLimits::default() };
    let fixture = Fixture::new(kind, limits).await;
    let wish = |n, tokens| {
        let reserve = Some(Reservation { tokens, cost: NanoDollars::ZERO });
        CallClaim { reserve, ..fixture.claim(n) }
    };
    let doomed = live(&fixture.stores).await;
    assert_eq!(fixture.stores.claim_calls(vec![wish(1, 60)], doomed).await, [Claim::Yours]);
    fixture.stores.register(doomed, Duration::from_millis(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    // It may have been sent and billed: a reservation of another 60 does not fit.
    let again = fixture.stores.claim_calls(vec![wish(1, 60)], fixture.worker).await;
    assert_eq!(again, [Claim::NoBudget { open: false }]);
    let totals = fixture.stores.totals(fixture.sweep).await.unwrap();
    assert_eq!((totals.unknown, totals.unknown_tokens), (1, 60));

    // The same if the outcome of a call is unknown.
    assert_eq!(fixture.stores.claim_calls(vec![wish(2, 30)], fixture.worker).await, [Claim::Yours]);
    fixture.stores.charge(hash(2), fixture.worker).await.unwrap();
    let totals = fixture.stores.totals(fixture.sweep).await.unwrap();
    assert_eq!((totals.unknown, totals.unknown_tokens), (2, 90));
    let again = fixture.stores.claim_calls(vec![wish(2, 30)], fixture.worker).await;
    assert_eq!(again, [Claim::NoBudget { open: false }]);
}

/// Claims a run, and is lost with it.
async fn lose(fixture: &Fixture, alone: bool) -> Vec<application::ports::ClaimedRun> {
    let by = live(&fixture.stores).await;
    let claim = RunClaim { by, want: 8, lease: Duration::from_millis(1), only: None, alone };
    let claimed = RunStore::claim(&fixture.stores, claim).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    claimed
}

async fn runs_that_workers_are_lost_on_are_executed_alone(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1]).await;
    for _ in 0..3 {
        assert_eq!(lose(&fixture, true).await.len(), 0, "it is not suspected yet");
        assert_eq!(lose(&fixture, false).await.len(), 1);
    }
    assert_eq!(lose(&fixture, false).await.len(), 0, "it is executed beside others");
    for losses in 0..=3 {
        let run = lose(&fixture, true).await.remove(0);
        assert_eq!((run.losses_alone, run.alone), (losses, true));
    }
}

async fn runs_that_make_progress_are_not_blamed_for_lost_workers(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let run = fixture.launch(&[1]).await.remove(0);
    // Each process stored something new of it before it was lost.
    for n in 1..6 {
        assert_eq!(lose(&fixture, false).await.len(), 1, "after {n} processes");
        let calls = application::ports::Settlement { fills: vec![fixture.fill(n, run)], failures: vec![] };
        fixture.stores.settle(calls).await.unwrap();
    }
    // These did not, and the next ones were waiting for the endpoint.
    for _ in 0..3 {
        assert_eq!(lose(&fixture, false).await.len(), 1);
    }
    for n in 0..5 {
        let by = WorkerId::new(1000 + n);
        fixture.stores.register(by, LEASE).await.unwrap();
        let claim = RunClaim { by, want: 8, lease: Duration::from_millis(1), only: None, alone: true };
        let run = RunStore::claim(&fixture.stores, claim).await.unwrap().remove(0);
        assert_eq!(run.losses_alone, 0);
        assert_eq!(fixture.claimed(100 + u8::try_from(n).unwrap(), by).await, Claim::Yours);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A run that was released was not lost.
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1]).await;
    for _ in 0..5 {
        let run = fixture.stores.claim_runs(fixture.worker, 1, LEASE).await.remove(0);
        RunStore::release(&fixture.stores, run.lease, Duration::ZERO).await.unwrap();
    }
}

async fn no_worker_is_considered_dead_right_after_an_outage(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1]).await;
    let short = Duration::from_millis(300);
    let (one, other) = (live(&fixture.stores).await, live(&fixture.stores).await);
    for worker in [one, other] {
        fixture.stores.register(worker, short).await.unwrap();
    }
    let held = fixture.stores.claim_runs(one, 1, short).await.remove(0);
    assert_eq!(fixture.claimed(1, one).await, Claim::Yours);
    // No heartbeat arrives for longer than a lease; then the other worker's is the first.
    tokio::time::sleep(Duration::from_millis(400)).await;
    fixture.stores.beat(other, &[], short).await.unwrap();
    assert!(fixture.stores.claim_runs(other, 1, short).await.is_empty(), "the run was taken");
    assert_eq!(fixture.claimed(1, other).await, Claim::Busy, "the call was taken");
    assert!(fixture.stores.beat(one, &[held.lease], short).await.unwrap().lost.is_empty());
    // A worker that has not renewed its lease by then is considered dead.
    tokio::time::sleep(Duration::from_millis(200)).await;
    fixture.stores.beat(other, &[], short).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fixture.stores.claim_runs(other, 1, short).await.len(), 1);
    assert_eq!(fixture.claimed(1, other).await, Claim::Yours);
}

async fn of_equal_configurations_one_is_listed(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let config = fixture.run(1, 0).config;
    let revision = fixture.stores.experiment(fixture.experiment).await.unwrap().unwrap().revision;
    for n in 1..=8 {
        let (id, experiment) = (RunId::new(n), fixture.experiment);
        let single =
            SingleRun { id, experiment, revision, config_hash: hash(1), config: config.clone(), asked: 1 };
        fixture.stores.commit(Commit { single: Some(single), ..Commit::default() }).await.unwrap();
    }
    let claimed = fixture.stores.claim_runs(fixture.worker, 8, LEASE).await;
    assert_eq!(claimed.len(), 8);
    let ends = claimed.iter().map(|run| {
        let mut block = fixture.block(run.lease, 1);
        block.sweep = None;
        let error = RunError { kind: ErrorKind::Internal, message: "x".into(), stage: None, sample: None };
        let failed = RunEnd::failed(error);
        let end = RunEnd { kind: domain::run::EndKind::Completed, score: Some(0.5), ..failed };
        block.ending = Some(end.into());
        fixture.stores.commit(Commit { block: Some(block), ..Commit::default() })
    });
    for ended in futures::future::join_all(ends).await {
        ended.unwrap();
    }
    assert_eq!(fixture.number("SELECT count(*) AS n FROM run WHERE listed = 1").await, 1);
}
