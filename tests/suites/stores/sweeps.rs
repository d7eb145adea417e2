//! Sweeps and their conductors.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{
    Breaker, Commit, CommitError, EndpointStore, Ids as _, Journal, Launch, NewSweep, SweepMove, SweepStore,
};
use application::sweeps::{SweepError, Sweeps};
use domain::call::FailureKind;
use domain::id::SweepId;
use domain::sweep::{Command, Interruption, PauseReason, SweepKind, SweepLimits, SweepStatus};
use promptlooper_tests::support::home::Kind;
use system::SystemIds;

use super::fixture::*;

on_both! {
    a_sweep_has_one_conductor_and_one_version,
    an_experiment_has_one_active_sweep,
    sweeps_are_steered_through_their_decider,
    a_resumed_sweep_closes_the_breakers_of_its_own_endpoints,
}

async fn a_sweep_has_one_conductor_and_one_version(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, second) = (&fixture.stores, live(&fixture.stores).await);
    let open = async |worker| stores.conductible(worker, None).await.unwrap();
    let free = open(second).await;
    let held = stores.conduct(fixture.worker, LEASE, None).await.unwrap();
    assert_eq!(free, [(held[0].id, held[0].version)]);
    assert_eq!(open(fixture.worker).await, free, "what one conducts one may conduct");
    assert!(open(second).await.is_empty());
    assert!(stores.conduct(second, LEASE, None).await.unwrap().is_empty());
    let again = stores.conduct(fixture.worker, Duration::from_millis(1), None).await.unwrap();
    assert_eq!(again[0].epoch, held[0].epoch, "its own lease is renewed");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let taken = stores.conduct(second, LEASE, None).await.unwrap();
    assert_eq!(taken[0].epoch, held[0].epoch + 1);
    let stale = Launch { new: vec![fixture.run(1, 0)], ..fixture.decision(&held[0]) };
    let refused = stores.commit(Commit { launch: Some(stale), ..Commit::default() }).await;
    assert_eq!(refused, Err(CommitError::Conflict));
    assert_eq!(fixture.number("SELECT count(*) AS n FROM run").await, 0);
}

async fn an_experiment_has_one_active_sweep(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let begin = NewSweep {
        id: SweepId::new(SystemIds.next()),
        experiment: fixture.experiment,
        revision: 1,
        kind: SweepKind::Grid { shuffle: true },
        seed: u64::MAX,
        limits: SweepLimits::default(),
    };
    let second = Commit { begin: Some(begin.clone()), ..Commit::default() };
    assert_eq!(fixture.stores.commit(second.clone()).await, Err(CommitError::SweepActive));
    let stop = SweepMove {
        sweep: fixture.sweep,
        experiment: fixture.experiment,
        version: 1,
        status: SweepStatus::Stopped,
        recall: false,
        cancel: true,
        limits: None,
    };
    fixture.stores.commit(Commit { moved: Some(stop), ..Commit::default() }).await.unwrap();
    fixture.stores.commit(second).await.unwrap();
    let latest = fixture.stores.latest(fixture.experiment).await.unwrap().unwrap();
    assert_eq!((latest.id, latest.kind, latest.seed), (begin.id, begin.kind, u64::MAX));
}

fn steering(fixture: &Fixture) -> Sweeps {
    let stores = Arc::new(fixture.stores.clone());
    Sweeps::new(application::sweeps::Ports {
        bell: Arc::new(queue::LocalBell::new()),
        endpoints: stores.clone(),
        experiments: stores.clone(),
        ids: Arc::new(SystemIds),
        journal: stores.clone(),
        settings: stores.clone(),
        boards: stores.clone(),
        facts: stores.clone(),
        sweeps: stores,
    })
}

async fn a_resumed_sweep_closes_the_breakers_of_its_own_endpoints(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, sweeps) = (&fixture.stores, steering(&fixture));
    let other = stores.put(endpoint("other", "http://127.0.0.1:2/v1", None)).await.unwrap().id;
    let breaker = Breaker { kind: FailureKind::Unauthorized, reason: "the key is wrong".to_owned() };
    for endpoint in [fixture.endpoint, other] {
        stores.open_breaker(endpoint, breaker.clone(), None).await.unwrap();
    }
    sweeps.observe(fixture.sweep, &Interruption::EndpointBroken).await.unwrap();
    sweeps.command(&writer(), fixture.sweep, Command::Resume).await.unwrap();
    let known = async |endpoint| stores.conditions(&[endpoint]).await.unwrap().remove(0).breaker;
    assert_eq!(known(fixture.endpoint).await, None, "the sweep's own endpoint stays shut");
    assert_eq!(known(other).await, Some(breaker), "another endpoint's calls are let loose");
}

async fn sweeps_are_steered_through_their_decider(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1, 2]).await;
    let sweeps = steering(&fixture);
    let command = async |command| sweeps.command(&writer(), fixture.sweep, command).await;
    assert!(matches!(command(Command::Resume).await, Err(SweepError::Transition(_))));
    let paused = command(Command::Pause { now: false }).await.unwrap();
    assert_eq!(paused.sweep.status, SweepStatus::Paused(PauseReason::Manual));
    assert!(fixture.stores.claim_runs(fixture.worker, 5, LEASE).await.is_empty());
    assert_eq!(command(Command::Resume).await.unwrap().sweep.status, SweepStatus::Running);
    assert_eq!(fixture.stores.claim_runs(fixture.worker, 1, LEASE).await.len(), 1);
    let stuck = Interruption::Stuck("no endpoint is called `x`".into());
    sweeps.observe(fixture.sweep, &stuck).await.unwrap();
    let waiting = sweeps.view(fixture.sweep).await.unwrap().sweep.status;
    assert_eq!(waiting, SweepStatus::Paused(PauseReason::Human));
    let told = "SELECT count(*) AS n FROM event WHERE type = 'human_needed' \
                AND CAST(payload AS text) LIKE '%no endpoint is called%'";
    assert_eq!(fixture.number(told).await, 1, "nobody is told what is wrong");
    assert_eq!(command(Command::Resume).await.unwrap().sweep.status, SweepStatus::Running);
    let stopped = command(Command::Stop).await.unwrap();
    assert_eq!(
        (stopped.sweep.status, stopped.totals.cancelled, stopped.totals.running),
        (SweepStatus::Stopped, 2, 0)
    );
    assert!(matches!(command(Command::Resume).await, Err(SweepError::Transition(_))));
    let told = "SELECT count(*) AS n FROM event WHERE type IN ('experiment.paused', 'experiment.resumed', 'experiment.stopped')";
    assert_eq!(fixture.number(told).await, 5);
}
