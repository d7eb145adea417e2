//! Requests with idempotency keys: what was created for one is not created again.

use application::ports::{
    Commit, CommitError, IdempotencyStore, Ids as _, Journal, KeptAnswer, RepeatableRequest, ReservationMark,
    Reserved, RunStore,
};
use domain::id::RunId;
use promptlooper_tests::support::home::Kind;
use system::SystemIds;

use super::fixture::*;

on_both! {
    what_is_made_for_a_key_is_known_before_its_answer_is_kept,
    what_is_made_for_a_lost_reservation_is_refused_whole,
}

fn request(route: &str) -> RepeatableRequest {
    RepeatableRequest { principal: "user/1".into(), key: "k".into(), route: route.into(), body: hash(1) }
}

fn mark(reservation: u128, made: RunId) -> ReservationMark {
    ReservationMark { principal: "user/1".into(), key: "k".into(), reservation, made: made.bits() }
}

fn answer(body: &str) -> KeptAnswer {
    KeptAnswer { status: 202, body: body.to_owned() }
}

async fn what_is_made_for_a_key_is_known_before_its_answer_is_kept(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, asked) = (&fixture.stores, request("POST /runs"));
    assert_eq!(stores.reserve(&asked, 7).await.unwrap(), Reserved::Fresh(7));
    assert_eq!(stores.reserve(&asked, 8).await.unwrap(), Reserved::Pending);
    assert_eq!(stores.reserve(&request("POST /else"), 9).await.unwrap(), Reserved::Other);

    let run = RunId::new(SystemIds.next());
    let commit =
        Commit { single: Some(fixture.single(run, 5)), mark: Some(mark(7, run)), ..Commit::default() };
    stores.commit(commit.clone()).await.unwrap();
    assert_eq!(stores.reserve(&asked, 8).await.unwrap(), Reserved::Done(run.bits()));
    stores.free(&asked, 7).await.unwrap();
    assert_eq!(
        stores.reserve(&asked, 8).await.unwrap(),
        Reserved::Done(run.bits()),
        "what is made stays known"
    );

    assert_eq!(stores.keep(&asked, answer("first")).await.unwrap(), answer("first"));
    assert_eq!(
        stores.keep(&asked, answer("second")).await.unwrap(),
        answer("first"),
        "the first answer stays"
    );
    assert_eq!(stores.reserve(&asked, 8).await.unwrap(), Reserved::Answered(answer("first")));
}

async fn what_is_made_for_a_lost_reservation_is_refused_whole(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, asked) = (&fixture.stores, request("POST /runs"));
    stores.reserve(&asked, 7).await.unwrap();
    stores.free(&asked, 8).await.unwrap();
    assert_eq!(stores.reserve(&asked, 8).await.unwrap(), Reserved::Pending, "freed by somebody else");
    stores.free(&asked, 7).await.unwrap();
    assert_eq!(stores.reserve(&asked, 8).await.unwrap(), Reserved::Fresh(8));
    let late = RunId::new(SystemIds.next());
    let commit =
        Commit { single: Some(fixture.single(late, 5)), mark: Some(mark(7, late)), ..Commit::default() };
    assert_eq!(stores.commit(commit).await, Err(CommitError::Conflict));
    assert!(stores.run(late).await.unwrap().is_none(), "a run was made for a reservation that is lost");
}
