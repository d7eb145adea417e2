//! The conditions of dimensions, by numbers: which level of which dimension.

use std::collections::BTreeMap;

use super::{Dimension, Levels, find};
use crate::value::Value;

/// For each dimension what it is conditioned on: a dimension, and the numbers of its levels, in their order.
pub(super) type Conditions = Vec<Vec<(usize, Vec<u64>)>>;

/// The conditions of dimensions that are sorted by name and make sense together.
pub(super) fn of(dimensions: &[Dimension]) -> Conditions {
    let condition = |(name, values): (&crate::name::Name, &Vec<Value>)| {
        let other = find(dimensions, name.as_str())?;
        let mut levels: Vec<u64> = numbers(&dimensions[other].levels, values).flatten().collect();
        levels.sort_unstable();
        Some((other, levels))
    };
    dimensions.iter().map(|dimension| dimension.when.iter().filter_map(condition).collect()).collect()
}

/// The number of each value among the levels; `None` for what is none of them.
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
