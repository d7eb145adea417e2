use domain::call::FailureKind;
use futures::FutureExt as _;
use futures::executor::block_on;

use super::*;

const RUN: Option<RunId> = Some(RunId::new(1));

fn gate(slots: u32) -> Arc<Gate> {
    let gate = Arc::new(Gate::default());
    gate.resize(slots, Some(slots));
    gate
}

#[test]
fn an_endpoint_that_never_served_is_told_from_one_that_refuses_a_prompt() {
    let gate = Gate::default();
    assert!(!gate.note_refusal(2) && gate.note_refusal(2));
    let gate = Gate::default();
    gate.note_success();
    assert!((0..9).all(|_| !gate.note_refusal(2)));
}

#[test]
fn no_more_pass_than_there_are_slots() {
    let gate = gate(2);
    let held = [block_on(gate.pass(RUN)), block_on(gate.pass(RUN))];
    let mut third = Box::pin(gate.pass(RUN));
    assert!(third.as_mut().now_or_never().is_none());
    assert_eq!(gate.demand(), Demand { slots: 2, in_use: 2, waiting: 1, held: Some(2) });
    drop(held);
    assert!(block_on(third).is_some());
    assert_eq!(gate.demand().in_use, 0);
}

#[test]
fn runs_take_turns() {
    let gate = gate(0);
    let runs = [1, 1, 1, 2, 2].map(|run| Some(RunId::new(run)));
    let mut waiting: Vec<_> = runs.iter().map(|run| Box::pin(gate.pass(*run))).collect();
    assert!(waiting.iter_mut().all(|turn| turn.as_mut().now_or_never().is_none()));
    gate.resize(3, Some(3));
    let turns: Vec<_> = waiting.iter_mut().map(|turn| turn.as_mut().now_or_never().flatten()).collect();
    let admitted: Vec<bool> = turns.iter().map(Option::is_some).collect();
    assert_eq!(admitted, [true, true, false, true, false], "one run had the other's turn");
}

#[test]
fn a_turn_that_nobody_takes_goes_to_the_next() {
    let gate = gate(1);
    let held = block_on(gate.pass(RUN));
    let mut left = Box::pin(gate.pass(RUN));
    assert!(left.as_mut().now_or_never().is_none());
    let mut next = Box::pin(gate.pass(RUN));
    assert!(next.as_mut().now_or_never().is_none());
    drop(held);
    drop(left);
    assert!(next.now_or_never().flatten().is_some());
    assert_eq!(gate.demand().in_use, 0);
}

#[test]
fn a_broken_endpoint_sends_everyone_away() {
    let gate = gate(1);
    let held = block_on(gate.pass(RUN));
    let mut waiting = Box::pin(gate.pass(RUN));
    assert!(waiting.as_mut().now_or_never().is_none());
    let before = gate.breaks();
    gate.break_open(Breaker { kind: FailureKind::Unauthorized, reason: "401".into() });
    assert!(block_on(waiting).is_none());
    drop(held);
    assert!(block_on(gate.pass(RUN)).is_none());
    gate.apply_stored(before, None);
    assert!(block_on(gate.pass(RUN)).is_none(), "the store was read before the endpoint broke");
    gate.apply_stored(gate.breaks(), None);
    assert!(block_on(gate.pass(RUN)).is_some());
}

#[test]
fn slots_in_use_are_given_up_when_their_exchange_ends() {
    let gate = gate(2);
    let mut held = vec![block_on(gate.pass(RUN)), block_on(gate.pass(RUN))];
    assert_eq!(gate.lower_to(1), 2, "two are in flight");
    gate.resize(1, Some(2));
    let mut third = Box::pin(gate.pass(RUN));
    held.pop();
    assert!(third.as_mut().now_or_never().is_none(), "a slot that was given up was used again");
    assert!(gate.demand().has_surplus());
    assert_eq!(gate.lower_to(1), 1);
    gate.resize(1, Some(1));
    assert!(!gate.demand().has_surplus());
    held.pop();
    assert!(block_on(third).is_some());
}

#[test]
fn one_asks_at_a_time() {
    let gate = gate(0);
    let asking = gate.ask();
    assert!(asking.is_some() && gate.ask().is_none() && !gate.lacks(1));
    drop(asking);
    assert!(gate.lacks(1) && gate.ask().is_some());
}

#[test]
fn more_slots_let_more_in() {
    let gate = gate(0);
    let mut waiting = Box::pin(gate.pass(RUN));
    assert!(waiting.as_mut().now_or_never().is_none());
    gate.resize(1, Some(1));
    assert!(block_on(waiting).is_some());
}
