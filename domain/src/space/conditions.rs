//! The conditions of dimensions, as numbers of dimensions and levels.

use std::collections::BTreeMap;

use super::{Dimension, Levels, find};
use crate::value::Value;

/// For each dimension its conditions: another dimension, and the sorted numbers of its levels.
pub(super) type Conditions = Vec<Vec<(usize, Vec<u64>)>>;

/// The conditions of valid dimensions that are sorted by name.
pub(super) fn of(dimensions: &[Dimension]) -> Conditions {
    let condition = |(name, values): (&crate::name::Name, &Vec<Value>)| {
        let other = find(dimensions, name.as_str())?;
        let mut levels: Vec<u64> = numbers(&dimensions[other].levels, values).flatten().collect();
        levels.sort_unstable();
        Some((other, levels))
    };
    dimensions.iter().map(|dimension| dimension.when.iter().filter_map(condition).collect()).collect()
}

/// The number of each value among the levels; `None` for other values.
pub(super) fn numbers<'a>(levels: &'a Levels, values: &'a [Value]) -> impl Iterator<Item = Option<u64>> + 'a {
    let choices = match levels {
        Levels::Choice(choices) => (0..).zip(choices).map(|(i, choice)| (choice.canonical(), i)).collect(),
        _ => BTreeMap::new(),
    };
    values.iter().map(move |value| match levels {
        Levels::Choice(_) => choices.get(&value.canonical()).copied(),
        _ => levels.number(value),
    })
}
