//! Lists of runs, leaderboards and their standings.

use std::collections::BTreeSet;
use std::time::Duration;

use application::ports::{
    BoardStore, ClaimedRun, Commit, CommitError, Journal, ListPlace, Metric, RunEnding, RunFilter, RunKey,
    RunListing, RunOrder, RunQuery, RunStore, RunSummary, Standings, StandingsStore,
};
use domain::event::{EventType, NewEvent};
use domain::id::RunId;
use domain::leaderboard::Standing;
use domain::money::NanoDollars;
use domain::run::RunStatus;
use domain::run::{EndKind, ErrorKind, RunEnd, RunError, ScorerTotal};
use domain::value::Value;
use promptlooper_tests::support::home::Kind;

use super::fixture::*;

on_both! {
    pages_neither_repeat_nor_skip,
    a_filter_that_few_pass_finds_them_among_many,
    a_board_pages_by_rank_among_equals,
    runs_of_one_configuration_that_end_at_once_leave_one_listed,
    the_lead_is_announced_for_the_first_run,
    standings_are_computed_by_one_process_and_survive_its_loss,
}

/// The end of a run with this score.
pub(super) fn ended(score: Option<f64>) -> RunEnd {
    let error = RunError { kind: ErrorKind::Internal, message: "x".into(), stage: None, sample: None };
    let scorer = ScorerTotal { name: "exact".into(), value: score, interval: None, n: 3, failed: 0 };
    RunEnd {
        kind: EndKind::Completed,
        score,
        n: 3,
        scores: vec![scorer],
        partial: false,
        ..RunEnd::failed(error)
    }
}

impl Fixture {
    async fn finish(&self, run: &ClaimedRun, end: RunEnd, cost: Option<i64>) -> Result<(), CommitError> {
        let mut block = self.block(run.lease, 3);
        block.sweep = run.sweep;
        block.usage.cost = cost.map(NanoDollars::new);
        block.usage.latency_ms = cost.map_or(0, i64::unsigned_abs);
        let lead = Some(NewEvent::new(self.experiment, EventType::NewBestFound, []));
        block.ending = Some(RunEnding { end, completed: None, lead });
        self.stores.commit(Commit { block: Some(block), ..Commit::default() }).await.map(drop)
    }

    async fn finished(&self, configs: &[u8], score: impl Fn(usize) -> Option<f64>) -> Vec<RunId> {
        self.launch(configs).await;
        let claimed = self.stores.claim_runs(self.worker, configs.len(), LEASE).await;
        for ((n, run), cost) in claimed.iter().enumerate().zip((0..4).cycle()) {
            self.finish(run, ended(score(n)), Some(cost)).await.unwrap();
        }
        claimed.iter().map(|run| run.lease.run).collect()
    }

    fn query(&self, by: RunKey, descending: bool, after: Option<ListPlace>) -> RunQuery {
        let order = RunOrder { by, descending };
        RunQuery { filter: RunFilter::all(self.experiment), order, after, limit: 7 }
    }
}

fn keys() -> Vec<RunKey> {
    let metrics = [Metric::Score, Metric::Cost, Metric::Latency, Metric::CostPerSample];
    let metrics = metrics.into_iter().chain([Metric::Scorer("exact".into()), Metric::LatencyPerSample]);
    let mut keys: Vec<RunKey> = metrics.map(RunKey::Metric).collect();
    keys.extend([RunKey::Created, RunKey::Value("n".into())]);
    keys
}

/// The sort key of a run; `None` comes last.
fn key(run: &RunSummary, by: &RunKey) -> Option<f64> {
    let figure = match by {
        RunKey::Created => return Some(0.0),
        RunKey::Value(name) => run.config.values.get(name)?.as_number()?.as_f64(),
        RunKey::Metric(_) if run.state.status() != RunStatus::Completed => return None,
        RunKey::Metric(Metric::Score | Metric::Scorer(_)) => return run.score,
        RunKey::Metric(Metric::Cost | Metric::CostPerSample) => run.cost?.dollars(),
        RunKey::Metric(_) => run.latency_ms as f64,
        RunKey::Rank => return None,
    };
    Some(figure)
}

