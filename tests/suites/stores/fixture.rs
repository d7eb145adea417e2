//! The initial state of store tests.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{
    AnswerId, Block, CallClaim, CallStore, Claim, Commit, EndpointStore, ExperimentStore, Fill, Ids as _,
    Journal, Launch, NewExperiment, NewProject, NewRun, NewSamples, NewSweep, ProjectStore, RunClaim,
    RunConfig, RunLease, RunStore, Settlement, SingleRun, StageBinding, StoredSweep, SweepStore, Usage,
    WorkerStore,
};
use domain::access::{Actor, Scope, Writer};
use domain::call::{
    Call, ChatCall, Completion, Digest, FlagCounts, Flags, Message, Reply, ReplyBody, ResponseFormat, Role,
};
use domain::endpoint::{Api, Auth, Endpoint, EndpointIdentity, EndpointKind, Limits, MaxTokensField};
use domain::experiment::{Draft, LlmDraft, Places, StageDraft};
use domain::id::{EndpointId, ExperimentId, ProjectId, RunId, SampleSetId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::run::{Asker, Origins, Payer};
use domain::sample::Sample;
use domain::scoring::ScoringDraft;
use domain::secret::Secret;
use domain::sweep::{SweepKind, SweepLimits};
use domain::value::{Map, Value};
use persistence::Stores;
use promptlooper_tests::support::home::{Home, Kind};
use sea_orm::{ConnectionTrait as _, Statement};
use system::SystemIds;

pub(super) const LEASE: Duration = Duration::from_mins(1);

/// An open database with one experiment, one sweep and one live worker.
pub(super) struct Fixture {
    pub(super) home: Home,
    pub(super) stores: Stores,
    pub(super) endpoint: EndpointId,
    pub(super) experiment: ExperimentId,
    pub(super) sweep: SweepId,
    pub(super) worker: WorkerId,
}

impl Fixture {
    pub(super) async fn new(kind: Kind, limits: SweepLimits) -> Self {
        let home = Home::new(kind).await;
        let stores = home.stores().await;
        let endpoint = stores.put(endpoint("fake", "http://127.0.0.1:1/v1", None)).await.unwrap().id;
        let experiment = experiment(&stores).await;
        let sweep = SweepId::new(SystemIds.next());
        let begin = NewSweep { id: sweep, experiment, revision: 1, kind: SweepKind::Random, seed: 7, limits };
        stores.commit(Commit { begin: Some(begin), ..Commit::default() }).await.unwrap();
        let worker = live(&stores).await;
        Self { home, stores, endpoint, experiment, sweep, worker }
    }

    pub(super) async fn plain(kind: Kind) -> Self {
        Self::new(kind, SweepLimits::default()).await
    }

    pub(super) fn claim(&self, n: u8) -> CallClaim {
        CallClaim { hash: hash(n), sweep: Some(self.sweep), reserve: None }
    }

    pub(super) async fn claimed(&self, n: u8, by: WorkerId) -> Claim {
        self.stores.claim_calls(vec![self.claim(n)], by).await.remove(0)
    }

    pub(super) fn fill(&self, n: u8, run: RunId) -> Fill {
        Fill {
            hash: hash(n),
            endpoint: Some(self.endpoint),
            call: Arc::new(call()),
            reply: Arc::new(reply("yes")),
            cost: Some(NanoDollars::new(5)),
            price_day: None,
            paid_by: Some(payer(run)),
            sweep: Some(self.sweep),
        }
    }

    pub(super) async fn fill_in(&self, n: u8) -> AnswerId {
        let calls = Settlement { fills: vec![self.fill(n, RunId::new(1))], failures: vec![] };
        self.stores.settle(calls).await.unwrap()[0]
    }

    pub(super) async fn launch(&self, configs: &[u8]) -> Vec<RunId> {
        let stored = self.stores.conduct(self.worker, LEASE, None).await.unwrap().remove(0);
        let new: Vec<NewRun> =
            configs.iter().zip(stored.asked..).map(|(n, trial)| self.run(*n, trial)).collect();
        let ids = new.iter().map(|run| run.id).collect();
        let launch = Launch { new, ..self.decision(&stored) };
        self.stores.commit(Commit { launch: Some(launch), ..Commit::default() }).await.unwrap();
        ids
    }

    /// The next decision of a sweep's conductor, without any changes.
    pub(super) fn decision(&self, stored: &StoredSweep) -> Launch {
        Launch {
            sweep: self.sweep,
            experiment: self.experiment,
            epoch: stored.epoch,
            version: stored.version,
            ask: stored.asks,
            seen: 0,
            new: vec![],
            extend: vec![],
            end: vec![],
        }
    }

    pub(super) fn run(&self, n: u8, trial: u64) -> NewRun {
        let identity = EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1:1/v1");
        let binding = StageBinding { endpoint: self.endpoint, identity, model: "m".into() };
        let config = RunConfig {
            values: Map::from([("n".to_owned(), Value::from(u32::from(n)))]),
            places: Some(Places::default()),
            stages: vec![Some(binding)],
        };
        NewRun {
            id: RunId::new(SystemIds.next()),
            trial,
            config_hash: hash(n),
            config,
            asked: 3,
            is_final: true,
            why: "sequence".into(),
        }
    }

    /// A run outside any sweep, with a configuration.
    pub(super) fn single(&self, id: RunId, n: u8) -> SingleRun {
        let NewRun { config_hash, config, asked, .. } = self.run(n, 0);
        SingleRun { id, experiment: self.experiment, revision: 1, config_hash, config, asked }
    }

    pub(super) fn block(&self, lease: RunLease, upto: u32) -> Block {
        Block {
            lease,
            sweep: Some(self.sweep),
            no: 0,
            upto,
            results: vec![],
            scores: vec![],
            vector: vec![0.5; upto as usize],
            origins: Origins::default(),
            usage: Usage {
                tokens: Tokens { input: 3, output: 1 },
                paid: Tokens { input: 3, output: 1 },
                cost: None,
                paid_cost: None,
                latency_ms: 7,
                calls: 1,
                hits: 0,
                saved: 0,
                flags: FlagCounts::default(),
            },
            failures: 0,
            ending: None,
        }
    }

    pub(super) async fn number(&self, sql: &str) -> i64 {
        let connection = self.home.connection().await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
    }
}

/// Two traits have a method `claim`.
pub(super) trait Claims {
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
        let claim = RunClaim { by, want, lease, only: None, alone: false };
        RunStore::claim(self, claim).await.unwrap()
    }
}

