//! Migration of a database of an earlier release.

use std::sync::Arc;

use application::ports::{
    BoardStore, EndpointStore as _, FactStore, Fill, Journal as _, Metric, RunFilter, RunKey, RunOrder,
    RunQuery, RunStore, Settlement, StandingsStore,
};
use domain::call::{Reply, ReplyBody, ServiceAnswer};
use domain::id::{ExperimentId, RunId};
use domain::value::Value;
use migrations::{Migrator, MigratorTrait as _};
use promptlooper_tests::support::home::{Home, Kind};
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement, Value as Bound};
use serde_json::json;

use super::fixture::{Fixture, reply};

on_both! { ranks_and_figures_are_carried_over, answers_of_services_are_forgotten_on_the_way_back }

const EXPERIMENT: u128 = 1;
/// The last migration before ranks and figures.
const BEFORE: u32 = 10;

/// A run as of the tenth migration: score, samples with a score, cost, temperature.
type OldRun = (u128, Option<f64>, i64, Option<i64>, serde_json::Value);

fn old_runs() -> [OldRun; 5] {
    [
        (11, Some(0.5), 10, Some(4_000_000_000), json!(0.5)),
        (12, Some(0.9), 10, Some(1_000_000_000), json!(-1)),
        // A partial run. Its rank was 1.0 - 1, the same as that of a whole run without any success.
        (13, Some(1.0), 2, Some(2_000_000_000), json!(0.25)),
        (14, None, 0, None, json!("x\"y")),
        (15, Some(0.0), 10, Some(3_000_000_000), json!("a".repeat(5_000))),
    ]
}

async fn ranks_and_figures_are_carried_over(kind: Kind) {
    let home = Home::new(kind).await;
    let connection = writable(&home).await;
    Migrator::up(&connection, Some(BEFORE)).await.unwrap();
    make_experiment(&connection).await;
    for run in old_runs() {
        make_run(&connection, run).await;
    }
    connection.close().await.unwrap();
    let stores = home.stores().await;
    let experiment = ExperimentId::new(EXPERIMENT);
    let query = |by, descending| RunQuery {
        filter: RunFilter::all(experiment),
        order: RunOrder { by, descending },
        after: None,
        limit: 10,
    };
    let board = stores.board(query(RunKey::Rank, true)).await.unwrap().items;
    assert_eq!(ids(board.iter().map(|run| run.id)), [12, 11, 15, 13, 14]);
    assert_eq!(board.iter().map(|run| run.partial).collect::<Vec<_>>(), [false, false, false, true, true]);
    assert_eq!(board[0].values["temperature"], Value::from(-1_i64));
    for (by, expected) in [
        (RunKey::Metric(Metric::Cost), [12, 13, 15, 11, 14]),
        (RunKey::Metric(Metric::CostPerSample), [12, 13, 15, 11, 14]),
        (RunKey::Metric(Metric::Scorer("exact".into())), [15, 11, 12, 13, 14]),
        (RunKey::Value("temperature".into()), [12, 13, 11, 15, 14]),
    ] {
        let listed = stores.page(query(by.clone(), false)).await.unwrap().items;
        assert_eq!(ids(listed.iter().map(|run| run.id)), expected, "{by:?}");
    }
    for (value, run) in [(json!("a".repeat(5_000)), 15), (json!(0.25), 13), (json!("x\"y"), 14)] {
        let value = application::json::from_json(value);
        let values = vec![("temperature".to_owned(), vec![value])];
        let filter = RunFilter { values, ..RunFilter::all(experiment) };
        let found = stores.page(RunQuery { filter, ..query(RunKey::Created, true) }).await.unwrap().items;
        assert_eq!(ids(found.iter().map(|run| run.id)), [run]);
    }
    let claim = stores.claim_standings(std::time::Duration::from_secs(9), None).await.unwrap();
    assert_eq!(claim.map(|claim| claim.experiment), Some(experiment), "its standings are to be computed");
    let facts = stores.facts(experiment).await.unwrap().unwrap();
    assert_eq!((&*facts.outline.dimensions, facts.samples), (&["temperature".to_owned()][..], 10));
    drop(stores);
    back_and_forth(&home).await;
}

