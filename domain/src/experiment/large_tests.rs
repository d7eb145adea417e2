//! Documents at their size limits, in shapes for which a quadratic check would take minutes.

use std::time::{Duration, Instant};

use super::tests::llm;
use super::tests::{choice, draft};
use super::*;
use crate::sample::Sample;

/// Far longer than a linear check takes, and far shorter than a quadratic one.
const LONGEST: Duration = Duration::from_secs(30);

#[track_caller]
fn check(change: impl FnOnce(&mut Draft), fine: bool) {
    let mut changed = draft();
    change(&mut changed);
    let begun = Instant::now();
    assert_eq!(changed.check().is_ok(), fine);
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
}

fn check_prompt(prompt: impl Into<String>, fine: bool) {
    check(|draft| llm(&mut draft.stages[0]).prompt = prompt.into(), fine);
}

fn numbers(count: u64) -> Vec<Value> {
    (0..count).map(Value::from).collect()
}

fn repeated(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().concat()
}

/// A dimension that is active for these values of another dimension.
fn hung_on(other: &str, values: Vec<Value>) -> DimensionDraft {
    let when = BTreeMap::from([(other.to_owned(), values)]);
    DimensionDraft { default: Some(Value::Null), when, ..choice(None, &[Value::Null]) }
}

#[test]
fn values_of_a_choice() {
    check(|draft| drop(draft.space.insert("x".into(), choice(None, &numbers(100_000)))), true);
    check(|draft| drop(draft.space.insert("x".into(), choice(None, &vec![Value::Null; 100_000]))), false);
}

#[test]
fn values_of_a_choice_beside_a_long_prompt() {
    let values = choice(Some("sort.extra.top_k"), &numbers(100_000));
    check(
        |draft| {
            llm(&mut draft.stages[0]).prompt = "x".repeat(1 << 20);
            draft.space.insert("x".into(), values);
        },
        true,
    );
}

#[test]
fn values_of_a_condition() {
    check(
        |draft| {
            draft.space.insert("x".into(), choice(None, &numbers(100_000)));
            draft.space.insert("y".into(), hung_on("x", numbers(100_000)));
        },
        true,
    );
}

#[test]
fn a_chain_of_conditions() {
    let link = |i| (format!("d{i:03}"), hung_on(&format!("d{:03}", i + 1), vec![Value::Null]));
    check(
        |draft| {
            draft.space.extend((0..990).map(link));
            draft.space.insert("d990".into(), choice(None, &[Value::Null]));
        },
        true,
    );
}

#[test]
fn dimensions_that_share_a_target() {
    let rival = |i| {
        let condition = hung_on("x", numbers(100));
        (format!("d{i}"), DimensionDraft { target: Some("sort.extra.top_k".into()), ..condition })
    };
    check(
        |draft| {
            draft.space.insert("x".into(), choice(None, &numbers(100)));
            draft.space.extend((0..900).map(rival));
        },
        false,
    );
}

#[test]
fn names_that_templates_ask_of_samples() {
    let prompt = repeated(50_000, |i| format!("{{{{ sample.input.a{i} }}}}"));
    check(
        |draft| {
            let reference = Some(Value::from("x"));
            draft.samples =
                vec![Sample { input: Value::List(vec![]), reference, ..Sample::default() }; 50_000];
            llm(&mut draft.stages[0]).prompt = prompt;
        },
        true,
    );
}

#[test]
fn names_in_templates() {
    check_prompt(repeated(100_000, |i| format!("{{{{ params.a{i} }}}}")), false);
    let given = repeated(50_000, |i| format!("{{% set a{i} = 1 %}}"));
    check_prompt(given + &"{{ sample.input }}".repeat(50_000), true);
    let defined =
        repeated(30_000, |i| format!("{{% elif not (sample.meta.a{i} is defined) %}}{{{{ sample.input }}}}"));
    check_prompt(format!("{{% if params.tone %}}{defined}{{% endif %}}"), true);
}

#[test]
fn long_tags() {
    check_prompt(format!("{{{{ {}", "{ }} {".repeat(100_000)), false);
    check_prompt(format!("{{{{ 1 | join({}1) }}}}", "1,".repeat(100_000)), false);
    check_prompt(format!("{{{{ 1 | join({}1) }}}}", "a=1,".repeat(100_000)), false);
    check_prompt(format!("{{{{ sample.input{} }}}}", ".a".repeat(400_000)), false);
    check_prompt(format!("{{{{ {}1 }}}}", "[".repeat(400_000)), false);
}
