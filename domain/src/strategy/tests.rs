use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::space::{Dimension, Levels};
use crate::value::Value;

fn space(levels: Vec<Levels>) -> Space {
    let dimension = |(i, levels)| Dimension {
        name: Name::try_new(format!("d{i:02}")).unwrap(),
        target: None,
        levels,
        default: None,
        when: [].into(),
    };
    Space::try_new(levels.into_iter().enumerate().map(dimension).collect()).unwrap()
}

fn int(high: i64) -> Levels {
    Levels::Int { low: 1, high, step: None, log: false }
}

fn view(space: &Space, seed: u64, asked: u64, limit: Option<u64>) -> SweepView<'_> {
    SweepView { space, samples: 7, seed, asked, limit, trials: &[] }
}

/// Asks until the guide is done, so much at a time.
fn all(
    guide: &dyn Guide,
    space: &Space,
    seed: u64,
    limit: Option<u64>,
    want: usize,
) -> (Vec<String>, Reason) {
    let mut points = Vec::new();
    loop {
        match guide.ask(&view(space, seed, points.len() as u64, limit), want) {
            Ask::Evaluate(work) => {
                assert!(!work.is_empty() && work.len() <= want);
                for work in work {
                    assert_eq!((work.trial, work.up_to), (points.len() as u64, 7));
                    points.push(Value::Map(work.point.values().clone()).canonical());
                }
            }
            Ask::Done(reason) => return (points, reason),
            Ask::Wait => panic!("nothing is pending"),
        }
    }
}

proptest! {
    #[test]
    fn every_guide_takes_each_point_once_however_it_is_asked(seed: u64, a in 1_i64..9, b in 1_i64..9, want in 1_usize..20) {
        let space = space(vec![int(a), int(b)]);
        for kind in [SweepKind::Grid { shuffle: false }, SweepKind::Grid { shuffle: true }, SweepKind::Random] {
            let (points, reason) = all(&*guide(kind), &space, seed, None, want);
            prop_assert_eq!(i64::try_from(points.len()).unwrap(), a * b);
            prop_assert_eq!(points.iter().collect::<BTreeSet<_>>().len(), points.len());
            prop_assert_eq!(reason, Reason::AllRuns);
            prop_assert_eq!(all(&*guide(kind), &space, seed, None, 3).0, points);
        }
    }

    #[test]
    fn a_limit_is_kept(seed: u64, limit in 0_u64..30) {
        let (points, reason) = all(&Random, &space(vec![int(50)]), seed, Some(limit), 8);
        prop_assert_eq!((points.len() as u64, reason), (limit, Reason::MaxRuns));
    }
}

#[test]
fn a_huge_space_starts_at_once() {
    let huge = space(vec![int(1_000_000), int(1_000_000)]);
    let refused = check_start(&huge, SweepKind::Grid { shuffle: false }, None).unwrap_err();
    assert!(refused.to_string().contains("1000000000000 configurations"), "{refused}");
    assert_eq!(check_start(&huge, SweepKind::Grid { shuffle: true }, Some(100)), Ok(()));
    for kind in [SweepKind::Grid { shuffle: true }, SweepKind::Random] {
        assert_eq!(all(&*guide(kind), &huge, 3, Some(100), 64).0.len(), 100);
    }
}

#[test]
fn without_steps_there_is_no_grid_and_no_end() {
    let endless = space(vec![Levels::Float { low: 0.0, high: 1.0, step: None, log: false }]);
    let start = |kind, limit| check_start(&endless, kind, limit).map_err(|refused| refused.to_string());
    assert!(start(SweepKind::Grid { shuffle: false }, Some(10)).unwrap_err().contains("`d00` a step"));
    assert!(start(SweepKind::Random, None).unwrap_err().contains("max_runs"));
    assert_eq!(start(SweepKind::Random, Some(10)), Ok(()));
    let points = all(&Random, &endless, 1, Some(50), 9).0;
    assert_eq!(points.iter().collect::<BTreeSet<_>>().len(), 50);
    assert_ne!(points, all(&Random, &endless, 2, Some(50), 9).0);
}

#[test]
fn many_dimensions_are_drawn_independently() {
    let wide = space(vec![Levels::Float { low: 0.0, high: 1.0, step: None, log: false }; 14]);
    let points = all(&Random, &wide, 5, Some(20), 20).0;
    assert_eq!(points.iter().collect::<BTreeSet<_>>().len(), 20);
}

/// A guide that learns: every point gets two samples, and the best of them the rest.
struct Sprint;

impl Guide for Sprint {
    fn ask(&self, view: &SweepView<'_>, want: usize) -> Ask {
        const FIRST: usize = 2;
        let known = view.trials.len();
        if let Some(point) = view.space.point(known as u128) {
            return Ask::Evaluate(vec![Work { trial: known as u64, point, up_to: FIRST }]);
        }
        if want == 0 || view.trials.iter().any(Trial::is_pending) {
            return Ask::Wait;
        }
        let mean = |trial: &Trial| trial.scores.iter().sum::<f64>() / trial.scores.len() as f64;
        let best = (0..known).max_by(|a, b| mean(&view.trials[*a]).total_cmp(&mean(&view.trials[*b])));
        match best.map(|best| (best, &view.trials[best])) {
            Some((best, trial)) if trial.asked < view.samples => Ask::Evaluate(vec![Work {
                trial: best as u64,
                point: trial.point.clone(),
                up_to: view.samples,
            }]),
            _ => Ask::Done(Reason::Converged),
        }
    }

    fn learns(&self) -> bool {
        true
    }
}

/// How good each point is on each sample.
fn score(point: &Point, sample: usize) -> f64 {
    let level = point.values()["d00"].as_number().unwrap().as_f64();
    (level / 10.0 + sample as f64 / 100.0).min(1.0)
}

#[test]
fn a_guide_that_is_told_scores_spends_samples_where_they_count() {
    let space = space(vec![int(5)]);
    let mut trials: Vec<Trial> = Vec::new();
    loop {
        let shown = SweepView { trials: &trials, ..view(&space, 7, trials.len() as u64, None) };
        match Sprint.ask(&shown, 1) {
            Ask::Evaluate(work) => {
                for Work { trial, point, up_to } in work {
                    let scores = (0..up_to).map(|sample| score(&point, sample)).collect();
                    let told = Trial { point, asked: up_to, scores };
                    match trials.get_mut(usize::try_from(trial).unwrap()) {
                        Some(known) => *known = told,
                        None => trials.push(told),
                    }
                }
            }
            Ask::Wait => panic!("nothing is out"),
            Ask::Done(reason) => {
                assert_eq!(reason, Reason::Converged);
                break;
            }
        }
    }
    let taken: Vec<usize> = trials.iter().map(|trial| trial.scores.len()).collect();
    assert_eq!(taken, [2, 2, 2, 2, 7]);
    assert!(Sprint.learns() && !Random.learns());
}

#[test]
fn a_guide_waits_for_what_is_out() {
    let space = space(vec![int(1)]);
    let out = [Trial { point: space.point(0).unwrap(), asked: 2, scores: vec![0.5] }];
    let shown = SweepView { trials: &out, ..view(&space, 7, 1, None) };
    assert_eq!(Sprint.ask(&shown, 1), Ask::Wait);
}
