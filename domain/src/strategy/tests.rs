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

fn history(space: &Space, seed: u64, asked: u64, limit: Option<u64>) -> History<'_> {
    History { space, samples: 7, seed, asked, limit, trials: &[] }
}

/// Asks a guide until it is done, for a few trials at a time.
fn all(
    guide: &dyn Guide,
    space: &Space,
    seed: u64,
    limit: Option<u64>,
    want: usize,
) -> (Vec<String>, Reason) {
    let mut points = Vec::new();
    loop {
        match guide.propose(&history(space, seed, points.len() as u64, limit), want) {
            Proposal::Steps(steps) => {
                assert!(!steps.is_empty() && steps.len() <= want);
                for step in steps {
                    let Step::Evaluate(work) = step else { panic!("{step:?}") };
                    assert_eq!((work.trial, work.up_to), (points.len() as u64, 7));
                    points.push(Value::Map(work.point.values().clone()).canonical());
                }
            }
            Proposal::Done(reason) => return (points, reason),
            Proposal::Wait => panic!("nothing is pending"),
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