/// An earlier release has no place for them.
async fn answers_of_services_are_forgotten_on_the_way_back(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let answer = ServiceAnswer { text: "yes".to_owned(), is_json: false };
    let of_service = Reply { body: ReplyBody::Service(answer), ..reply("") };
    let fills = vec![
        fixture.fill(1, RunId::new(1)),
        Fill { endpoint: None, reply: Arc::new(of_service), ..fixture.fill(2, RunId::new(1)) },
    ];
    fixture.stores.settle(Settlement { fills, failures: vec![] }).await.unwrap();
    let Fixture { home, stores, endpoint, .. } = fixture;
    drop(stores);
    let connection = writable(&home).await;
    let steps = Migrator::migrations();
    let before = steps.iter().position(|step| step.name() == "m0043_service_answers").unwrap();
    Migrator::down(&connection, Some(u32::try_from(steps.len() - before).unwrap())).await.unwrap();
    let count = async |sql: &str| {
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get::<i64>("", "n").unwrap()
    };
    for condition in ["1 = 1", "model = 'm' AND endpoint_id IS NOT NULL"] {
        let left = count(&format!("SELECT count(*) AS n FROM answer WHERE {condition}")).await;
        assert_eq!(left, 1, "{condition}");
    }
    let unanswered = "SELECT count(*) AS n FROM response_cache c WHERE NOT EXISTS \
         (SELECT 1 FROM answer a WHERE a.id = c.answer_id)";
    assert_eq!(count(unanswered).await, 0, "a call can be made again");
    Migrator::up(&connection, None).await.unwrap();
    let kept = "SELECT count(*) AS n FROM answer WHERE model = 'm' AND service_json IS NULL";
    assert_eq!(count(kept).await, 1);
    connection.close().await.unwrap();
    let known = home.stores().await.endpoint(endpoint).await.unwrap();
    assert!(known.is_some());
}

/// All migrations can be reverted, and leave nothing behind.
async fn back_and_forth(home: &Home) {
    let connection = writable(home).await;
    let later = Migrator::migrations().len() - BEFORE as usize;
    Migrator::down(&connection, Some(u32::try_from(later).unwrap())).await.unwrap();
    let sql = "SELECT count(*) AS n FROM run WHERE rank_score = -2.0 OR (rank_score = 0.0 AND score = 1.0)";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 2);
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();
}

fn ids(runs: impl Iterator<Item = RunId>) -> Vec<u128> {
    runs.map(RunId::bits).collect()
}

async fn writable(home: &Home) -> DatabaseConnection {
    let url = match home.url() {
        Some(url) => url.to_owned(),
        None => {
            std::fs::create_dir_all(home.data()).unwrap();
            format!("sqlite://{}?mode=rwc", home.data().join("promptlooper.db").display())
        }
    };
    Database::connect(url).await.unwrap()
}

async fn execute(connection: &DatabaseConnection, sql: &str, values: Vec<Bound>) {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await.unwrap();
}

fn id(bits: u128) -> Bound {
    Bound::Uuid(Some(Uuid::from_u128(bits)))
}

fn document(doc: &serde_json::Value) -> Bound {
    Bound::Json(Some(Box::new(json!({"v": 1, "doc": doc}))))
}

async fn make_experiment(connection: &DatabaseConnection) {
    let project = "INSERT INTO project (id, name) VALUES ($1, 'p')";
    execute(connection, project, vec![id(EXPERIMENT)]).await;
    let set = "INSERT INTO sample_set (id, digest, count) VALUES ($1, $2, 10)";
    execute(connection, set, vec![id(EXPERIMENT), "0".repeat(64).into()]).await;
    let experiment = "INSERT INTO experiment (id, project_id, sample_set_id, name, documents, pipeline_stages, \
         scoring_config, parameter_space, repeats, holdout, status) VALUES ($1, $1, $1, 'e', $2, $3, $4, $5, 2, 0.0, 'draft')";
    let values = vec![
        id(EXPERIMENT),
        document(&json!([])),
        document(&json!([{"name": "s", "kind": "llm", "model": "m", "prompt": "p"}])),
        document(&json!([{"scorer": "length", "name": "exact", "options": {"unit": "words", "max": 1}}])),
        document(&json!({})),
    ];
    execute(connection, experiment, values).await;
}

async fn make_run(connection: &DatabaseConnection, (run, score, n, cost, value): OldRun) {
    let rank = score.map_or(-2.0, |score| if n < 9 { score - 1.0 } else { score });
    let config = json!({"values": {"temperature": value}, "targets": {}, "stages": []});
    let scores =
        json!([{"name": "exact", "value": score, "ci_low": null, "ci_high": null, "n": n, "failed": 0}]);
    let sql = "INSERT INTO run (id, experiment_id, config_hash, config, status, asked, done, score, n, rank_score, \
         listed, scores, cost_nano, latency_ms, started_at, completed_at) VALUES ($1, $2, $3, $4, 'completed', 10, 10, $5, \
         $6, $7, 1, $8, $9, 40, (SELECT created_at FROM experiment), (SELECT created_at FROM experiment))";
    let values = vec![
        id(run),
        id(EXPERIMENT),
        format!("{run:064x}").into(),
        document(&config),
        score.into(),
        n.into(),
        rank.into(),
        Bound::Json(Some(Box::new(scores))),
        cost.into(),
    ];
    execute(connection, sql, values).await;
}
