use proptest::prelude::*;

use super::*;
use crate::call::FailureKind;
use crate::run::RunStatus;

const STAGES: [&str; 1] = ["say"];

fn names() -> Vec<String> {
    vec!["exact".to_owned()]
}

fn resumed(scores: &[f64]) -> ResumedScores {
    let stored =
        |(sample, score): (u32, &f64)| StoredScore { sample, repeat: 1, scorer: 0, value: Some(*score) };
    ResumedScores {
        vector: scores.to_vec(),
        scores: (0..).zip(scores).map(stored).collect(),
        calls: CallCounts { paid: scores.len() as u64, hits: 1, saved: 9 },
        ..ResumedScores::default()
    }
}

fn ended(scores: &[f64], ending: Ending) -> RunEnd {
    let layout = Layout { scorers: &names(), stages: &STAGES, repeats: 1 };
    Tally::resume(1, resumed(scores)).end(layout, ending)
}

/// Adds samples one by one to stored results.
fn went_on(stored: &[f64], then: &[f64], ending: Ending) -> RunEnd {
    let mut tally = Tally::resume(1, resumed(stored));
    for (sample, score) in (0..).zip(then).map(|(i, score)| (i + count(stored), *score)) {
        tally.sample(&SampleOutcome { sample, score, failed: false, error: None });
        tally.score(StoredScore { sample, repeat: 1, scorer: 0, value: Some(score) });
        tally.used(CallCounts { paid: 1, ..CallCounts::default() });
    }
    let layout = Layout { scorers: &names(), stages: &STAGES, repeats: 1 };
    tally.end(layout, ending)
}

#[test]
fn every_way_of_adding_up_gives_the_same_bits() {
    let scores = [0.1, 0.7, 0.2, 0.3, 0.1, 0.6, 0.9];
    let whole = Ending::Completed { of: 7 };
    for at in 0..=scores.len() {
        let (stored, then) = scores.split_at(at);
        assert_eq!(went_on(stored, then, whole), ended(&scores, whole), "interrupted after {at}");
    }
}

#[test]
fn an_end_by_decision_has_the_numbers_of_its_samples() {
    let scores = [0.5, 1.0, 0.0, 1.0];
    let (completed, pruned) = (ended(&scores, Ending::Completed { of: 4 }), ended(&scores, Ending::Pruned));
    assert_eq!((completed.status(), completed.partial), (RunStatus::Completed, false));
    assert_eq!((pruned.status(), pruned.partial), (RunStatus::Pruned, true));
    let numbers = |end: &RunEnd| (end.score, end.interval, end.n, end.scores.clone());
    assert_eq!(numbers(&pruned), numbers(&completed));
    assert!(ended(&scores, Ending::Completed { of: 60 }).partial, "four of sixty lead");
}

#[test]
fn a_run_without_a_success_has_failed_however_it_ends() {
    let error = StageError::new(FailureKind::Timeout, "no answer");
    for ending in [Ending::Pruned, Ending::Completed { of: 9 }] {
        let first_error = Some((3, 0, error.clone()));
        let nothing =
            ResumedScores { vector: vec![f64::NAN; 2], failures: 2, first_error, ..ResumedScores::default() };
        let layout = Layout { scorers: &names(), stages: &STAGES, repeats: 1 };
        let end = Tally::resume(1, nothing).end(layout, ending);
        assert_eq!(end.status(), RunStatus::Failed);
        let error = end.error().unwrap();
        assert_eq!(
            (error.kind.as_str(), error.stage.as_deref(), error.sample),
            ("timeout", Some("say"), Some(3))
        );
    }
}

#[test]
fn an_end_follows_from_what_succeeded_and_what_was_paid() {
    let whole = Ending::Completed { of: 9 };
    for (succeeded, paid, ending, expected) in [
        (0, 0, whole, EndKind::Failed(None)),
        (0, 3, Ending::Pruned, EndKind::Failed(None)),
        (2, 0, whole, EndKind::Cached),
        (2, 1, whole, EndKind::Completed),
        (2, 1, Ending::Pruned, EndKind::Pruned),
    ] {
        assert_eq!(kind(ending, succeeded, paid, None), expected);
    }
}

proptest! {
    #[test]
    fn the_score_of_a_run_does_not_depend_on_the_order_in_which_its_parts_came(
        values in proptest::collection::vec((0.0..=1.0_f64, proptest::option::of(0.0..=1.0_f64)), 1..20),
        seed in any::<u64>(),
    ) {
        let vector: Vec<f64> = values.iter().map(|(score, _)| *score).collect();
        let scores: Vec<StoredScore> = (0..)
            .zip(&values)
            .flat_map(|(sample, (first, second))| {
                [(1, Some(*first)), (2, *second)]
                    .map(|(repeat, value)| StoredScore { sample, repeat, scorer: 0, value })
            })
            .collect();
        let names = names();
        let of = |scores: Vec<StoredScore>| {
            let layout = Layout { scorers: &names, stages: &STAGES, repeats: 2 };
            rescored(layout, RunStatus::Completed, 20, (vector.clone(), scores))
        };
        let shuffled = crate::random::shuffled(seed, scores.len());
        let mixed = shuffled.into_iter().map(|place| scores[place as usize]).collect();
        prop_assert_eq!(of(mixed), of(scores));
    }
}
