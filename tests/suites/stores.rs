//! What every store promises, on both databases.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{
    AnswerId, Block, Breaker, CallClaim, CallStore, Claim, CommitError, EndpointStore, ExperimentStore,
    FailedCall, Fill, Ids as _, Journal, Launch, NewExperiment, NewProject, NewRun, NewSamples, NewSweep,
    ProjectStore, Reservation, RunConfig, RunLease, RunStore, SlotStore, StageBinding, SweepMove, SweepStore,
    Unit, WorkerStore,
};
use application::sweeps::{SweepError, Sweeps};
use domain::access::{Actor, Scope, Writer};
use domain::call::{
    Call, CallFailure, Completion, Digest, FailureKind, Flags, Message, ResponseFormat, Role,
};
use domain::endpoint::{Endpoint, EndpointIdentity, EndpointKind, Limits, MaxTokensField};
use domain::event::{EventType, NewEvent};
use domain::experiment::{Draft, Places, ScoringDraft, StageDraft};
use domain::id::{EndpointId, ExperimentId, ProjectId, RunId, SampleSetId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::run::Place;
use domain::sample::Sample;
use domain::secret::Secret;
use domain::sweep::{Command, PauseReason, SweepKind, SweepLimits, SweepStatus};
use domain::value::{Map, Value};
use persistence::Stores;
use promptlooper_tests::support::home::{Home, Kind};
use sea_orm::{ConnectionTrait as _, Statement};
use system::SystemIds;

const LEASE: Duration = Duration::from_mins(1);

/// An open database with one experiment, one sweep and one live worker.
struct Fixture {
    home: Home,
    stores: Stores,
    endpoint: EndpointId,
    experiment: ExperimentId,
    sweep: SweepId,
    worker: WorkerId,
}

impl Fixture {
    async fn new(kind: Kind, limits: SweepLimits) -> Self {
        let home = Home::new(kind).await;
        let stores = home.stores().await;
        let endpoint = stores.put(endpoint("fake", "http://127.0.0.1:1/v1", None)).await.unwrap().id;
        let experiment = experiment(&stores).await;
        let sweep = SweepId::new(SystemIds.next());
        let begin = NewSweep { id: sweep, experiment, kind: SweepKind::Random, seed: 7, limits };
        stores.commit(Unit { begin: Some(begin), ..Unit::default() }).await.unwrap();
        let worker = live(&stores).await;
        Self { home, stores, endpoint, experiment, sweep, worker }
    }

    async fn plain(kind: Kind) -> Self {
        Self::new(kind, SweepLimits::default()).await
    }

    fn claim(&self, n: u8) -> CallClaim {
        CallClaim { hash: hash(n), sweep: Some(self.sweep), reserve: None }
    }

    async fn claimed(&self, n: u8, by: WorkerId) -> Claim {
        self.stores.claim_calls(vec![self.claim(n)], by).await.remove(0)
    }

    fn fill(&self, n: u8, run: RunId) -> Fill {
        Fill {
            hash: hash(n),
            endpoint: self.endpoint,
            call: call(),
            completion: completion("yes"),
            cost: Some(NanoDollars::new(5)),
            place: place(run),
            sweep: Some(self.sweep),
        }
    }

    async fn fill_in(&self, n: u8) -> AnswerId {
        let unit = Unit { fills: vec![self.fill(n, RunId::new(1))], ..Unit::default() };
        self.stores.commit(unit).await.unwrap().answers[0]
    }

    async fn launch(&self, configs: &[u8]) -> Vec<RunId> {
        let stored = self.stores.conduct(self.worker, LEASE, None).await.unwrap().remove(0);
        let runs: Vec<NewRun> =
            configs.iter().zip(stored.asked..).map(|(n, trial)| self.run(*n, trial)).collect();
        let ids = runs.iter().map(|run| run.id).collect();
        let (epoch, version) = (stored.epoch, stored.version);
        let launch = Launch { sweep: self.sweep, experiment: self.experiment, epoch, version, runs };
        self.stores.commit(Unit { launch: Some(launch), ..Unit::default() }).await.unwrap();
        ids
    }

    fn run(&self, n: u8, trial: u64) -> NewRun {
        let identity = EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1:1/v1");
        let binding = StageBinding { endpoint: self.endpoint, identity, model: "m".into() };
        let config = RunConfig {
            values: Map::from([("n".to_owned(), Value::from(u32::from(n)))]),
            places: Some(Places::default()),
            stages: vec![binding],
        };
        NewRun { id: RunId::new(SystemIds.next()), trial, config_hash: hash(n), config, asked: 3 }
    }

    fn block(&self, lease: RunLease, upto: u32) -> Block {
        Block {
            lease,
            sweep: Some(self.sweep),
            no: 0,
            upto,
            results: vec![],
            scores: vec![],
            vector: vec![0.5; upto as usize],
            tokens: Tokens { input: 3, output: 1 },
            paid: Tokens { input: 3, output: 1 },
            cost: None,
            paid_cost: None,
            latency_ms: 7,
            calls: 1,
            hits: 0,
            failures: 0,
            end: None,
            completed: None,
            lead: None,
        }
    }

    async fn number(&self, sql: &str) -> i64 {
        let connection = self.home.connection().await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
    }
}

/// Both traits have a `claim`.
trait Claims {
    async fn claim_calls(&self, calls: Vec<CallClaim>, by: WorkerId) -> Vec<Claim>;
    async fn claim_runs(
        &self,
        by: WorkerId,
        want: usize,
        lease: Duration,
    ) -> Vec<application::ports::ClaimedRun>;
}

impl Claims for Stores {
    async fn claim_calls(&self, calls: Vec<CallClaim>, by: WorkerId) -> Vec<Claim> {
        CallStore::claim(self, calls, by).await.unwrap()
    }

    async fn claim_runs(
        &self,
        by: WorkerId,
        want: usize,
        lease: Duration,
    ) -> Vec<application::ports::ClaimedRun> {
        RunStore::claim(self, by, want, lease, None).await.unwrap()
    }
}

async fn live(stores: &Stores) -> WorkerId {
    let worker = WorkerId::new(SystemIds.next());
    stores.register(worker, LEASE).await.unwrap();
    worker
}

fn hash(n: u8) -> Digest {
    Digest::new([n; 32])
}

fn place(run: RunId) -> Place {
    Place { run, sample: 0, repeat: 1, stage: 0 }
}

fn call() -> Call {
    Call {
        endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1:1/v1"),
        model: "m".into(),
        messages: vec![Message { role: Role::User, content: "hi".into() }],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    }
}

fn completion(text: &str) -> Completion {
    Completion {
        text: text.into(),
        model_returned: Some("m-2".into()),
        tokens: Tokens { input: 10, output: 4 },
        latency: Duration::from_micros(1_234),
        finish_reason: Some("stop".into()),
        flags: Flags { truncated: true, ..Flags::default() },
        tool_calls: None,
    }
}

fn endpoint(label: &str, url: &str, key: Option<&str>) -> Endpoint {
    Endpoint {
        id: EndpointId::new(SystemIds.next()),
        label: label.into(),
        identity: EndpointIdentity::new(EndpointKind::OpenAi, url),
        api_key: key.map(Secret::new),
        prices: std::collections::BTreeMap::new(),
        limits: Limits::default(),
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        max_output_tokens: Some(9),
        timeout: Duration::from_millis(1_500),
    }
}

fn draft() -> Draft {
    let stage = StageDraft {
        name: "s".into(),
        model: Some("m".into()),
        prompt: "{{ sample.input }}".into(),
        ..StageDraft::default()
    };
    let scorer = ScoringDraft { scorer: "exact_match".into(), ..ScoringDraft::default() };
    Draft { name: "e".into(), stages: vec![stage], scoring: vec![scorer], repeats: 2, ..Draft::default() }
}

fn samples() -> Vec<Sample> {
    let sample = |text: &str| Sample { input: Value::from(text), reference: None, meta: Map::new() };
    ["a", "b", "é\n\"c\""].map(sample).to_vec()
}

async fn experiment(stores: &Stores) -> ExperimentId {
    let new = NewProject {
        id: ProjectId::new(SystemIds.next()),
        name: "cli".to_owned(),
        description: None,
        owner: None,
    };
    let project = stores.project_named(new).await.unwrap();
    let id = ExperimentId::new(SystemIds.next());
    let new = NewExperiment {
        id,
        project,
        draft: draft(),
        samples: NewSamples {
            samples: samples(),
            set: SampleSetId::new(SystemIds.next()),
            digest: hash(200),
        },
        document_digest: Some(hash(201)),
    };
    stores.insert(new).await.unwrap();
    id
}

fn writer() -> Writer {
    Actor::key("test".to_owned(), Scope::Write).writer().unwrap()
}

/// Runs a promise on both databases.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() { super::$name(super::Kind::Sqlite).await; })+ }
        mod postgres { $(#[tokio::test] async fn $name() { super::$name(super::Kind::Postgres).await; })+ }
    };
}

on_both! {
    experiments_come_back_as_they_were,
    endpoints_keep_their_key_for_their_server,
    slots_are_shared_among_the_living,
    a_call_has_one_claimant,
    claims_of_the_dead_are_free,
    answers_come_back_as_they_were,
    failures_hold_for_their_sweep,
    a_budget_is_reserved_and_given_back,
    many_commits_share_transactions_and_harm_nobody,
    runs_are_claimed_once,
    runs_of_paused_sweeps_rest,
    whoever_lost_a_run_cannot_write_to_it,
    equal_configurations_are_one_run,
    a_sweep_has_one_conductor_and_one_version,
    an_experiment_has_one_active_sweep,
    sweeps_are_steered_through_their_decider,
}

async fn experiments_come_back_as_they_were(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let stored = fixture.stores.experiment(fixture.experiment).await.unwrap().unwrap();
    assert_eq!(*stored.definition, draft().define().unwrap());
    assert_eq!(stored.samples, 3);
    let read = ExperimentStore::samples(&fixture.stores, stored.sample_set, &[2, 0]).await.unwrap();
    assert_eq!(read, [samples()[2].clone(), samples()[0].clone()]);
    let found = fixture.stores.by_document(stored.project, hash(201)).await.unwrap();
    assert_eq!(found, Some(fixture.experiment));
    assert_eq!(fixture.stores.by_name("e").await.unwrap(), [fixture.experiment]);
    assert!(ExperimentStore::samples(&fixture.stores, stored.sample_set, &[7]).await.is_err());
}

async fn endpoints_keep_their_key_for_their_server(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let stores = &fixture.stores;
    let first = stores.put(endpoint("a", "http://h:1/v1", Some("sk-1"))).await.unwrap();
    let moved = stores.put(endpoint("a", "http://h:1/v2", None)).await.unwrap();
    assert_eq!((moved.id, moved.api_key.as_ref().map(Secret::expose)), (first.id, Some("sk-1")));
    assert_eq!(stores.endpoint(first.id).await.unwrap(), Some(moved));
    let elsewhere = stores.put(endpoint("a", "http://other:1/v1", None)).await.unwrap();
    assert_eq!(elsewhere.api_key, None);
    assert_eq!(stores.all().await.unwrap().len(), 2);
    stores.set_breaker(first.id, Some(Breaker { reason: "401".into() })).await.unwrap();
    assert_eq!(stores.breaker(first.id).await.unwrap(), Some(Breaker { reason: "401".into() }));
    stores.set_breaker(first.id, None).await.unwrap();
    assert_eq!(stores.breaker(first.id).await.unwrap(), None);
}

async fn slots_are_shared_among_the_living(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, endpoint) = (&fixture.stores, fixture.endpoint);
    let hold =
        async |worker, want, in_flight| stores.hold(worker, endpoint, 8, want, in_flight).await.unwrap();
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

async fn a_call_has_one_claimant(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let second = live(&fixture.stores).await;
    let twice = fixture.stores.claim_calls(vec![fixture.claim(1), fixture.claim(1)], fixture.worker).await;
    assert_eq!(twice, [Claim::Yours, Claim::Busy]);
    assert_eq!(fixture.claimed(1, second).await, Claim::Busy);
    assert_eq!(fixture.claimed(1, fixture.worker).await, Claim::Yours, "its own claim is its own again");
    CallStore::release(&fixture.stores, &[hash(1)], fixture.worker).await.unwrap();
    assert_eq!(fixture.claimed(1, second).await, Claim::Yours);
    let stores = Arc::new(fixture.stores.clone());
    let racing = (0..32).map(|i| {
        let (stores, claim) = (Arc::clone(&stores), fixture.claim(9));
        let by = if i % 2 == 0 { fixture.worker } else { second };
        tokio::spawn(async move { (by, stores.claim_calls(vec![claim], by).await.remove(0)) })
    });
    let mut winners: Vec<WorkerId> = Vec::new();
    for race in racing.collect::<Vec<_>>() {
        let (by, claim) = race.await.unwrap();
        winners.extend((claim == Claim::Yours).then_some(by));
    }
    winners.sort();
    winners.dedup();
    assert_eq!(winners.len(), 1, "two workers won");
}

async fn claims_of_the_dead_are_free(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let doomed = WorkerId::new(SystemIds.next());
    fixture.stores.register(doomed, Duration::from_millis(1)).await.unwrap();
    assert_eq!(fixture.claimed(1, doomed).await, Claim::Yours);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(fixture.claimed(1, fixture.worker).await, Claim::Yours);
}

async fn answers_come_back_as_they_were(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    assert_eq!(fixture.claimed(1, fixture.worker).await, Claim::Yours);
    let id = fixture.fill_in(1).await;
    let Claim::Answered(answer) = fixture.claimed(1, fixture.worker).await else { panic!("no answer") };
    assert_eq!(
        (answer.id, answer.cost, answer.paid_by),
        (id, Some(NanoDollars::new(5)), place(RunId::new(1)))
    );
    assert_eq!(answer.completion, completion("yes"));
    // A second answer to the same call is kept, and the first one stays.
    let second = fixture.fill_in(1).await;
    assert_ne!(second, id);
    let Claim::Answered(answer) = fixture.claimed(1, fixture.worker).await else { panic!("no answer") };
    assert_eq!(answer.id, id);
    assert_eq!(fixture.number("SELECT count(*) AS n FROM answer").await, 2);
    let totals = fixture.stores.totals(fixture.sweep).await.unwrap();
    assert_eq!(
        (totals.calls, totals.tokens, totals.cost),
        (2, Tokens { input: 20, output: 8 }, Some(NanoDollars::new(10)))
    );
}

async fn failures_hold_for_their_sweep(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    assert_eq!(fixture.claimed(1, fixture.worker).await, Claim::Yours);
    let failure = CallFailure::new(FailureKind::Rejected, "400: no");
    let failed = FailedCall {
        hash: hash(1),
        by: fixture.worker,
        sweep: Some(fixture.sweep),
        failure: failure.clone(),
    };
    fixture.stores.commit(Unit { failures: vec![failed], ..Unit::default() }).await.unwrap();
    assert_eq!(fixture.claimed(1, fixture.worker).await, Claim::Failed(failure));
    let other = CallClaim { sweep: Some(SweepId::new(5)), ..fixture.claim(1) };
    assert_eq!(fixture.stores.claim_calls(vec![other], fixture.worker).await, [Claim::Yours]);
}

async fn a_budget_is_reserved_and_given_back(kind: Kind) {
    let limits = SweepLimits { max_tokens: Some(100), ..SweepLimits::default() };
    let fixture = Fixture::new(kind, limits).await;
    let wish = |n, tokens| {
        let reserve = Some(Reservation { tokens, cost: NanoDollars::ZERO });
        CallClaim { reserve, ..fixture.claim(n) }
    };
    let claims =
        fixture.stores.claim_calls(vec![wish(1, 60), wish(2, 60), wish(3, 40)], fixture.worker).await;
    assert_eq!(claims, [Claim::Yours, Claim::NoBudget { open: true }, Claim::Yours]);
    // The first used 14 of its 60.
    fixture.fill_in(1).await;
    assert_eq!(
        fixture.stores.claim_calls(vec![wish(2, 60)], fixture.worker).await,
        [Claim::NoBudget { open: true }]
    );
    CallStore::release(&fixture.stores, &[hash(3)], fixture.worker).await.unwrap();
    assert_eq!(fixture.stores.claim_calls(vec![wish(2, 60)], fixture.worker).await, [Claim::Yours]);
    fixture.fill_in(2).await;
    assert_eq!(
        fixture.stores.claim_calls(vec![wish(4, 90)], fixture.worker).await,
        [Claim::NoBudget { open: false }]
    );
}

async fn many_commits_share_transactions_and_harm_nobody(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let event = NewEvent::new(fixture.experiment, EventType::CacheHit, []);
    let tasks: Vec<_> = (0..128_u32)
        .map(|i| {
            let (stores, mut unit) =
                (fixture.stores.clone(), Unit { events: vec![event.clone()], ..Unit::default() });
            // Each fourth is of somebody who has lost the run, and must not land.
            if i % 4 == 0 {
                unit.block = Some(fixture.block(RunLease { run: RunId::new(99), epoch: 1 }, 1));
            }
            tokio::spawn(async move { stores.commit(unit).await })
        })
        .collect();
    let mut fenced = 0;
    for task in tasks {
        fenced += usize::from(task.await.unwrap() == Err(CommitError::Conflict));
    }
    assert_eq!(fenced, 32);
    assert_eq!(fixture.number("SELECT count(*) AS n FROM event").await, 96);
    assert_eq!(fixture.number("SELECT last AS n FROM event_clock").await, 96);
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
    fixture.stores.commit(Unit { moved: Some(pause.clone()), ..Unit::default() }).await.unwrap();
    assert!(fixture.stores.claim_runs(fixture.worker, 1, LEASE).await.is_empty());
    let late = Unit { block: Some(fixture.block(claimed[0].lease, 1)), ..Unit::default() };
    assert_eq!(
        fixture.stores.commit(late).await,
        Err(CommitError::Conflict),
        "a recalled run was written to"
    );
    let stop = SweepMove { version: pause.version + 1, status: SweepStatus::Stopped, cancel: true, ..pause };
    fixture.stores.commit(Unit { moved: Some(stop), ..Unit::default() }).await.unwrap();
    let totals = fixture.stores.totals(fixture.sweep).await.unwrap();
    assert_eq!((totals.cancelled, totals.running), (1, 0));
}

async fn whoever_lost_a_run_cannot_write_to_it(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1]).await;
    let old = fixture.stores.claim_runs(fixture.worker, 1, Duration::from_millis(1)).await.remove(0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let new = fixture.stores.claim_runs(live(&fixture.stores).await, 1, LEASE).await.remove(0);
    assert_eq!(fixture.claimed(7, fixture.worker).await, Claim::Yours);
    let unit = Unit {
        fills: vec![fixture.fill(7, old.lease.run)],
        block: Some(fixture.block(old.lease, 2)),
        ..Unit::default()
    };
    assert_eq!(fixture.stores.commit(unit).await, Err(CommitError::Conflict));
    assert!(matches!(fixture.claimed(7, fixture.worker).await, Claim::Answered(_)), "a paid answer was lost");
    let unit = Unit { block: Some(fixture.block(new.lease, 2)), ..Unit::default() };
    fixture.stores.commit(unit).await.unwrap();
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
    let stale = Launch {
        sweep: fixture.sweep,
        experiment: fixture.experiment,
        epoch: held[0].epoch,
        version: held[0].version,
        runs: vec![fixture.run(1, 0)],
    };
    let refused = stores.commit(Unit { launch: Some(stale), ..Unit::default() }).await;
    assert_eq!(refused, Err(CommitError::Conflict));
    assert_eq!(fixture.number("SELECT count(*) AS n FROM run").await, 0);
}

