//! Checks the point that a single run is tried at.

use domain::experiment::Definition;
use domain::problem::{Problem, capped, segment, unknown};
use domain::space::Levels;
use domain::value::{Map, Value};

/// Finds every name and type that is wrong in the values of a single run's point, and every value that must be there.
pub(super) fn check(definition: &Definition, values: &Map) -> Result<(), Vec<Problem>> {
    let space = definition.space();
    let problem = |name: &str, code, detail| Problem::new(format!("/values/{}", segment(name)), code, detail);
    let mut problems = Vec::new();
    for (name, value) in values {
        match space.dimension(name).map(|dimension| wanted(&dimension.levels, value)) {
            Some(None) => {}
            Some(Some(wanted)) => {
                problems.push(problem(name, "wrong_type", format!("dimension `{name}` takes {wanted}")));
            }
            None => {
                let known: Vec<_> = space.dimensions().map(|known| known.name.as_str()).collect();
                let detail = unknown("dimension", name, known);
                problems.push(problem(name, "unknown_dimension", detail));
            }
        }
    }
    for dimension in space.dimensions() {
        let name = dimension.name.as_str();
        if dimension.target.is_none() && dimension.default.is_none() && !values.contains_key(name) {
            let detail = format!("`{name}` has no target and no default: give it a value");
            problems.push(problem(name, "missing", detail));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(capped(problems)) }
}

/// What a dimension takes, where it does not take this value. Ranges do not count: who tries one run knows why.
fn wanted(levels: &Levels, value: &Value) -> Option<&'static str> {
    match (levels, value) {
        (Levels::Choice(_), _) | (Levels::Float { .. }, Value::Number(_)) => None,
        (Levels::Int { .. }, Value::Number(number)) if number.as_i64().is_some() => None,
        (Levels::Int { .. }, _) => Some("a whole number"),
        (Levels::Float { .. }, _) => Some("a number"),
    }
}
