//! Real processes that are killed.

use std::time::Duration;

use promptlooper_tests::support::effort;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::facts::Facts;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use sea_orm::{ConnectionTrait as _, Statement};
use tokio::process::Child;

const KILLS: u64 = 20;
/// The concurrency of the endpoint of [`Experiment::echo`].
const IN_FLIGHT: u64 = 16;

/// A latency with which a sweep outlasts all kills.
fn options() -> Options {
    Options { port: 0, latency: Duration::from_millis(25) }
}

/// The results of the same experiment without kills.
pub(super) async fn undisturbed(kind: Kind, experiment: &dyn Fn(&str) -> Experiment) -> Facts {
    let (home, fake) = (Home::new(kind).await, FakeLlm::start(options()).await.unwrap());
    experiment(&fake.url()).write(&home);
    let finished = program::run(&home, &["run", "experiment.json"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    Facts::read(&home).await
}

/// The runs sorted by score, without their config hashes, because those depend on the server's port.
fn by_score(facts: &Facts) -> Vec<String> {
    let mut runs: Vec<String> = facts.runs.values().map(|run| format!("{run:?}")).collect();
    runs.sort();
    runs
}

pub(super) fn assert_equal(recovered: &Facts, undisturbed: &Facts) {
    assert_eq!(by_score(recovered), by_score(undisturbed));
    assert_eq!(recovered.totals, undisturbed.totals);
    assert_eq!(recovered.answers, undisturbed.answers);
    assert_eq!(recovered.rows, undisturbed.rows);
    assert_eq!((&recovered.sweep, &recovered.events), (&undisturbed.sweep, &undisturbed.events));
}

/// Waits until the server has had this many calls; `false` if the program ended before.
pub(super) async fn reaches(fake: &FakeLlm, calls: u64, child: &mut Child) -> bool {
    while fake.counts().calls < calls {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    true
}

/// Kills the program after every few calls until it ends by itself.
async fn killed_again_and_again(kind: Kind, experiment: &dyn Fn(&str) -> Experiment, total: u64) {
    let expected = undisturbed(kind, experiment).await;
    let (home, fake) = (Home::new(kind).await, FakeLlm::start(options()).await.unwrap());
    experiment(&fake.url()).write(&home);
    let (mut kills, mut unfilled) = (0, 0);
    for kill in 1..=KILLS {
        let mut child = program::start(&home, &["run", "experiment.json"]);
        let begun = fake.counts().calls;
        if !reaches(&fake, begun + 8, &mut child).await {
            let ended = program::finish(child).await;
            assert_eq!(ended.code, Some(0), "{ended:?}");
            break;
        }
        // Kills happen at different times between two commits.
        tokio::time::sleep(Duration::from_millis(kill * 7 % 23)).await;
        program::kill(child).await;
        kills += 1;
        unfilled += number(&home, UNFILLED).await;
    }
    assert!(kills >= KILLS - 2, "only {kills} kills");
    let last = program::run(&home, &["run", "experiment.json"]).await;
    assert_eq!(last.code, Some(0), "{last:?}");
    let counts = fake.counts();
    assert_eq!(counts.distinct, total, "calls lost");
    assert!(
        counts.calls <= total + unfilled,
        "{} calls for {total}, {unfilled} were open at kills",
        counts.calls
    );
    assert_equal(&Facts::read(&home).await, &expected);
}

#[tokio::test]
async fn twenty_kills_change_nothing_on_sqlite() {
    killed_again_and_again(Kind::Sqlite, &|url| Experiment::echo(url, 100, 12), 1_200).await;
}

#[tokio::test]
async fn twenty_kills_change_nothing_on_postgres() {
    killed_again_and_again(Kind::Postgres, &|url| Experiment::echo(url, 100, 12), 1_200).await;
}

/// The kill happens during the first start, which creates the tables.
#[tokio::test]
async fn a_first_start_that_is_killed_can_be_begun_again() {
    for delay in (5..=200).step_by(effort::scaled(15, 2)) {
        let home = Home::new(Kind::Sqlite).await;
        let child = program::start(&home, &["migrate"]);
        tokio::time::sleep(Duration::from_millis(delay)).await;
        program::kill(child).await;
        let finished = program::run(&home, &["migrate"]).await;
        assert_eq!(finished.code, Some(0), "killed after {delay} ms: {finished:?}");
    }
}

/// The kill happens between the last answer and the end of a run: all answers are stored, but no block.
#[tokio::test]
async fn answers_without_their_block_are_not_asked_for_again() {
    for kind in Kind::ALL {
        let experiment = |url: &str| Experiment::echo(url, 30, 1);
        let expected = undisturbed(kind, &experiment).await;
        let (home, fake) = (Home::new(kind).await, FakeLlm::start(options()).await.unwrap());
        experiment(&fake.url()).write(&home);
        let mut child = program::start(&home, &["run", "experiment.json"]);
        assert!(reaches(&fake, 30, &mut child).await);
        program::kill(child).await;
        let (before, unfilled) = (fake.counts().calls, number(&home, UNFILLED).await);
        let last = program::run(&home, &["run", "experiment.json"]).await;
        assert_eq!(last.code, Some(0), "{last:?}");
        assert!(fake.counts().calls - before <= unfilled, "{} calls again", fake.counts().calls - before);
        assert_equal(&Facts::read(&home).await, &expected);
    }
}

#[tokio::test]
async fn a_run_of_five_thousand_samples_survives_and_stays_small() {
    let experiment = |url: &str| Experiment::echo(url, 5_000, 1);
    let home = Home::new(Kind::Sqlite).await;
    let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(1) }).await.unwrap();
    experiment(&fake.url()).write(&home);
    for calls in [700, 2_000, 3_500] {
        let mut child = program::start(&home, &["run", "experiment.json"]);
        assert!(reaches(&fake, calls, &mut child).await);
        program::kill(child).await;
    }
    let mut child = program::start(&home, &["run", "experiment.json"]);
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = program::peak_memory(&child).unwrap_or(peak);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended = program::finish(child).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let facts = Facts::read(&home).await;
    let run = facts.runs.values().next().unwrap();
    assert_eq!((run.status.as_str(), run.samples), ("completed", [5_000, 5_000, 0, 5_000]));
    assert_eq!(fake.counts().distinct, 5_000);
    assert!(peak < 150 * 1024, "{peak} KiB");
}

/// Two workers on one database, one of which is killed: the other takes over.
#[tokio::test]
async fn workers_share_the_work_and_take_over_from_dead_ones() {
    let home = Home::new(Kind::Postgres).await;
    let fake = FakeLlm::start(options()).await.unwrap();
    let experiment = |url: &str| Experiment::echo(url, 40, 12);
    let expected = undisturbed(Kind::Postgres, &experiment).await;
    experiment(&fake.url()).write(&home);
    let mut first = program::start(&home, &["run", "experiment.json"]);
    assert!(reaches(&fake, 20, &mut first).await);
    program::kill(first).await;
    let doomed = program::start(&home, &["worker"]);
    let mut survivor = program::start(&home, &["worker"]);
    assert!(reaches(&fake, 200, &mut survivor).await, "the workers do nothing");
    program::kill(doomed).await;
    // The worker finishes the sweep alone.
    for _ in 0..600 {
        if fake.counts().distinct == 480 && number(&home, COMPLETED).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let id = survivor.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ended = program::finish(survivor).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_equal(&Facts::read(&home).await, &expected);
    assert!(fake.counts().max_in_flight <= 2 * IN_FLIGHT, "{} at once", fake.counts().max_in_flight);
}

/// Each run of two processes makes calls of its own, and then a call that all others make too.
#[tokio::test]
async fn equal_calls_of_two_processes_become_one() {
    let home = Home::new(Kind::Postgres).await;
    let fake = FakeLlm::start(options()).await.unwrap();
    fake.set_latency(Duration::from_millis(100));
    assert_eq!(program::run(&home, &["migrate"]).await.code, Some(0));
    let mut experiment = Experiment::echo(&fake.url(), 20, 24);
    let shared = serde_json::json!({
        "name": "again", "kind": "llm", "endpoint": "fake", "model": "echo-2", "prompt": "Again {{ sample.input }}",
    });
    experiment.document["pipeline_stages"].as_array_mut().unwrap().push(shared);
    experiment.write(&home);
    let worker = program::start(&home, &["worker"]);
    let mut running = program::start(&home, &["run", "experiment.json"]);
    let mut most = 0;
    while running.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        most = most.max(number(&home, "SELECT count(*) AS n FROM endpoint_slot WHERE held > 0").await);
    }
    let finished = program::finish(running).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    program::kill(worker).await;
    assert_eq!(most, 2, "one process did everything");
    assert_eq!((fake.counts().calls, fake.counts().distinct), (500, 500));
    assert!(fake.counts().max_in_flight <= IN_FLIGHT, "{} at once", fake.counts().max_in_flight);
    assert_eq!(Facts::read(&home).await.totals[7], 500);
}

/// A new process waits while the endpoint's whole concurrency is in use.
#[tokio::test]
async fn a_new_process_does_not_exceed_the_concurrency_of_an_endpoint() {
    let home = Home::new(Kind::Postgres).await;
    let fake = FakeLlm::start(options()).await.unwrap();
    fake.set_latency(Duration::from_millis(300));
    assert_eq!(program::run(&home, &["migrate"]).await.code, Some(0));
    Experiment::echo(&fake.url(), 20, 24).write(&home);
    let mut running = program::start(&home, &["run", "experiment.json"]);
    assert!(reaches(&fake, 2 * IN_FLIGHT, &mut running).await);
    let worker = program::start(&home, &["worker"]);
    let mut shared = false;
    while !shared && running.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        shared = number(&home, "SELECT count(*) AS n FROM endpoint_slot WHERE held = 8").await == 2;
    }
    assert!(shared, "the slots were not shared evenly");
    let finished = program::finish(running).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    program::kill(worker).await;
    assert_eq!((fake.counts().calls, fake.counts().distinct), (480, 480));
    assert_eq!(fake.counts().max_in_flight, IN_FLIGHT);
}

