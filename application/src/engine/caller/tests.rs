use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::call::{Flags, Message, ResponseFormat, Role};
use domain::endpoint::{EndpointIdentity, EndpointKind, Limits, MaxTokensField};
use domain::id::RunId;
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::value::Map;
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::join;

use super::*;
use crate::ports::AnswerId;
use crate::ports::mocks::{
    MockCallStore, MockChance, MockClock, MockEndpointStore, MockJournal, MockModelServer, MockSlotStore,
};

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
        endpoints: Arc::new(MockEndpointStore::new()),
        slots: Arc::new(MockSlotStore::new()),
        clock: Arc::new(MockClock::new()),
        timer: Arc::new(timer),
        chance: Arc::new(MockChance::new()),
    };
    Arc::new(Caller::new(ports, WorkerId::new(1)))
}

fn ask(sweep: u128) -> Ask {
    let identity = EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1/v1");
    let endpoint = Endpoint {
        id: EndpointId::new(1),
        label: "e".into(),
        identity: identity.clone(),
        api_key: None,
        headers: None,
        prices: BTreeMap::new(),
        limits: Limits::default(),
        max_tokens_field: MaxTokensField::default(),
        max_output_tokens: None,
        timeout: Endpoint::DEFAULT_TIMEOUT,
    };
    let call = Call {
        endpoint: identity,
        model: "m".into(),
        messages: vec![Message { role: Role::User, content: "hi".into() }],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    };
    Ask {
        call,
        hash: Digest::new([1; 32]),
        endpoint: Arc::new(endpoint),
        place: Place { run: RunId::new(sweep), sample: 0, repeat: 1, stage: 0 },
        sweep: Some(SweepId::new(sweep)),
        reserve: None,
        halt: Arc::default(),
    }
}

fn stored() -> Box<StoredAnswer> {
    Box::new(StoredAnswer {
        id: AnswerId(7),
        completion: Completion {
            text: "yes".into(),
            model_returned: None,
            tokens: Tokens::default(),
            latency: Duration::ZERO,
            finish_reason: None,
            flags: Flags::default(),
            tool_calls: None,
        },
        cost: Some(NanoDollars::ZERO),
        paid_by: Place { run: RunId::new(9), sample: 0, repeat: 1, stage: 0 },
    })
}

/// Two asks of these sweeps, the second while the first waits for its budget.
fn together(one: u128, other: u128, claims: Vec<Claim>) -> (Answer, Answer) {
    let (go_on, held) = oneshot::channel();
    let mut calls = MockCallStore::new();
    let mut script = claims.into_iter();
    calls.expect_claim().times(script.len()).returning(move |_, _| Ok(vec![script.next().unwrap()]));
    let caller = caller(calls, Held(Mutex::new(Some(held))));
    let (first, second) = (caller.answer(ask(one)), caller.answer(ask(other)));
    let mut both = Box::pin(join(first, second));
    assert!(both.as_mut().now_or_never().is_none(), "the second did not join the first");
    go_on.send(()).unwrap();
    block_on(both)
}

#[test]
fn equal_calls_are_settled_once() {
    let waits = Claim::NoBudget { open: true };
    let (one, other) = together(1, 1, vec![waits, Claim::Answered(stored())]);
    assert!(matches!((one, other), (Answer::Stored(_), Answer::Stored(_))));
}

#[test]
fn what_stops_one_sweep_does_not_stop_another() {
    let waits = Claim::NoBudget { open: true };
    let refused = Claim::NoBudget { open: false };
    let (one, other) = together(1, 2, vec![waits.clone(), refused.clone(), Claim::Answered(stored())]);
    assert!(matches!(one, Answer::Blocked(Blocked::Budget)));
    assert!(matches!(other, Answer::Stored(_)));
    let (one, other) = together(1, 1, vec![waits, refused]);
    assert!(matches!((one, other), (Answer::Blocked(Blocked::Budget), Answer::Blocked(Blocked::Budget))));
}
