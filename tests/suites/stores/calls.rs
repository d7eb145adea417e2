//! Calls and their answers.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{
    CallClaim, CallStore, Claim, Commit, CommitError, FailedCall, Fill, Ids as _, Journal, Reservation,
    RunLease, Settlement, SweepStore, WorkerStore,
};
use domain::call::{
    CallFailure, EmbedCall, Embedding, FailureKind, HttpCall, Reply, ReplyBody, RequestBody, ServiceAnswer,
};
use domain::event::{EventType, NewEvent};
use domain::id::{RunId, SweepId, WorkerId};
use domain::money::NanoDollars;
use domain::pricing::Tokens;
use domain::secret::Secret;
use domain::service::ServiceOrigin;
use domain::sweep::SweepLimits;
use promptlooper_tests::support::home::Kind;
use system::SystemIds;

use super::fixture::*;

on_both! {
    a_call_has_one_claimant,
    claims_of_dead_workers_are_free,
    answers_come_back_as_they_were,
    vectors_come_back_as_they_were,
    answers_of_services_come_back_as_they_were,
    failures_hold_for_their_sweep,
    a_budget_is_reserved_and_given_back,
    many_commits_share_transactions_independently,
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

async fn claims_of_dead_workers_are_free(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let doomed = WorkerId::new(SystemIds.next());
    fixture.stores.register(doomed, Duration::from_millis(1)).await.unwrap();
    assert_eq!(fixture.claimed(1, doomed).await, Claim::Yours);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(fixture.claimed(1, fixture.worker).await, Claim::Yours);
}

async fn vectors_come_back_as_they_were(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    assert_eq!(fixture.claimed(1, fixture.worker).await, Claim::Yours);
    let vector = Embedding::try_new(vec![0.1, -2.5e-30, f32::MAX, 0.0]).unwrap();
    let asked = Reply { body: ReplyBody::Embedding(vector), ..reply("") };
    let call =
        EmbedCall { endpoint: call().endpoint().unwrap().clone(), model: "e".into(), text: "a \"b\"".into() };
    let fill = Fill {
        call: Arc::new(call.into()),
        reply: Arc::new(asked.clone()),
        ..fixture.fill(1, RunId::new(1))
    };
    fixture.stores.settle(Settlement { fills: vec![fill], failures: vec![] }).await.unwrap();
    let Claim::Answered(answer) = fixture.claimed(1, fixture.worker).await else { panic!("no answer") };
    assert_eq!(*answer.reply, asked);
}

async fn answers_of_services_come_back_as_they_were(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    for (n, is_json) in [(1, true), (2, false)] {
        assert_eq!(fixture.claimed(n, fixture.worker).await, Claim::Yours);
        let answer = ServiceAnswer { text: "{\"a\": 1}".into(), is_json };
        let asked = Reply { body: ReplyBody::Service(answer), tokens: Tokens::default(), ..reply("") };
        let url = "http://127.0.0.1:9/rank".to_owned();
        let call = HttpCall {
            origin: ServiceOrigin::parse(&url).unwrap(),
            url,
            headers: [("x-key".to_owned(), Secret::new("sk-1"))].into(),
            body: RequestBody::Text("q".into()),
            timeout: Duration::from_secs(30),
            repeat: 1,
            shared: true,
        };
        let fill = Fill {
            endpoint: None,
            call: Arc::new(call.into()),
            reply: Arc::new(asked.clone()),
            cost: Some(NanoDollars::ZERO),
            ..fixture.fill(n, RunId::new(1))
        };
        fixture.stores.settle(Settlement { fills: vec![fill], failures: vec![] }).await.unwrap();
        let Claim::Answered(answer) = fixture.claimed(n, fixture.worker).await else { panic!("no answer") };
        assert_eq!(*answer.reply, asked);
    }
    let count = |condition: &str| format!("SELECT count(*) AS n FROM answer WHERE {condition}");
    assert_eq!(fixture.number(&count("endpoint_id IS NULL AND model IS NULL")).await, 2);
    assert_eq!(fixture.number(&count("request LIKE '%x-key%' AND request NOT LIKE '%sk-1%'")).await, 2);
    let totals = fixture.stores.totals(fixture.sweep).await.unwrap();
    assert_eq!((totals.calls, totals.tokens, totals.cost), (2, Tokens::default(), Some(NanoDollars::ZERO)));
}

async fn answers_come_back_as_they_were(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    assert_eq!(fixture.claimed(1, fixture.worker).await, Claim::Yours);
    let id = fixture.fill_in(1).await;
    let Claim::Answered(answer) = fixture.claimed(1, fixture.worker).await else { panic!("no answer") };
    assert_eq!(
        (answer.id, answer.cost, answer.paid_by),
        (id, Some(NanoDollars::new(5)), Some(payer(RunId::new(1))))
    );
    assert_eq!(*answer.reply, reply("yes"));
    // A second answer to the same call is stored, but the first one remains in the cache.
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
    let calls = Settlement { fills: vec![], failures: vec![failed] };
    fixture.stores.settle(calls).await.unwrap();
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
    // The first one used 14 of its 60.
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

async fn many_commits_share_transactions_independently(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let event = NewEvent::new(fixture.experiment, EventType::CacheHit, []);
    let tasks: Vec<_> = (0..128_u32)
        .map(|i| {
            let (stores, mut commit) =
                (fixture.stores.clone(), Commit { events: vec![event.clone()], ..Commit::default() });
            // Every fourth commit is from a worker that has lost the run, and must be refused.
            if i % 4 == 0 {
                commit.block = Some(fixture.block(RunLease { run: RunId::new(99), epoch: 1 }, 1));
            }
            tokio::spawn(async move { stores.commit(commit).await })
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