/// A worker that was stopped for longer than its lease claims its calls again before it sends them: others may have
/// made them.
#[tokio::test]
async fn a_suspended_worker_repeats_nothing_when_it_resumes() {
    let home = Home::new(Kind::Postgres).await;
    let fake = FakeLlm::start(options()).await.unwrap();
    assert_eq!(program::run(&home, &["migrate"]).await.code, Some(0));
    Experiment::echo(&fake.url(), 60, 8).write(&home);
    let mut frozen = program::start(&home, &["worker"]);
    let mut running = program::start(&home, &["run", "experiment.json"]);
    assert!(reaches(&fake, 60, &mut running).await);
    let id = frozen.id().unwrap().to_string();
    let signal = |name: &str| {
        let sent = std::process::Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    };
    signal("-STOP");
    let under_way = fake.counts().in_flight;
    // The lease of one second expires, and the other process continues alone.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    signal("-CONT");
    let finished = program::finish(running).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(frozen.try_wait().unwrap(), None, "the worker ended");
    program::kill(frozen).await;
    let counts = fake.counts();
    assert_eq!(counts.distinct, 480);
    assert!(counts.calls - 480 <= under_way, "{} again, {under_way} were under way", counts.calls - 480);
}

/// Calls that are claimed but not answered.
pub(super) const UNFILLED: &str =
    "SELECT count(*) AS n FROM response_cache WHERE answer_id IS NULL AND claimed_by IS NOT NULL";
const COMPLETED: &str = "SELECT count(*) AS n FROM sweep WHERE status = 'completed'";

pub(super) async fn number(home: &Home, sql: &str) -> u64 {
    let connection = home.connection().await;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    connection.close().await.unwrap();
    row.try_get::<i64>("", "n").unwrap().try_into().unwrap()
}
