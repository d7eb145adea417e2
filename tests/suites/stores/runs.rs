//! Runs, their claims, and the slots of workers.

use std::time::Duration;

use application::ports::{
    Claim, Commit, CommitError, Journal, RunStore, Settlement, SlotRequest, SlotStore, SweepMove, SweepStore,
    WorkerStore,
};
use domain::sweep::{PauseReason, SweepStatus};
use promptlooper_tests::support::home::Kind;

use super::fixture::*;

on_both! {
    slots_are_shared_among_live_workers,
    runs_are_claimed_once,
    runs_of_paused_sweeps_rest,
    a_worker_that_lost_a_run_cannot_write_to_it,
    equal_configurations_are_one_run,
}

async fn slots_are_shared_among_live_workers(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, endpoint) = (&fixture.stores, fixture.endpoint);
    let hold = async |worker, want, in_flight| {
        stores.hold(worker, endpoint, SlotRequest { concurrency: 8, want, in_flight }).await.unwrap()
    };
    let idle = live(stores).await;
    assert_eq!(hold(idle, 0, 0).await, 0);
    assert_eq!(hold(fixture.worker, 20, 0).await, 8, "nobody else wants any");
    let second = live(stores).await;
    assert_eq!(hold(second, 20, 0).await, 0, "nothing is left yet");
    assert_eq!(hold(fixture.worker, 20, 8).await, 4, "an even share");
    assert_eq!(hold(second, 20, 0).await, 0, "all are still in use");
    assert_eq!(hold(fixture.worker, 20, 5).await, 4);
    assert_eq!(hold(second, 20, 0).await, 3, "one is still in use");
    assert_eq!(hold(fixture.worker, 20, 4).await, 4);
    assert_eq!(hold(second, 20, 3).await, 4);
    assert_eq!(hold(second, 0, 1).await, 0);
    assert_eq!(hold(fixture.worker, 20, 4).await, 4, "the second has one in use");
    assert_eq!(hold(second, 0, 0).await, 0);
    assert_eq!(hold(fixture.worker, 20, 4).await, 8, "the second wants none");
    assert_eq!(hold(second, 20, 0).await, 0);
    stores.retire(second).await.unwrap();
    assert_eq!(hold(fixture.worker, 20, 8).await, 8);
}

async fn runs_are_claimed_once(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let ids = fixture.launch(&[1, 2, 3]).await;
    let second = live(&fixture.stores).await;
    let first = fixture.stores.claim_runs(fixture.worker, 2, LEASE).await;
    assert_eq!(first.iter().map(|run| run.lease.run).collect::<Vec<_>>(), ids[..2]);
    assert_eq!(first[0].config, fixture.run(1, 0).config);
    let rest = fixture.stores.claim_runs(second, 5, Duration::from_millis(1)).await;
    assert_eq!(rest.iter().map(|run| run.lease.run).collect::<Vec<_>>(), ids[2..]);
    assert_eq!(fixture.stores.totals(fixture.sweep).await.unwrap().running, 3);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let taken_over = fixture.stores.claim_runs(fixture.worker, 5, LEASE).await;
    assert_eq!((taken_over.len(), taken_over[0].lease.run, taken_over[0].lease.epoch), (1, ids[2], 2));
    assert_eq!(fixture.stores.totals(fixture.sweep).await.unwrap().running, 3, "a takeover is no start");
    let lost = fixture.stores.beat(second, &[rest[0].lease], LEASE).await.unwrap().lost;
    assert_eq!(lost, [rest[0].lease]);
    RunStore::release(&fixture.stores, taken_over[0].lease, Duration::from_millis(30)).await.unwrap();
    assert!(fixture.stores.claim_runs(second, 5, LEASE).await.is_empty(), "it is to rest");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(fixture.stores.claim_runs(second, 5, LEASE).await.len(), 1);
}

async fn runs_of_paused_sweeps_rest(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1]).await;
    let claimed = fixture.stores.claim_runs(fixture.worker, 1, LEASE).await;
    let stored = SweepStore::sweep(&fixture.stores, fixture.sweep).await.unwrap().unwrap();
    let pause = SweepMove {
        sweep: fixture.sweep,
        experiment: fixture.experiment,
        version: stored.version,
        status: SweepStatus::Paused(PauseReason::Manual),
        recall: true,
        cancel: false,
        limits: None,
    };
    fixture.stores.commit(Commit { moved: Some(pause.clone()), ..Commit::default() }).await.unwrap();
    assert!(fixture.stores.claim_runs(fixture.worker, 1, LEASE).await.is_empty());
    let late = Commit { block: Some(fixture.block(claimed[0].lease, 1)), ..Commit::default() };
    assert_eq!(
        fixture.stores.commit(late).await,
        Err(CommitError::Conflict),
        "a recalled run was written to"
    );
    let stop = SweepMove { version: pause.version + 1, status: SweepStatus::Stopped, cancel: true, ..pause };
    fixture.stores.commit(Commit { moved: Some(stop), ..Commit::default() }).await.unwrap();
    let totals = fixture.stores.totals(fixture.sweep).await.unwrap();
    assert_eq!((totals.cancelled, totals.running), (1, 0));
}

async fn a_worker_that_lost_a_run_cannot_write_to_it(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1]).await;
    let old = fixture.stores.claim_runs(fixture.worker, 1, Duration::from_millis(1)).await.remove(0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let new = fixture.stores.claim_runs(live(&fixture.stores).await, 1, LEASE).await.remove(0);
    assert_eq!(fixture.claimed(7, fixture.worker).await, Claim::Yours);
    let calls = Settlement { fills: vec![fixture.fill(7, old.lease.run)], failures: vec![] };
    fixture.stores.settle(calls).await.unwrap();
    let commit = Commit { block: Some(fixture.block(old.lease, 2)), ..Commit::default() };
    assert_eq!(fixture.stores.commit(commit).await, Err(CommitError::Conflict));
    assert!(matches!(fixture.claimed(7, fixture.worker).await, Claim::Answered(_)), "a paid answer was lost");
    let commit = Commit { block: Some(fixture.block(new.lease, 2)), ..Commit::default() };
    fixture.stores.commit(commit).await.unwrap();
    let resumed = fixture.stores.resumed(new.lease.run).await.unwrap();
    assert_eq!(resumed.vector, [0.5, 0.5]);
    assert_eq!(fixture.stores.totals(fixture.sweep).await.unwrap().samples, 2);
}

async fn equal_configurations_are_one_run(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1, 2]).await;
    fixture.launch(&[2, 3]).await;
    let stored = SweepStore::sweep(&fixture.stores, fixture.sweep).await.unwrap().unwrap();
    assert_eq!((stored.asked, stored.duplicates), (4, 1));
    assert_eq!(fixture.number("SELECT count(*) AS n FROM run").await, 3);
    let distinct = "SELECT count(DISTINCT run_id) AS n FROM trial";
    assert_eq!(fixture.number(distinct).await, 3);
}
