//! Finds all problems of dimensions, each with its place and how to fix it.

use std::collections::{BTreeMap, BTreeSet};

use super::conditions::numbers;
use super::{Dimension, Levels, MAX_ASSIGNMENTS, Target, find};
use crate::decimal::Decimal;
use crate::problem::{Problem, capped, segment, unknown};
use crate::value::Value;

/// The most dimensions with the same target, each of which is compared with the others.
const MAX_RIVALS: usize = 64;

/// Checks dimensions that are sorted by name. Returns an order in which each comes after those in its conditions.
pub(super) fn check(dimensions: &[Dimension]) -> Result<Vec<usize>, Vec<Problem>> {
    let mut problems = Vec::new();
    for dimension in dimensions {
        let own = levels(&dimension.levels).into_iter().chain(conditions(dimension, dimensions));
        let at = format!("/{}", segment(dimension.name.as_str()));
        problems.extend(own.map(|problem| problem.under(&at)));
    }
    problems.extend(rivals(dimensions));
    let mut problems = capped(problems);
    match order(dimensions) {
        Ok(order) if problems.is_empty() => Ok(order),
        Ok(_) => Err(problems),
        Err(cycle) => {
            problems.extend(cycle);
            Err(problems)
        }
    }
}

fn levels(levels: &Levels) -> Vec<Problem> {
    match levels {
        Levels::Choice(values) if values.is_empty() => {
            vec![Problem::new("/values", "empty", "a choice needs at least one value")]
        }
        Levels::Choice(values) => duplicates(values),
        Levels::Int { low, high, step, log } => {
            let mut problems = range(*low as f64, *high as f64, step.map(|step| step as f64), *log);
            if problems.is_empty() && levels.count().is_none() {
                problems.push(Problem::new(
                    "/high",
                    "too_many",
                    "the range has 2^64 levels or more: narrow it",
                ));
            }
            problems
        }
        Levels::Float { low, high, step, log } => {
            let mut problems = range(*low, *high, *step, *log);
            if problems.is_empty() {
                problems.extend(inexact(*low, *high, *step));
            }
            if problems.is_empty() && step.is_some() && levels.count().is_none() {
                problems.push(Problem::new(
                    "/step",
                    "too_many",
                    "the range has 2^64 levels or more: widen the step",
                ));
            }
            problems
        }
    }
}

fn duplicates(values: &[Value]) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    let spelled = values.iter().map(Value::canonical).enumerate();
    let twice = spelled.filter_map(|(i, text)| {
        let detail = format!("the value {} is there twice: remove one", short(&text));
        (!seen.insert(text)).then(|| Problem::new(format!("/values/{i}"), "duplicate", detail))
    });
    capped(twice.collect())
}

fn short(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(39).chain(['…']).collect() }
}

fn range(low: f64, high: f64, step: Option<f64>, log: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, number) in [("low", Some(low)), ("high", Some(high)), ("step", step)] {
        if number.is_some_and(|number| !number.is_finite()) {
            let detail = format!("{name} must be a finite number");
            problems.push(Problem::new(format!("/{name}"), "not_finite", detail));
        }
    }
    if low > high {
        let detail = format!("low ({low}) is above high ({high}): swap them");
        problems.push(Problem::new("/low", "low_above_high", detail));
    }
    if step.is_some_and(|step| step <= 0.0) {
        problems.push(Problem::new("/step", "not_positive", "a step must be above 0"));
    }
    if log && step.is_some() {
        problems.push(Problem::new("/step", "log_with_step", "a log scale has no steps: remove step or log"));
    }
    if log && low <= 0.0 {
        problems.push(Problem::new(
            "/low",
            "log_of_zero",
            "a log scale begins above 0: raise low or remove log",
        ));
    }
    problems
}

/// Steps are computed in decimals of limited length.
fn inexact(low: f64, high: f64, step: Option<f64>) -> Option<Problem> {
    let step = step?;
    let (name, number) = [("low", low), ("high", high), ("step", step)]
        .into_iter()
        .find(|(_, number)| Decimal::from_f64(*number).is_none())?;
    let detail = format!(
        "{name} ({number}) takes at most 18 digits before and behind the point where there is a step"
    );
    Some(Problem::new(format!("/{name}"), "too_precise", detail))
}

