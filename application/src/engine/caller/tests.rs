use async_trait::async_trait;
use domain::call::{ChatCall, Message, Reply, ResponseFormat, Role};
use domain::endpoint::{Endpoint, EndpointIdentity, EndpointKind};
use domain::id::RunId;
use domain::money::NanoDollars;
use domain::pricing::{CacheUse, Price, Tokens};
use domain::run::Asker;
use domain::value::Map;
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::join;

use super::*;
use crate::fixtures::completion;
use crate::list_prices;
use crate::ports::mocks::{
    MockCallStore, MockChance, MockClock, MockEndpointStore, MockFetch, MockJournal, MockModelServer,
    MockRateStore, MockSlotStore,
};
use crate::ports::{AnswerId, Claim};

/// Waits until it is told to go on, the first time.
struct Held(Mutex<Option<oneshot::Receiver<()>>>);

#[async_trait]
impl Timer for Held {
    async fn sleep(&self, _: Duration) {
        let held = self.0.lock().unwrap().take();
        if let Some(held) = held {
            held.await.unwrap();
        }
    }
}

fn caller(calls: MockCallStore, timer: Held) -> Arc<Caller> {
    // Nothing may be sent or stored: mocks without expectations panic.
    let ports = Ports {
        calls: Arc::new(calls),
        journal: Arc::new(MockJournal::new()),
        servers: Arc::new(MockModelServer::new()),
        fetch: Arc::new(MockFetch::new()),
        endpoints: Arc::new(MockEndpointStore::new()),
        slots: Arc::new(MockSlotStore::new()),
        rates: Arc::new(MockRateStore::new()),
        clock: Arc::new(MockClock::new()),
        timer: Arc::new(timer),
        chance: Arc::new(MockChance::new()),
    };
    Arc::new(Caller::new(ports, WorkerId::new(1)))
}

fn request(sweep: u128) -> CallRequest {
    let identity = EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1/v1");
    let endpoint = Endpoint::new(EndpointId::new(1), "e", identity.clone());
    let call = ChatCall { endpoint: identity, ..chat_call() };
    CallRequest {
        call: HashedCall { call: Arc::new(call.into()), hash: Digest::new([1; 32]) },
        to: Destination::Endpoint(Arc::new(endpoint)),
        payer: Some(payer(sweep)),
        sweep: Some(SweepId::new(sweep)),
        reserve: None,
        halt: Arc::default(),
    }
}

fn chat_call() -> ChatCall {
    ChatCall {
        endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1/v1"),
        model: "m".into(),
        messages: vec![Message { role: Role::User, content: "hi".into() }],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    }
}

fn payer(run: u128) -> Payer {
    Payer { run: RunId::new(run), sample: 0, repeat: 1, asker: Asker::Stage(0), call: 0 }
}

fn stored() -> Arc<StoredAnswer> {
    Arc::new(StoredAnswer {
        id: AnswerId(7),
        reply: Arc::new(completion("yes")),
        cost: Some(NanoDollars::ZERO),
        paid_by: Some(payer(9)),
    })
}

/// Two asks of these sweeps, the second while the first waits for its budget.
fn together(one: u128, other: u128, claims: Vec<Claim>) -> (CallAnswer, CallAnswer) {
    let (go_on, held) = oneshot::channel();
    let mut calls = MockCallStore::new();
    let mut script = claims.into_iter();
    calls.expect_claim().times(script.len()).returning(move |_, _| Ok(vec![script.next().unwrap()]));
    let caller = caller(calls, Held(Mutex::new(Some(held))));
    let (first, second) = (caller.answer(request(one)), caller.answer(request(other)));
    let mut both = Box::pin(join(first, second));
    assert!(both.as_mut().now_or_never().is_none(), "the second did not join the first");
    go_on.send(()).unwrap();
    block_on(both)
}

#[test]
fn equal_calls_are_settled_once() {
    let waits = Claim::NoBudget { open: true };
    let (one, other) = together(1, 1, vec![waits, Claim::Answered(stored())]);
    assert!(matches!((one, other), (CallAnswer::Stored(_), CallAnswer::Stored(_))));
}

