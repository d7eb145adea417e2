use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn name(i: usize) -> Name {
    Name::try_new(["a", "b", "c", "d"][i]).unwrap()
}

fn choice(levels: u8) -> Levels {
    Levels::Choice((0..levels).map(|level| Value::from(u64::from(level))).collect())
}

fn free(i: usize, levels: Levels) -> Dimension {
    Dimension { name: name(i), target: None, levels, default: Some(Value::Null), when: BTreeMap::new() }
}

/// Small spaces of four dimensions with random conditions.
fn spaces() -> impl Strategy<Value = Vec<Dimension>> {
    let order = Just(vec![0, 1, 2, 3]).prop_shuffle();
    let sizes = prop::collection::vec(1_u8..4, 4);
    let conditions = prop::collection::vec((any::<bool>(), 0_u64..3, any::<bool>()), 6);
    (order, sizes, conditions).prop_map(|(order, sizes, conditions)| {
        let mut dimensions: Vec<_> = (0..4).map(|i| free(i, choice(sizes[i]))).collect();
        let pairs = (0..4).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
        for ((earlier, later), (holds, value, both)) in pairs.zip(conditions) {
            let (on, of) = (order[earlier], order[later]);
            if holds && value < u64::from(sizes[on]) {
                let mut values = vec![Value::from(value)];
                if both && value + 1 < u64::from(sizes[on]) {
                    values.push(Value::from(value + 1));
                }
                dimensions[of].when.insert(name(on), values);
            }
        }
        dimensions
    })
}

/// All points by brute force: all combinations of levels, without inactive dimensions.
fn brute_force(dimensions: &[Dimension]) -> BTreeSet<String> {
    let mut all = vec![Point::default()];
    for dimension in dimensions {
        let Levels::Choice(values) = &dimension.levels else { unreachable!() };
        all = all
            .into_iter()
            .flat_map(|point| {
                values.iter().map(move |value| {
                    let mut point = point.clone();
                    point.set(dimension.name.as_str(), value.clone());
                    point
                })
            })
            .collect();
    }
    all.iter().map(|point| Value::Map(struck(dimensions, point).values().clone()).canonical()).collect()
}

fn struck(dimensions: &[Dimension], point: &Point) -> Point {
    let mut kept = point.clone();
    loop {
        let mut next = Point::default();
        for dimension in dimensions {
            let holds = dimension
                .when
                .iter()
                .all(|(on, values)| kept.get(on.as_str()).is_some_and(|value| values.contains(value)));
            if let (true, Some(value)) = (holds, kept.get(dimension.name.as_str())) {
                next.set(dimension.name.as_str(), value.clone());
            }
        }
        if next == kept {
            return next;
        }
        kept = next;
    }
}

proptest! {
    #[test]
    fn points_are_counted_as_by_brute_force_and_each_comes_once(dimensions in spaces()) {
        let expected = brute_force(&dimensions);
        let space = Space::try_new(dimensions).unwrap();
        prop_assert_eq!(space.size(), Size::Points(expected.len() as u128));
        let points: Vec<_> = (0..expected.len() as u128).map(|i| space.point(i).unwrap()).collect();
        let spelled: BTreeSet<_> =
            points.iter().map(|point| Value::Map(point.values().clone()).canonical()).collect();
        prop_assert_eq!(spelled, expected);
        prop_assert_eq!(space.point(points.len() as u128), None);
        for (i, point) in points.iter().enumerate() {
            prop_assert_eq!(space.index(point), Some(i as u128));
        }
    }

    #[test]
    fn drawn_points_are_points_of_the_space(dimensions in spaces(), at in prop::array::uniform4(0.0..1.0_f64)) {
        let space = Space::try_new(dimensions).unwrap();
        let point = space.draw(|i| at[i]);
        prop_assert!(space.index(&point).is_some(), "{:?}", point);
    }
}

#[test]
fn conditioning_dimensions_vary_slowest_then_the_rest_by_name() {
    let mut late = free(1, choice(2));
    late.when.insert(name(2), vec![Value::from(1_u64)]);
    let space = Space::try_new(vec![free(0, choice(2)), late, free(2, choice(2))]).unwrap();
    let spelled: Vec<_> =
        (0..6).map(|i| Value::Map(space.point(i).unwrap().values().clone()).canonical()).collect();
    assert_eq!(
        spelled,
        [
            r#"{"a":0,"c":0}"#,
            r#"{"a":1,"c":0}"#,
            r#"{"a":0,"b":0,"c":1}"#,
            r#"{"a":0,"b":1,"c":1}"#,
            r#"{"a":1,"b":0,"c":1}"#,
            r#"{"a":1,"b":1,"c":1}"#,
        ]
    );
}

