//! Databases that are unavailable for a while during a sweep. The sweep ends as if nothing had happened.

use std::time::{Duration, Instant};

use promptlooper_tests::support::effort;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::facts::Facts;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::postgres::OwnPostgres;
use promptlooper_tests::support::program;
use promptlooper_tests::support::proxy::Proxy;
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Child;

use crate::crash::{assert_equal, undisturbed};

/// Runs of a sweep.
const RUNS: usize = 32;
/// The time limit of a sweep that should take seconds.
const END: Duration = Duration::from_mins(3);

/// A server that leaves runs to three workers, and a running sweep.
struct Installation {
    home: Home,
    fake: FakeLlm,
    server: Server,
    workers: Vec<Child>,
    experiment: String,
}

impl Installation {
    async fn start(home: Home, samples: usize, lease: &str) -> Self {
        let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(50) }).await.unwrap();
        let variables = [("WORKER_LEASE_SECONDS", lease)];
        let server = Server::start_with(&home, &["serve", "--no-execute"], &variables).await;
        let workers = (0..3).map(|n| worker(&home, n, variables)).collect();
        let experiment = server.import(&Experiment::echo(&fake.url(), samples, RUNS).document).await;
        server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
        Self { home, fake, server, workers, experiment }
    }

    /// Waits until this many calls have been made.
    async fn reaches(&self, calls: u64) {
        let end = Instant::now() + END;
        while self.fake.counts().calls < calls {
            assert!(Instant::now() < end, "the sweep stands still at {} calls", self.fake.counts().calls);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the sweep has ended. Returns the sweep.
    async fn ends(&self) -> Value {
        let end = Instant::now() + END;
        loop {
            let (status, body) =
                self.server.send(Method::GET, &format!("experiments/{}", self.experiment), None).await;
            if status.is_success() && body["sweep"]["status"] != "running" {
                return body["sweep"].clone();
            }
            assert!(Instant::now() < end, "the sweep does not end: {status} {body}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Checks that the sweep has the same results as without an outage, and that no call was made twice.
    async fn ended_as_if_undisturbed(mut self, samples: usize) {
        let sweep = self.ends().await;
        assert_eq!(sweep["status"], "completed", "{sweep}");
        for worker in &mut self.workers {
            assert_eq!(worker.try_wait().unwrap(), None, "a worker ended");
        }
        let total = (samples * RUNS) as u64;
        let repeated = self.repeated().await;
        assert_eq!(
            (self.fake.counts().calls, self.fake.counts().distinct),
            (total, total),
            "{repeated}\n{}",
            self.logs()
        );
        let expected = undisturbed(Kind::Postgres, &|url| Experiment::echo(url, samples, RUNS)).await;
        assert_equal(&Facts::read(&self.home).await, &expected);
    }

    /// Calls that were made more than once, according to the database.
    async fn repeated(&self) -> String {
        use sea_orm::{ConnectionTrait as _, Statement};
        let sql = "SELECT concat((SELECT count(*) FROM answer), ' answers of ', \
             (SELECT count(*) FROM response_cache WHERE answer_id IS NOT NULL), ' calls, ', \
             (SELECT count(*) FROM response_cache WHERE claim_no > 1), ' claimed again, at most ', \
             (SELECT max(claim_no) FROM response_cache), ' times, ', \
             (SELECT count(*) FROM run WHERE lease_epoch > 1), ' runs claimed again') AS said";
        let connection = self.home.connection().await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get("", "said").unwrap()
    }

    /// The last log lines of each worker.
    fn logs(&self) -> String {
        let read = |n: usize| std::fs::read_to_string(self.home.folder().join(format!("worker-{n}.log")));
        let logs: Vec<String> = (0..3).map(|n| read(n).unwrap_or_default()).collect();
        logs.join("\n--\n")
    }

    /// The answer of `/health`, and how long it took.
    async fn health(&self) -> (u16, Duration) {
        let began = Instant::now();
        let (status, _) = self.server.send(Method::GET, "/health", None).await;
        (status.as_u16(), began.elapsed())
    }
}

/// Starts a worker that logs to a file: a pipe that is not read would block it.
fn worker(home: &Home, number: usize, variables: [(&str, &str); 1]) -> Child {
    let log = std::fs::File::create(home.folder().join(format!("worker-{number}.log"))).unwrap();
    program::command(home, &["worker"]).envs(variables).stderr(log).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_of_postgres_change_nothing() {
    let restarts = effort::scaled(2, 10);
    let samples = 15 * (restarts + 1);
    let postgres = OwnPostgres::start();
    let home = Home::on(&postgres, postgres.port()).await;
    let installation = Installation::start(home, samples, "15").await;
    for restart in 1..=restarts {
        installation.reaches((restart * samples * RUNS / (restarts + 1)) as u64).await;
        tokio::task::block_in_place(|| postgres.restart());
    }
    installation.ended_as_if_undisturbed(samples).await;
}

/// Longer than the leases: all of them expire, but no worker is considered dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_outage_changes_nothing() {
    let (outage, lease) = if effort::is_full() { (30, "15") } else { (4, "2") };
    let samples = 20;
    let postgres = OwnPostgres::start();
    let home = Home::on(&postgres, postgres.port()).await;
    let installation = Installation::start(home, samples, lease).await;
    installation.reaches(200).await;
    tokio::task::block_in_place(|| postgres.stop());
    let (health, took) = installation.health().await;
    assert!(health == 503 && took < Duration::from_secs(20), "{health} after {took:?}");
    let (status, _) = installation.server.send(Method::GET, "projects", None).await;
    assert_eq!(status.as_u16(), 503);
    tokio::time::sleep(Duration::from_secs(outage)).await;
    tokio::task::block_in_place(|| postgres.start_again());
    installation.ended_as_if_undisturbed(samples).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_whose_answer_is_lost_count_once() {
    let samples = effort::scaled(20, 60);
    let postgres = OwnPostgres::start();
    let proxy = Proxy::start(postgres.port()).await.unwrap();
    let home = Home::on(&postgres, proxy.port()).await;
    let installation = Installation::start(home, samples, "15").await;
    proxy.cut_commits(20);
    installation.ends().await;
    proxy.cut_commits(0);
    assert!(proxy.cuts() >= 5, "only {} connections were cut", proxy.cuts());
    installation.ended_as_if_undisturbed(samples).await;
}

/// A network that drops all data, for longer than the time limit of a statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_is_noticed() {
    let samples = 20;
    let postgres = OwnPostgres::start();
    let proxy = Proxy::start(postgres.port()).await.unwrap();
    let home = Home::on(&postgres, proxy.port()).await;
    let installation = Installation::start(home, samples, "15").await;
    installation.reaches(200).await;
    proxy.swallow(true);
    let (health, took) = installation.health().await;
    assert!(health == 503 && took < Duration::from_secs(20), "{health} after {took:?}");
    tokio::time::sleep(Duration::from_secs(effort::scaled(1, 40))).await;
    proxy.swallow(false);
    // Every open connection is dead without having noticed.
    installation.ended_as_if_undisturbed(samples).await;
}
