//! Conditions of endpoints, and their limits a minute.

use std::num::NonZeroU32;
use std::time::Duration;

use application::ports::{Breaker, EndpointStore, RateCorrection, RateRequest, RateStore};
use domain::call::FailureKind;
use domain::rate::RateLimits;
use promptlooper_tests::support::home::Kind;

use super::fixture::*;

on_both! {
    a_breaker_closes_when_its_time_is_over,
    a_pause_is_known_to_all_until_it_is_over,
    limits_a_minute_hold_for_all_who_ask_at_once,
    what_calls_used_after_all_is_counted,
}

async fn a_breaker_closes_when_its_time_is_over(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, endpoint) = (&fixture.stores, fixture.endpoint);
    let condition = async || stores.conditions(&[endpoint]).await.unwrap().remove(0);
    let breaker = Breaker { kind: FailureKind::QuotaExhausted, reason: "429: nothing left".into() };
    stores.open_breaker(endpoint, breaker.clone(), None).await.unwrap();
    let opened = condition().await;
    assert_eq!((opened.breaker, opened.breaker_until), (Some(breaker.clone()), None));
    stores.open_breaker(endpoint, breaker.clone(), Some(Duration::from_millis(300))).await.unwrap();
    let opened = condition().await;
    assert!(opened.breaker_until.is_some());
    assert_eq!(opened.breaker, Some(breaker.clone()));
    tokio::time::sleep(Duration::from_millis(320)).await;
    let closed = condition().await;
    assert_eq!((closed.breaker, closed.breaker_until), (None, None));
    stores.open_breaker(endpoint, breaker, None).await.unwrap();
    stores.close_breaker(endpoint).await.unwrap();
    assert_eq!(condition().await.breaker, None);
    assert_eq!(stores.conditions(&[]).await.unwrap(), []);
    assert_eq!(stores.all_conditions().await.unwrap(), [condition().await]);
}

async fn a_pause_is_known_to_all_until_it_is_over(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, endpoint) = (&fixture.stores, fixture.endpoint);
    let until = async || stores.conditions(&[endpoint]).await.unwrap().remove(0).backing_off_until;
    stores.back_off(endpoint, Duration::from_mins(1)).await.unwrap();
    let first = until().await.unwrap();
    stores.back_off(endpoint, Duration::from_secs(1)).await.unwrap();
    assert_eq!(until().await, Some(first), "a shorter pause ended a longer one");
    stores.close_breaker(endpoint).await.unwrap();
    stores.back_off(endpoint, Duration::from_millis(100)).await.unwrap();
    assert!(until().await.is_some());
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(until().await, None);
}

fn asked(calls: &[u64], corrections: Vec<RateCorrection>) -> RateRequest {
    let limits =
        RateLimits { requests_per_minute: NonZeroU32::new(5), tokens_per_minute: NonZeroU32::new(100) };
    RateRequest { limits, calls: calls.to_vec(), corrections }
}

async fn limits_a_minute_hold_for_all_who_ask_at_once(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let asking = (0..12).map(|_| {
        let (stores, endpoint) = (fixture.stores.clone(), fixture.endpoint);
        tokio::spawn(async move { stores.take(endpoint, asked(&[10, 10], vec![])).await.unwrap() })
    });
    let mut granted = 0;
    for asked in asking.collect::<Vec<_>>() {
        let decision = asked.await.unwrap().decision;
        granted += decision.granted;
        assert_eq!(decision.granted < 2, !decision.wait.is_zero());
        assert!(decision.wait <= Duration::from_secs(62));
    }
    assert_eq!(granted, 5, "{kind:?}");
}

async fn what_calls_used_after_all_is_counted(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let take = async |calls: &[u64], corrections| {
        fixture.stores.take(fixture.endpoint, asked(calls, corrections)).await.unwrap()
    };
    let first = take(&[60, 60], vec![]).await;
    assert_eq!(first.decision.granted, 1, "120 tokens do not fit 100");
    let used = RateCorrection { second: first.second, requests: 0, tokens: 30 - 60 };
    assert_eq!(take(&[60], vec![used]).await.decision.granted, 1, "30 were used");
    assert_eq!(take(&[60], vec![]).await.decision.granted, 0);
    let unsent = RateCorrection { second: first.second, requests: -1, tokens: -30 };
    assert_eq!(take(&[20, 20, 10], vec![unsent]).await.decision.granted, 2);
}