/// Every run that existed at the beginning is on one page, in order, while others are created and end.
async fn pages_neither_repeat_nor_skip(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let configs: Vec<u8> = (0..40).collect();
    let score = |n: usize| (!n.is_multiple_of(5)).then(|| (n % 6) as f64 / 10.0);
    let finished = fixture.finished(&configs, score).await;
    let waiting = fixture.launch(&[40, 41, 42]).await;
    let (mut next_config, all) = (50, finished.into_iter().chain(waiting).collect::<BTreeSet<_>>());
    for by in keys() {
        for descending in [true, false] {
            let (mut seen, mut after) = (Vec::<RunSummary>::new(), None);
            loop {
                let query = fixture.query(by.clone(), descending, after.take());
                let RunListing { items, next } = fixture.stores.page(query).await.unwrap();
                assert!(items.len() <= 7);
                seen.extend(items);
                after = next;
                if after.is_none() {
                    break;
                }
                if seen.len().is_multiple_of(3) {
                    fixture.launch(&[next_config]).await;
                    next_config += 1;
                }
            }
            let ids: Vec<RunId> = seen.iter().map(|run| run.id).collect();
            let known: Vec<RunId> = ids.iter().copied().filter(|id| all.contains(id)).collect();
            assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), ids.len().min(all.len()), "{by:?}");
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{by:?} repeats");
            let place = |run: &RunSummary| {
                let key = key(run, &by).map(|key| if descending { -key } else { key });
                let age = run.id.bits().cast_signed();
                (key.is_none(), key.unwrap_or(0.0), if descending { -age } else { age })
            };
            assert!(seen.iter().map(place).is_sorted(), "{by:?} descending {descending}: {ids:?}");
        }
    }
}

async fn a_filter_that_few_pass_finds_them_among_many(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let configs: Vec<u8> = (0..60).collect();
    let ids = fixture.finished(&configs, |n| Some(n as f64 / 100.0)).await;
    let waiting = fixture.launch(&[70]).await;
    for by in keys().into_iter().filter(|by| *by != RunKey::Rank) {
        let filtered = async |filter: RunFilter| {
            let query = RunQuery { filter, ..fixture.query(by.clone(), true, None) };
            let found = fixture.stores.page(query).await.unwrap();
            assert_eq!(found.next, None, "{by:?}");
            found.items.iter().map(|run| run.id).collect::<Vec<_>>()
        };
        let all = RunFilter::all(fixture.experiment);
        let five = vec![("n".to_owned(), vec![Value::from("5"), Value::from(5_u64)])];
        assert_eq!(filtered(RunFilter { values: five.clone(), ..all.clone() }).await, [ids[5]], "{by:?}");
        let text = vec![("n".to_owned(), vec![Value::from("5")])];
        assert_eq!(filtered(RunFilter { values: text, ..all.clone() }).await, [], "{by:?}");
        let pending = RunFilter { status: Some(RunStatus::Pending), ..all.clone() };
        assert_eq!(filtered(pending).await, waiting, "{by:?}");
        let both = RunFilter { status: Some(RunStatus::Pending), values: five, ..all };
        assert_eq!(filtered(both).await, [], "{by:?}");
    }
    let best = vec![("n".to_owned(), vec![Value::from(59_u64)])];
    let filter = RunFilter { values: best, ..RunFilter::all(fixture.experiment) };
    let query = RunQuery { filter, ..fixture.query(RunKey::Rank, true, None) };
    let board = fixture.stores.board(query).await.unwrap();
    assert_eq!(board.items.iter().map(|run| run.id).collect::<Vec<_>>(), [ids[59]]);
    assert_eq!(board.items[0].values["n"], Value::from(59_u64));
}

/// Whole runs by score, older ones first among equals, then partial ones, then those without a score.
async fn a_board_pages_by_rank_among_equals(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let configs: Vec<u8> = (0..30).collect();
    fixture.launch(&configs).await;
    let claimed = fixture.stores.claim_runs(fixture.worker, 30, LEASE).await;
    let mut expected = Vec::new();
    for (n, run) in claimed.iter().enumerate() {
        let score = (!n.is_multiple_of(7)).then_some(if n.is_multiple_of(2) { 0.5 } else { 0.75 });
        let partial = n.is_multiple_of(5);
        fixture.finish(run, RunEnd { partial, ..ended(score) }, None).await.unwrap();
        let class = if score.is_none() { 0 } else { 2 - i64::from(partial) };
        expected.push((-class, -score.unwrap_or(0.0), run.lease.run));
    }
    expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.stores.board(fixture.query(RunKey::Rank, true, after)).await.unwrap();
        seen.extend(page.items.iter().map(|run| run.id));
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    assert_eq!(seen, expected.iter().map(|(_, _, run)| *run).collect::<Vec<_>>());
    assert_eq!(fixture.stores.leader(fixture.experiment).await.unwrap().unwrap().id, seen[0]);
    let unlisted = fixture.number("SELECT count(*) AS n FROM run WHERE listed = 0").await;
    assert_eq!(unlisted, 0);
}

