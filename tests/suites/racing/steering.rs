//! Races that are paused and stopped, and guides that are slow or panic.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{StoredSweep, SweepStore as _};
use application::sweeps::{self, SweepRequest, Sweeps};
use domain::sweep::{Command, SweepKind, SweepLimits, SweepStatus};
use persistence::Stores;
use promptlooper_tests::support::effort::scaled;
use promptlooper_tests::support::home::Kind;
use promptlooper_tests::support::{program, racing};

use super::super::crash::{number, reaches};
use super::super::stores::fixture::writer;
use super::{LEVELS, PRUNED, Race, assert_recovered, import, levels, undisturbed};

async fn sweep_of(stores: &Stores, experiment: &str) -> Option<StoredSweep> {
    stores.latest(experiment.parse().unwrap()).await.unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

const SWEPT: &str =
    "SELECT count(*) AS n FROM trial t JOIN sweep s ON s.id = t.sweep_id WHERE s.kind = 'grid'";

/// Guides that compute for longer than a lease delay no other sweep, and do not lose their own.
#[tokio::test]
async fn slow_guides_delay_no_other_sweep() {
    let race = Race::new(Kind::Postgres).await;
    let mut others = Vec::new();
    for name in ["one", "two", "other"] {
        others.push(import(&race.home, levels(&race.fake.url(), name)).await.parse().unwrap());
    }
    let stores = Arc::new(race.home.stores().await);
    let sweeps = steering(&stores);
    let start = async |experiment, kind| {
        let limits = SweepLimits { max_runs: Some(1), ..SweepLimits::default() };
        let request = SweepRequest { kind, seed: None, limits };
        sweeps.start(&writer(), experiment, sweeps.capped(request), None).await.unwrap()
    };
    let worker = program::start_racing(&race.home, &race.experiment, &["slow"]);
    let slow = SweepKind::Grid { shuffle: true };
    let thinking = [start(others[0], slow).await, start(others[1], slow).await];
    let conducted = "SELECT count(*) AS n FROM sweep WHERE epoch = 1";
    until("all are conducted", async || number(&race.home, conducted).await == 3).await;
    let quick = start(others[2], SweepKind::Random).await;
    until("the other sweep is over", async || stores.sweep(quick).await.unwrap().unwrap().status.is_over())
        .await;
    assert_eq!(number(&race.home, SWEPT).await, 0, "it was over only after slow guides had answered");
    until("a slow guide answered", async || number(&race.home, SWEPT).await > 0).await;
    assert_eq!(number(&race.home, conducted).await, 4, "a lease was lost while a guide thought");
    for sweep in thinking {
        sweeps.command(&writer(), sweep, Command::Stop).await.unwrap();
    }
    program::kill(worker).await;
}

/// A proposal is dropped if its sweep was paused in the meantime, and a guide has only one request at a time.
#[tokio::test]
async fn late_proposals_of_a_guide_are_dropped() {
    let race = Race::new(Kind::Postgres).await;
    let stores = Arc::new(race.home.stores().await);
    let sweeps = steering(&stores);
    let worker = program::start_racing(&race.home, &race.experiment, &["slow"]);
    let conducted = "SELECT count(*) AS n FROM sweep WHERE epoch = 1";
    until("the sweep is conducted", async || number(&race.home, conducted).await == 1).await;
    let slow = sweep_of(&stores, &race.experiment).await.unwrap().id;
    for command in [Command::Pause { now: false }, Command::Resume, Command::Pause { now: false }] {
        sweeps.command(&writer(), slow, command).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    tokio::time::sleep(racing::THINKING).await;
    assert_eq!(number(&race.home, SWEPT).await, 0, "a paused sweep went on");
    sweeps.command(&writer(), slow, Command::Resume).await.unwrap();
    let status = async || stores.sweep(slow).await.unwrap().unwrap().status;
    until("the slow sweep is over", async || status().await != SweepStatus::Running).await;
    assert!(matches!(status().await, SweepStatus::Completed(_)), "{:?}", status().await);
    race.finish(worker).await;
    let pruned = number(&race.home, "SELECT count(*) AS n FROM event WHERE type = 'run.pruned'").await;
    assert_eq!(usize::try_from(pruned), Ok(PRUNED));
}

/// The use cases of sweeps, for a caller outside the workers.
fn steering(stores: &Arc<Stores>) -> Sweeps {
    Sweeps::new(sweeps::Ports::of_engine(&racing::ports(stores).unwrap()))
}

/// Pauses and resumes a race of two workers, sometimes with runs in progress given back.
#[tokio::test]
async fn pauses_change_nothing_in_a_race() {
    let expected = undisturbed(Kind::Postgres).await;
    let race = Race::new(Kind::Postgres).await;
    let stores = Arc::new(race.home.stores().await);
    let mut workers = [race.worker(), race.worker()];
    let mut pauses = 0;
    for pause in 0..scaled(6, 12) {
        let begun = race.fake.counts().calls;
        if !reaches(&race.fake, begun + 10, &mut workers[0]).await {
            break;
        }
        let sweep = sweep_of(&stores, &race.experiment).await.unwrap().id;
        let command = Command::Pause { now: pause % 2 == 0 };
        if steering(&stores).command(&writer(), sweep, command).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(pause * 17 % 60)).await;
        steering(&stores).command(&writer(), sweep, Command::Resume).await.unwrap();
        pauses += 1;
    }
    assert!(pauses >= 4, "only {pauses} pauses");
    for worker in workers {
        race.finish(worker).await;
    }
    assert_eq!(
        number(&race.home, "SELECT count(*) AS n FROM event WHERE type = 'experiment.paused'").await,
        pauses
    );
    let mut expected = expected;
    for kind in ["experiment.paused", "experiment.resumed"] {
        expected.0.events.insert(kind.to_owned(), usize::try_from(pauses).unwrap());
    }
    assert_recovered(&race, 0, &expected).await;
}

/// A stopped race leaves nothing open, and counts each run once.
#[tokio::test]
async fn a_race_that_is_stopped_counts_each_run_once() {
    for calls in [30, 90, 130] {
        let race = Race::new(Kind::Postgres).await;
        let stores = Arc::new(race.home.stores().await);
        let mut worker = race.worker();
        assert!(reaches(&race.fake, calls, &mut worker).await);
        let sweep = sweep_of(&stores, &race.experiment).await.unwrap().id;
        let view = steering(&stores).command(&writer(), sweep, Command::Stop).await.unwrap();
        race.finish(worker).await;
        let totals = stores.totals(sweep).await.unwrap();
        assert_eq!((totals.ended(), totals.running), (LEVELS as u64, 0), "{totals:?}");
        assert_eq!((totals.cancelled, totals.pruned), (view.totals.cancelled, view.totals.pruned));
        let counted = "SELECT count(*) AS n FROM run WHERE status = 'cancelled' AND completed_at IS NOT NULL";
        assert_eq!(number(&race.home, counted).await, totals.cancelled);
    }
}

/// A guide that panics pauses its sweep, with a reason for people.
#[tokio::test]
async fn a_sweep_whose_guide_breaks_down_says_so() {
    for kind in Kind::ALL {
        let race = Race::new(kind).await;
        let worker = program::start_racing(&race.home, &race.experiment, &["broken"]);
        let paused = "SELECT count(*) AS n FROM sweep WHERE status = 'paused' AND pause_reason = 'human'";
        until("the sweep is paused", async || number(&race.home, paused).await == 1).await;
        let told = "SELECT count(*) AS n FROM event WHERE type = 'human_needed' AND CAST(payload AS text) LIKE '%defect%'";
        assert_eq!(number(&race.home, told).await, 1);
        program::kill(worker).await;
    }
}