fn conditions(dimension: &Dimension, dimensions: &[Dimension]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, values) in &dimension.when {
        let at = format!("/when/{}", segment(name.as_str()));
        let mut wrong = |code, detail: String| problems.push(Problem::new(at.clone(), code, detail));
        match find(dimensions, name.as_str()).map(|other| &dimensions[other]) {
            None => {
                let known = dimensions.iter().map(|dimension| dimension.name.as_str());
                wrong("unknown_dimension", unknown("dimension", name.as_str(), known));
            }
            Some(other) if other.levels.count().is_none() => {
                wrong(
                    "continuous_condition",
                    format!("`{name}` has no steps, so nothing can hang on its values: give it a step"),
                );
            }
            Some(_) if values.is_empty() => {
                wrong("empty", "name at least one value, or remove the condition".to_owned());
            }
            Some(other) => {
                let numbers = numbers(&other.levels, values);
                for (value, _) in values.iter().zip(numbers).filter(|(_, number)| number.is_none()) {
                    wrong("impossible_value", format!("`{name}` is never {}", short(&value.canonical())));
                }
            }
        }
    }
    if dimension.target.is_none() && dimension.default.is_none() && !dimension.when.is_empty() {
        let detail =
            "a condition without a target needs a default: templates see that while it does not hold";
        problems.push(Problem::new("/default", "missing", detail));
    }
    capped(problems)
}

/// Dimensions that set the same field, unless their conditions exclude each other.
fn rivals(dimensions: &[Dimension]) -> Vec<Problem> {
    let mut by_target: BTreeMap<&Target, Vec<Rival<'_>>> = BTreeMap::new();
    let mut problems = Vec::new();
    for dimension in dimensions {
        let Some(target) = &dimension.target else { continue };
        let rivals = by_target.entry(target).or_default();
        if rivals.len() == MAX_RIVALS {
            let detail =
                format!("more than {MAX_RIVALS} dimensions have this target: make one choice of them");
            problems.push(at_target(dimension, "too_many", detail));
            continue;
        }
        let one = Rival::new(dimension);
        if let Some(other) = rivals.iter().find(|other| !one.excludes(other)) {
            let name = &other.dimension.name;
            let detail =
                format!("`{name}` has the same target: give them conditions that exclude each other");
            problems.push(at_target(dimension, "same_target", detail));
        }
        rivals.push(one);
    }
    problems
}

fn at_target(dimension: &Dimension, code: &'static str, detail: String) -> Problem {
    Problem::new(format!("/{}/target", segment(dimension.name.as_str())), code, detail)
}

/// A dimension with the canonical texts of its conditions' values.
struct Rival<'a> {
    dimension: &'a Dimension,
    when: BTreeMap<&'a str, BTreeSet<String>>,
}

impl<'a> Rival<'a> {
    fn new(dimension: &'a Dimension) -> Self {
        let when = dimension.when.iter();
        let spelled = |values: &[Value]| values.iter().map(Value::canonical).collect();
        Self { dimension, when: when.map(|(name, values)| (name.as_str(), spelled(values))).collect() }
    }

    fn excludes(&self, other: &Self) -> bool {
        let mut conditions = self.when.iter();
        conditions.any(|(name, values)| other.when.get(name).is_some_and(|others| values.is_disjoint(others)))
    }
}

/// A topological order (Kahn 1962). Of the dimensions that can come next, it takes the first by name.
fn order(dimensions: &[Dimension]) -> Result<Vec<usize>, Vec<Problem>> {
    let mut followers = vec![Vec::new(); dimensions.len()];
    let mut waits = vec![0_usize; dimensions.len()];
    for (i, dimension) in dimensions.iter().enumerate() {
        for other in dimension.when.keys().filter_map(|name| find(dimensions, name.as_str())) {
            followers[other].push(i);
            waits[i] += 1;
        }
    }
    let mut ready: BTreeSet<usize> = (0..dimensions.len()).filter(|i| waits[*i] == 0).collect();
    let mut order = Vec::new();
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for &follower in &followers[next] {
            waits[follower] -= 1;
            if waits[follower] == 0 {
                ready.insert(follower);
            }
        }
    }
    let left = dimensions.iter().zip(waits).filter(|(_, waits)| *waits > 0);
    let cycle = left.map(|(dimension, _)| {
        let detail = "the conditions go round in a circle: remove one of them";
        Problem::new(format!("/{}/when", segment(dimension.name.as_str())), "cyclic", detail)
    });
    if order.len() == dimensions.len() { Ok(order) } else { Err(cycle.collect()) }
}

pub(super) fn too_many_assignments() -> Problem {
    let detail = format!(
        "the dimensions that others are conditioned on have more than {MAX_ASSIGNMENTS} combinations, or too many for so \
         many conditions: condition on fewer"
    );
    Problem::new("", "too_many_conditions", detail)
}
