//! Races that are paused and stopped, and guides that take their time or break down.

use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// A guide that thinks for longer than a lease delays no other sweep, and keeps its own; what it says is dropped where the
/// sweep was paused meanwhile.
#[tokio::test]
async fn a_guide_thinks_off_to_the_side() {
    let race = Race::new(Kind::Postgres).await;
    let other = import(&race.home, levels(&race.fake.url(), "other")).await;
    let stores = Arc::new(race.home.stores().await);
    let sweeps = steering(&stores);
    let worker = program::start_racing(&race.home, &race.experiment, &["slow"]);
    until("the slow sweep began", async || sweep_of(&stores, &race.experiment).await.is_some()).await;
    let slow = sweep_of(&stores, &race.experiment).await.unwrap().id;
    let epoch = "SELECT max(epoch) AS n FROM sweep";
    until("it is conducted", async || number(&race.home, epoch).await == 1).await;
    let begun = Instant::now();

    let request = SweepRequest {
        kind: SweepKind::Random,
        seed: Some(1),
        limits: SweepLimits { max_runs: Some(3), ..SweepLimits::default() },
    };
    let other = sweeps.start(&writer(), other.parse().unwrap(), request).await.unwrap();
    until("the other sweep is over", async || stores.sweep(other).await.unwrap().unwrap().status.is_over())
        .await;
    assert!(begun.elapsed() < racing::THINKING, "the other sweep waited for {:?}", begun.elapsed());
    let trials = "SELECT count(*) AS n FROM trial t JOIN sweep s ON s.id = t.sweep_id WHERE s.kind = 'grid'";
    assert_eq!(number(&race.home, trials).await, 0, "the guide was not slow");

    for command in [Command::Pause { now: false }, Command::Resume, Command::Pause { now: false }] {
        sweeps.command(&writer(), slow, command).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    tokio::time::sleep(racing::THINKING).await;
    assert_eq!(number(&race.home, trials).await, 0, "a paused sweep went on");
    sweeps.command(&writer(), slow, Command::Resume).await.unwrap();
    let status = async || stores.sweep(slow).await.unwrap().unwrap().status;
    until("the slow sweep is over", async || status().await != SweepStatus::Running).await;
    assert!(matches!(status().await, SweepStatus::Completed(_)), "{:?}", status().await);
    let held = stores.sweep(slow).await.unwrap().unwrap();
    assert_eq!(
        number(&race.home, "SELECT min(epoch) AS n FROM sweep WHERE kind = 'grid'").await,
        3,
        "{held:?}"
    );
    race.finish(worker).await;
    assert_eq!(
        number(&race.home, "SELECT count(*) AS n FROM event WHERE type = 'run.pruned'").await,
        PRUNED as u64
    );
}

/// The use cases of sweeps for somebody beside the workers.
fn steering(stores: &Arc<Stores>) -> Sweeps {
    Sweeps::new(sweeps::Ports::of_engine(&racing::ports(stores).unwrap()))
}

/// Pauses and resumes a race of two workers, now and then taking the runs in progress away.
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

/// A race that is stopped leaves nothing open, and counts what it had.
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

/// A guide that breaks down pauses its sweep, and a person reads why.
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