pub(super) async fn live(stores: &Stores) -> WorkerId {
    let worker = WorkerId::new(SystemIds.next());
    stores.register(worker, LEASE).await.unwrap();
    worker
}

pub(super) fn hash(n: u8) -> Digest {
    Digest::new([n; 32])
}

pub(super) fn payer(run: RunId) -> Payer {
    Payer { run, sample: 0, repeat: 1, asker: Asker::Stage(0), call: 0 }
}

pub(super) fn call() -> Call {
    let call = ChatCall {
        endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1:1/v1"),
        model: "m".into(),
        messages: vec![Message { role: Role::User, content: "hi".into() }],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    };
    call.into()
}

pub(super) fn reply(text: &str) -> Reply {
    let completion = Completion {
        text: text.into(),
        reasoning: Some("because".into()),
        finish_reason: Some("stop".into()),
        tool_calls: None,
    };
    Reply {
        model_returned: Some("m-2".into()),
        provider: Some("p".into()),
        system_fingerprint: Some("fp_1".into()),
        service_tier: Some("default".into()),
        tokens: Tokens { input: 10, output: 4 },
        latency: Duration::from_micros(1_234),
        flags: Flags { truncated: true, ..Flags::default() },
        ..Reply::of(ReplyBody::Completion(completion))
    }
}

pub(super) fn endpoint(label: &str, url: &str, key: Option<&str>) -> Endpoint {
    Endpoint {
        id: EndpointId::new(SystemIds.next()),
        label: label.into(),
        identity: EndpointIdentity::new(EndpointKind::OpenAi, url),
        api: Api::Responses,
        auth: Auth::XGoogApiKey,
        api_key: key.map(Secret::new),
        headers: None,
        prices: std::collections::BTreeMap::new(),
        limits: Limits::default(),
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        max_output_tokens: Some(9),
        timeout: Duration::from_millis(1_500),
    }
}

pub(super) fn draft() -> Draft {
    let stage = LlmDraft {
        endpoint: Some("fake".into()),
        model: Some("m".into()),
        prompt: "{{ sample.input }}".into(),
        ..LlmDraft::default()
    };
    let scorer = ScoringDraft { scorer: "exact_match".into(), ..ScoringDraft::default() };
    Draft {
        name: "e".into(),
        stages: vec![StageDraft::llm("s", stage)],
        scoring: vec![scorer],
        repeats: 2,
        ..Draft::default()
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let sample = |text: &str| Sample { input: Value::from(text), ..Sample::default() };
    ["a", "b", "é\n\"c\""].map(sample).to_vec()
}

pub(super) async fn experiment(stores: &Stores) -> ExperimentId {
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
    ExperimentStore::insert(stores, new).await.unwrap();
    id
}

pub(crate) fn writer() -> Writer {
    Actor::key("test".to_owned(), Scope::Write).writer().unwrap()
}