/// Processes that end runs of one configuration at the same time neither leave both on the board nor deadlock.
async fn runs_of_one_configuration_that_end_at_once_leave_one_listed(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let other = match kind {
        Kind::Sqlite => fixture.stores.clone(),
        Kind::Postgres => fixture.home.stores().await,
    };
    for round in 0..20 {
        let single = |n: u128| {
            let single = fixture.single(RunId::new(round * 10 + n + 1), 1);
            Commit { single: Some(single), ..Commit::default() }
        };
        for n in 0..4 {
            fixture.stores.commit(single(n)).await.unwrap();
        }
        let claimed = fixture.stores.claim_runs(fixture.worker, 4, LEASE).await;
        let ends = claimed.iter().enumerate().map(|(n, run)| {
            let stores = if n.is_multiple_of(2) { &fixture.stores } else { &other };
            let mut block = fixture.block(run.lease, 3);
            (block.sweep, block.ending) = (None, Some(ended(Some(0.5)).into()));
            stores.commit(Commit { block: Some(block), ..Commit::default() })
        });
        for landed in futures::future::join_all(ends).await {
            landed.unwrap();
        }
        assert_eq!(fixture.number("SELECT count(*) AS n FROM run WHERE listed = 1").await, 1);
    }
}

async fn the_lead_is_announced_for_the_first_run(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let told = async || fixture.number("SELECT count(*) AS n FROM event WHERE type = 'new_best_found'").await;
    fixture.finished(&[1], |_| Some(0.5)).await;
    assert_eq!(told().await, 1);
    fixture.finished(&[2], |_| Some(0.5)).await;
    assert_eq!(told().await, 1, "an equal does not take the lead");
    fixture.finished(&[3], |_| Some(0.7)).await;
    assert_eq!(told().await, 2);
    // The leading configuration is run again with a lower score. From then on, a lower score takes the lead.
    let again = async |run: u128, score: f64| {
        let single = fixture.single(RunId::new(run), 3);
        fixture.stores.commit(Commit { single: Some(single), ..Commit::default() }).await.unwrap();
        let claimed = fixture.stores.claim_runs(fixture.worker, 1, LEASE).await;
        fixture.finish(&claimed[0], ended(Some(score)), None).await.unwrap();
    };
    again(1, 0.2).await;
    assert_eq!(told().await, 2);
    fixture.finished(&[4], |_| Some(0.6)).await;
    assert_eq!(told().await, 3, "it stands first");
    again(2, 0.6).await;
    assert_eq!(told().await, 3);
}

async fn standings_are_computed_by_one_process_and_survive_its_loss(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, experiment) = (&fixture.stores, fixture.experiment);
    let claim = async |lease: u64, at_once: bool| {
        let at_once = at_once.then_some(experiment);
        stores.claim_standings(Duration::from_millis(lease), at_once).await.unwrap()
    };
    assert_eq!(claim(10_000, true).await, None, "nothing has ended");
    assert!(stores.board_state(experiment).await.unwrap().is_current);
    let runs = fixture.finished(&[1, 2], |n| Some(n as f64 / 2.0)).await;
    assert!(!stores.board_state(experiment).await.unwrap().is_current);
    let lost = claim(50, false).await.unwrap();
    assert_eq!(lost.experiment, experiment);
    assert_eq!(claim(50, false).await, None, "somebody computes them");
    assert_eq!(claim(50, true).await, Some(lost), "whoever needs them at once need not wait");
    tokio::time::sleep(Duration::from_millis(80)).await;
    let taken_over = claim(10_000, false).await.unwrap();
    assert_eq!(taken_over, lost, "whoever was to compute them is gone");
    let partial = Standing {
        run: runs[0],
        score: Some(0.25),
        interval: None,
        n: 1,
        n_total: 3,
        partial: true,
        score_shrunk: None,
        ties_best: true,
        p_best: None,
    };
    let standings = Standings { compared: vec![partial], order: vec![runs[1], runs[0]] };
    stores.put_standings(taken_over, standings.clone(), Duration::from_mins(1)).await.unwrap();
    let state = stores.board_state(experiment).await.unwrap();
    assert!(state.is_current);
    assert_eq!(state.standings, standings);
    assert_eq!(claim(50, true).await, None);
    fixture.finished(&[3], |_| Some(0.9)).await;
    assert!(!stores.board_state(experiment).await.unwrap().is_current);
    assert_eq!(claim(50, false).await, None, "they are to rest");
    let newer = claim(10_000, true).await.unwrap();
    assert!(newer.rev > lost.rev);
    let newest = Standings { order: vec![runs[1]], ..Standings::default() };
    stores.put_standings(newer, newest.clone(), Duration::ZERO).await.unwrap();
    stores.put_standings(lost, standings, Duration::ZERO).await.unwrap();
    assert_eq!(stores.board_state(experiment).await.unwrap().standings, newest, "older ones came late");
    let first = stores.ranked(experiment, 2).await.unwrap();
    assert_eq!((first.len(), first[0].score), (2, Some(0.9)));
}