async fn an_experiment_has_one_active_sweep(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let begin = NewSweep {
        id: SweepId::new(SystemIds.next()),
        experiment: fixture.experiment,
        kind: SweepKind::Grid { shuffle: true },
        seed: u64::MAX,
        limits: SweepLimits::default(),
    };
    let second = Unit { begin: Some(begin.clone()), ..Unit::default() };
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
    fixture.stores.commit(Unit { moved: Some(stop), ..Unit::default() }).await.unwrap();
    fixture.stores.commit(second).await.unwrap();
    let latest = fixture.stores.latest(fixture.experiment).await.unwrap().unwrap();
    assert_eq!((latest.id, latest.kind, latest.seed), (begin.id, begin.kind, u64::MAX));
}

async fn sweeps_are_steered_through_their_decider(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1, 2]).await;
    let stores = Arc::new(fixture.stores.clone());
    let sweeps = Sweeps::new(application::sweeps::Ports {
        bell: Arc::new(queue::LocalBell::new()),
        endpoints: stores.clone(),
        experiments: stores.clone(),
        ids: Arc::new(SystemIds),
        journal: stores.clone(),
        runs: stores.clone(),
        sweeps: stores.clone(),
    });
    let command = async |command| sweeps.command(&writer(), fixture.sweep, command).await;
    assert!(matches!(command(Command::Resume).await, Err(SweepError::Transition(_))));
    let paused = command(Command::Pause { now: false }).await.unwrap();
    assert_eq!(paused.sweep.status, SweepStatus::Paused(PauseReason::Manual));
    assert!(fixture.stores.claim_runs(fixture.worker, 5, LEASE).await.is_empty());
    assert_eq!(command(Command::Resume).await.unwrap().sweep.status, SweepStatus::Running);
    assert_eq!(fixture.stores.claim_runs(fixture.worker, 1, LEASE).await.len(), 1);
    let stopped = command(Command::Stop).await.unwrap();
    assert_eq!(
        (stopped.sweep.status, stopped.totals.cancelled, stopped.totals.running),
        (SweepStatus::Stopped, 2, 0)
    );
    assert!(matches!(command(Command::Resume).await, Err(SweepError::Transition(_))));
    let told = "SELECT count(*) AS n FROM event WHERE type IN ('experiment.paused', 'experiment.resumed', 'experiment.stopped')";
    assert_eq!(fixture.number(told).await, 3);
}