#[test]
fn points_of_a_huge_space_are_found_at_once() {
    let wide = |i| free(i, Levels::Int { low: 1, high: 1_000_000, step: None, log: false });
    let space = Space::try_new(vec![wide(0), wide(1)]).unwrap();
    assert_eq!(space.size(), Size::Points(1_000_000_000_000));
    let last = space.point(999_999_999_999).unwrap();
    assert_eq!(last.get("a"), Some(&Value::from(1_000_000_u64)));
    assert_eq!(space.index(&last), Some(999_999_999_999));
}

#[test]
fn no_dimensions_are_one_point_and_no_steps_are_infinitely_many() {
    let empty = Space::try_new(vec![]).unwrap();
    assert_eq!((empty.size(), empty.point(0)), (Size::Points(1), Some(Point::default())));
    let float = Levels::Float { low: 0.0, high: 1.0, step: None, log: false };
    let endless = Space::try_new(vec![free(0, float)]).unwrap();
    assert_eq!(endless.size(), Size::Continuous { dimension: name(0) });
    let huge = Levels::Int { low: i64::MIN + 1, high: i64::MAX - 1, step: None, log: false };
    let vast = Space::try_new((0..3).map(|i| free(i, huge.clone())).collect()).unwrap();
    assert_eq!(vast.size(), Size::TooMany);
}

#[test]
fn problems_have_their_places() {
    let float = |low, high, step, log| Levels::Float { low, high, step, log };
    let int = |low, high, step, log| Levels::Int { low, high, step, log };
    for (levels, pointer, code) in [
        (Levels::Choice(vec![]), "/a/values", "empty"),
        (Levels::Choice(vec![Value::from(1_i64), Value::number(1.0)]), "/a/values/1", "duplicate"),
        (float(0.9, 0.1, None, false), "/a/low", "low_above_high"),
        (float(0.0, 1.0, Some(0.0), false), "/a/step", "not_positive"),
        (float(0.0, 1.0, Some(-0.1), false), "/a/step", "not_positive"),
        (float(f64::NAN, 1.0, None, false), "/a/low", "not_finite"),
        (float(0.0, f64::INFINITY, None, false), "/a/high", "not_finite"),
        (float(0.0, 1.0, Some(f64::NAN), false), "/a/step", "not_finite"),
        (float(0.0, 1.0, None, true), "/a/low", "log_of_zero"),
        (float(0.1, 1.0, Some(0.1), true), "/a/step", "log_with_step"),
        (float(0.0, 1.0, Some(1e-30), false), "/a/step", "too_precise"),
        (int(5, 1, None, false), "/a/low", "low_above_high"),
        (int(1, 5, Some(0), false), "/a/step", "not_positive"),
    ] {
        let problems = Space::try_new(vec![free(0, levels.clone())]).unwrap_err();
        assert_eq!((problems[0].pointer.as_str(), problems[0].code), (pointer, code), "{levels:?}");
    }
}

#[test]
fn impossible_conditions_are_found() {
    let on = |other: usize, value: Value| BTreeMap::from([(name(other), vec![value])]);
    let two = || free(1, choice(2));
    let with = |when| Dimension { when, ..free(0, choice(2)) };
    for (dimensions, code) in [
        (vec![with(on(3, Value::Null)), two()], "unknown_dimension"),
        (vec![with(on(1, Value::from(7_u64))), two()], "impossible_value"),
        (vec![with(on(0, Value::from(1_u64)))], "cyclic"),
        (
            vec![with(on(1, Value::from(1_u64))), Dimension { when: on(0, Value::from(1_u64)), ..two() }],
            "cyclic",
        ),
        (vec![Dimension { default: None, ..with(on(1, Value::from(1_u64))) }, two()], "missing"),
    ] {
        assert_eq!(Space::try_new(dimensions).unwrap_err()[0].code, code);
    }
    let target = Target::parse("s.model").ok();
    let aimed = |i| Dimension { target: target.clone(), ..free(i, choice(2)) };
    assert_eq!(Space::try_new(vec![aimed(0), aimed(1)]).unwrap_err()[0].code, "same_target");
}

#[test]
fn too_many_combinations_to_condition_on_are_refused() {
    let wide = |i| free(i, Levels::Int { low: 1, high: 1000, step: None, log: false });
    let when = BTreeMap::from([(name(0), vec![Value::from(1_u64)]), (name(1), vec![Value::from(1_u64)])]);
    let dimensions = vec![wide(0), wide(1), Dimension { when, ..free(2, choice(2)) }];
    assert_eq!(Space::try_new(dimensions).unwrap_err()[0].code, "too_many_conditions");
}
