//! Finds everything that is wrong with dimensions, each with its place and how to mend it.

use std::collections::BTreeSet;

use super::{Dimension, Levels, MAX_ASSIGNMENTS};
use crate::decimal::Decimal;
use crate::name::Name;
use crate::problem::{Problem, segment};

/// The order in which each dimension comes after those that it is conditioned on.
pub(super) fn check(dimensions: &[Dimension]) -> Result<Vec<usize>, Vec<Problem>> {
    let mut problems = Vec::new();
    for dimension in dimensions {
        let own = levels(&dimension.levels).into_iter().chain(conditions(dimension, dimensions));
        let at = format!("/{}", segment(dimension.name.as_str()));
        problems.extend(own.map(|problem| problem.under(&at)));
    }
    problems.extend(rivals(dimensions));
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
        Levels::Choice(values) => {
            let twice = (1..values.len()).filter(|i| values[..*i].contains(&values[*i]));
            twice
                .map(|i| {
                    let detail =
                        format!("the value {} is there twice: remove one", short(&values[i].canonical()));
                    Problem::new(format!("/values/{i}"), "duplicate", detail)
                })
                .collect()
        }
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

/// Steps are counted in decimals, which have an end.
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
        match dimensions.iter().find(|other| other.name == *name) {
            None => {
                wrong("unknown_dimension", format!("there is no dimension `{name}`: {}", names(dimensions)));
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
                for value in values.iter().filter(|value| !other.levels.contains(value)) {
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
    problems
}

fn names(dimensions: &[Dimension]) -> String {
    let names: Vec<_> = dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    format!("there are {}", names.join(", "))
}

/// Two dimensions that decide the same field, unless their conditions cannot both hold.
fn rivals(dimensions: &[Dimension]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, one) in dimensions.iter().enumerate() {
        let rival = dimensions[..i]
            .iter()
            .find(|other| one.target.is_some() && one.target == other.target && !exclude(one, other));
        if let Some(other) = rival {
            let detail =
                format!("`{}` has the same target: give them conditions that exclude each other", other.name);
            problems.push(Problem::new(
                format!("/{}/target", segment(one.name.as_str())),
                "same_target",
                detail,
            ));
        }
    }
    problems
}

fn exclude(one: &Dimension, other: &Dimension) -> bool {
    one.when.iter().any(|(name, values)| {
        other.when.get(name).is_some_and(|others| values.iter().all(|value| !others.contains(value)))
    })
}

fn order(dimensions: &[Dimension]) -> Result<Vec<usize>, Vec<Problem>> {
    let mut placed: BTreeSet<&Name> = BTreeSet::new();
    let mut order = Vec::new();
    while order.len() < dimensions.len() {
        let known = |name: &Name| dimensions.iter().any(|dimension| dimension.name == *name);
        let ready = (0..dimensions.len()).find(|i| {
            let dimension = &dimensions[*i];
            let waits = dimension.when.keys().any(|name| known(name) && !placed.contains(name));
            !placed.contains(&dimension.name) && !waits
        });
        let Some(ready) = ready else {
            let left = dimensions.iter().filter(|dimension| !placed.contains(&dimension.name));
            let cycle = left.map(|dimension| {
                let detail = "the conditions go round in a circle: remove one of them";
                Problem::new(format!("/{}/when", segment(dimension.name.as_str())), "cyclic", detail)
            });
            return Err(cycle.collect());
        };
        placed.insert(&dimensions[ready].name);
        order.push(ready);
    }
    Ok(order)
}

pub(super) fn too_many_assignments() -> Problem {
    let detail = format!(
        "the dimensions that others are conditioned on have more than {MAX_ASSIGNMENTS} combinations: condition on fewer"
    );
    Problem::new("", "too_many_conditions", detail)
}
