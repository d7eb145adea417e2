//! Sweeps whose guide learns: runs are pruned and continued, whichever process is killed.

mod replay;
mod steering;

use std::time::Duration;

use promptlooper_tests::support::effort::scaled;
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::facts::Facts;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;
use tokio::process::Child;

use self::replay::assert_replays;
use super::crash::{UNFILLED, assert_equal, number, reaches};

const LEVELS: usize = 24;
const SAMPLES: usize = 24;
/// How many trials end after how many samples: each time the worse half of the remaining ones, and the best after all
/// samples.
const TRIALS: [(usize, usize); 4] = [(12, 3), (6, 6), (3, 12), (BEST, SAMPLES)];
const BEST: usize = 3;
/// Trials that are pruned because they are behind, and trials that are completed early.
const PRUNED: usize = 18;
const COMPLETED: usize = 6;

/// The facts of a trial: its number, its run's status, samples and score.
type TrialFacts = (i64, String, i64, Option<u64>);

/// A model server, and a database with one experiment whose levels differ in their scores.
struct Race {
    home: Home,
    fake: FakeLlm,
    experiment: String,
}

impl Race {
    async fn new(kind: Kind) -> Self {
        let home = Home::new(kind).await;
        let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(25) }).await.unwrap();
        let experiment = import(&home, levels(&fake.url(), "race")).await;
        Self { home, fake, experiment }
    }

    fn worker(&self) -> Child {
        program::start_racing(&self.home, &self.experiment, &[])
    }

    async fn finish(&self, worker: Child) {
        let ended = program::finish(worker).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

async fn import(home: &Home, experiment: Experiment) -> String {
    experiment.write(home);
    let imported = program::run(home, &["import", "experiment.json"]).await;
    assert_eq!(imported.code, Some(0), "{imported:?}");
    imported.stdout.trim().to_owned()
}

fn levels(url: &str, name: &str) -> Experiment {
    let sample =
        |i| json!({"input": format!("word-{i}"), "reference": format!("word-{i}"), "meta": {"at": i}});
    let prompt = "[{{ params.level }}/{{ sample.index }}] Say {% if sample.meta.at < params.level %}{{ sample.input }}{% else %}no{% endif %}";
    Experiment::echo(url, 1, 1)
        .with("/name", json!(name))
        .with("/sample_data", (0..SAMPLES).map(sample).collect())
        .with("/pipeline_stages/0/prompt", json!(prompt))
        .with("/parameter_space", json!({"level": {"type": "int", "low": 1, "high": LEVELS}}))
}

/// The facts of all trials.
async fn trials(home: &Home) -> Vec<TrialFacts> {
    let connection = home.connection().await;
    let sql = "SELECT t.no AS no, r.status AS status, r.done AS done, r.score AS score \
               FROM trial t JOIN run r ON r.id = t.run_id ORDER BY t.no";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.unwrap();
    connection.close().await.unwrap();
    let read = |row: &sea_orm::QueryResult| {
        let score: Option<f64> = row.try_get("", "score").unwrap();
        let of = |column| row.try_get("", column).unwrap();
        (of("no"), row.try_get("", "status").unwrap(), of("done"), score.map(f64::to_bits))
    };
    rows.iter().map(read).collect()
}

/// Checks that no trial was lost, duplicated or left open, and that the best level has won.
async fn assert_raced(home: &Home) {
    let trials = trials(home).await;
    let winner = trials.last().unwrap();
    assert_eq!((winner.1.as_str(), winner.3), ("completed", Some(1_f64.to_bits())), "{trials:?}");
    for (count, samples) in TRIALS {
        let with = trials.iter().filter(|trial| usize::try_from(trial.2) == Ok(samples));
        assert_eq!(with.count(), count, "trials with {samples} samples: {trials:?}");
    }
    let pruned = trials.iter().filter(|trial| trial.1 == "pruned").count();
    assert_eq!((trials.len(), pruned), (LEVELS, PRUNED));
    let each = "SELECT (SELECT count(*) FROM run) * 10000 + (SELECT count(DISTINCT run_id) FROM trial) * 100 \
                + (SELECT count(*) FROM run WHERE completed_at IS NULL OR lease_owner IS NOT NULL) AS n";
    assert_eq!(number(home, each).await, 242_400, "runs, runs of trials, runs that are open");
}

fn calls() -> u64 {
    TRIALS.iter().map(|(trials, samples)| (trials * samples) as u64).sum()
}

/// The facts without events about the lead, because those depend on the order in which runs end.
async fn facts(home: &Home) -> Facts {
    let mut facts = Facts::read(home).await;
    assert!(facts.events.remove("new_best_found").is_some(), "nobody leads");
    facts
}

/// The results of a race without kills.
async fn undisturbed(kind: Kind) -> (Facts, Vec<TrialFacts>) {
    let race = Race::new(kind).await;
    race.finish(race.worker()).await;
    assert_raced(&race.home).await;
    assert_eq!((race.fake.counts().calls, race.fake.counts().distinct), (calls(), calls()));
    assert_replays(&race.home.stores().await, &race.experiment).await;
    let facts = facts(&race.home).await;
    assert_eq!([facts.totals[0], facts.totals[8]].map(usize::try_from), [Ok(COMPLETED), Ok(PRUNED)]);
    assert_eq!((facts.events["run.pruned"], facts.events["run.completed"]), (PRUNED, COMPLETED));
    (facts, trials(&race.home).await)
}

async fn assert_recovered(race: &Race, unfilled: u64, expected: &(Facts, Vec<TrialFacts>)) {
    assert_raced(&race.home).await;
    let counts = race.fake.counts();
    assert_eq!(counts.distinct, calls(), "calls lost, or made for who was pruned");
    assert!(counts.calls <= calls() + unfilled, "{} calls, {unfilled} were open at kills", counts.calls);
    assert_replays(&race.home.stores().await, &race.experiment).await;
    assert_equal(&facts(&race.home).await, &expected.0);
    assert_eq!(trials(&race.home).await, expected.1);
}

/// Kills the only worker after every few calls. The next one takes over.
async fn killed_again_and_again(kind: Kind) {
    let expected = undisturbed(kind).await;
    for seed in 0..scaled(1, 6) {
        let race = Race::new(kind).await;
        let (mut kills, mut unfilled) = (0, 0);
        for kill in 0..15 {
            let mut worker = race.worker();
            let begun = race.fake.counts().calls;
            if !reaches(&race.fake, begun + 6, &mut worker).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis((seed * 5 + kill * 11) % 47)).await;
            program::kill(worker).await;
            kills += 1;
            unfilled += number(&race.home, UNFILLED).await;
        }
        assert!(kills >= 8, "only {kills} kills");
        race.finish(race.worker()).await;
        assert_recovered(&race, unfilled, &expected).await;
    }
}

#[tokio::test]
async fn kills_change_nothing_in_a_race_on_sqlite() {
    killed_again_and_again(Kind::Sqlite).await;
}

#[tokio::test]
async fn kills_change_nothing_in_a_race_on_postgres() {
    killed_again_and_again(Kind::Postgres).await;
}

/// One of two workers is killed repeatedly, and the other takes over its work.
#[tokio::test]
async fn the_other_worker_takes_a_race_over() {
    let expected = undisturbed(Kind::Postgres).await;
    for seed in 0..scaled(1, 6) {
        let race = Race::new(Kind::Postgres).await;
        let mut workers = [race.worker(), race.worker()];
        let mut unfilled = 0;
        for kill in 0..4_usize {
            let begun = race.fake.counts().calls;
            if !reaches(&race.fake, begun + 20, &mut workers[kill % 2]).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis((seed * 7 + kill as u64 * 13) % 53)).await;
            program::kill(std::mem::replace(&mut workers[kill % 2], race.worker())).await;
            unfilled += number(&race.home, UNFILLED).await;
        }
        for worker in workers {
            race.finish(worker).await;
        }
        assert_recovered(&race, unfilled, &expected).await;
    }
}