#[test]
fn what_stops_one_sweep_does_not_stop_another() {
    let waits = Claim::NoBudget { open: true };
    let refused = Claim::NoBudget { open: false };
    let (one, other) = together(1, 2, vec![waits.clone(), refused.clone(), Claim::Answered(stored())]);
    assert!(matches!(one, CallAnswer::Blocked(Blocked::Budget)));
    assert!(matches!(other, CallAnswer::Stored(_)));
    let (one, other) = together(1, 1, vec![waits, refused]);
    assert!(matches!(
        (one, other),
        (CallAnswer::Blocked(Blocked::Budget), CallAnswer::Blocked(Blocked::Budget))
    ));
}

/// Requests for calls with these hashes.
fn requests(hashes: &[u8]) -> Vec<CallRequest> {
    let of = |(number, hash): (u32, &u8)| {
        let mut asked = request(1);
        asked.call.hash = Digest::new([*hash; 32]);
        asked.payer = asked.payer.map(|payer| Payer { call: number, ..payer });
        asked
    };
    (0..).zip(hashes).map(of).collect()
}

#[test]
fn calls_of_one_place_are_claimed_together_and_equal_ones_once() {
    let mut calls = MockCallStore::new();
    calls.expect_claim().times(1).returning(|claims, _| {
        assert_eq!(claims.iter().map(|claim| claim.hash.bytes()[0]).collect::<Vec<_>>(), [1, 2, 3]);
        Ok(vec![Claim::Answered(stored()); 3])
    });
    let caller = caller(calls, Held(Mutex::default()));
    let answers = block_on(caller.answer_all(requests(&[1, 2, 1, 3, 2])));
    assert_eq!(answers.len(), 5);
    assert!(answers.iter().all(|answer| matches!(answer, CallAnswer::Stored(_))), "{answers:?}");
}

#[test]
fn a_claim_that_fails_for_all_is_tried_again_by_each() {
    let mut calls = MockCallStore::new();
    let mut first = true;
    calls.expect_claim().times(3).returning(move |claims, _| {
        if std::mem::take(&mut first) {
            return Err(StoreError::Unavailable("away".to_owned()));
        }
        Ok(vec![Claim::Answered(stored()); claims.len()])
    });
    let caller = caller(calls, Held(Mutex::default()));
    let answers = block_on(caller.answer_all(requests(&[1, 2])));
    assert!(answers.iter().all(|answer| matches!(answer, CallAnswer::Stored(_))), "{answers:?}");
}

#[test]
fn a_cost_is_the_stated_one_else_by_the_endpoint_s_price_else_by_the_list() {
    let at = |url: &str, stated: Option<i64>, own: Option<Price>| {
        let mut request = request(1);
        let mut endpoint = Endpoint::clone(request.to.endpoint().unwrap());
        endpoint.identity = EndpointIdentity::new(EndpointKind::OpenAi, url);
        endpoint.prices.extend(own.map(|price| ("gpt-5".to_owned(), price)));
        request.to = Destination::Endpoint(Arc::new(endpoint));
        let call = ChatCall { model: "gpt-5".into(), ..chat_call() };
        request.call.call = Arc::new(call.into());
        let tokens = Tokens { input: 1_000_000, output: 0 };
        let cache = CacheUse { read: 1_000_000, written: 0 };
        let stated_cost = stated.map(NanoDollars::new);
        let fill = request.fill(Reply { tokens, cache, stated_cost, ..completion("yes") });
        (fill.cost.map(NanoDollars::nanos), fill.price_day)
    };
    let own = || Some(Price::flat(NanoDollars::new(7), NanoDollars::ZERO));
    let (hosted, local) = ("https://api.openai.com/v1", "http://127.0.0.1:8000/v1");
    assert_eq!(at(hosted, Some(5), own()), (Some(5), None));
    assert_eq!(at(hosted, None, own()), (Some(7), None));
    assert_eq!(at(hosted, None, None), (Some(125_000_000), Some(list_prices::day())));
    assert_eq!(at(local, None, None), (None, None));
}
