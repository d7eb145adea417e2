//! Finds values of dimensions that their target fields do not accept.

use crate::problem::{Problem, is_full, unknown};
use crate::space::{Dimension, Levels};
use crate::stage::Stage;
use crate::value::Value;

/// Checks that a dimension's target field accepts all its values.
pub(super) fn levels(dimension: &Dimension, stages: &[Stage], problems: &mut Vec<Problem>) {
    let Some(target) = &dimension.target else { return };
    let Some(stage) = stages.iter().find(|stage| stage.name == target.stage) else {
        let known = stages.iter().map(|stage| stage.name.as_str());
        let detail = unknown("stage", target.stage.as_str(), known);
        problems.push(Problem::new("/target", "unknown_stage", detail));
        return;
    };
    let mut stage = stage.clone();
    for (pointer, value) in extremes(&dimension.levels) {
        if let Err(detail) = stage.set(&target.field, &value)
            && !is_full(problems)
        {
            problems.push(Problem::new(pointer, "wrong_value", detail));
        }
    }
}

/// The values that have to be checked so that all of a dimension's values are covered.
fn extremes(levels: &Levels) -> Vec<(String, Value)> {
    let ends = |low: Value, high: Value| vec![("/low".to_owned(), low), ("/high".to_owned(), high)];
    match levels {
        Levels::Choice(values) => {
            values.iter().enumerate().map(|(i, value)| (format!("/values/{i}"), value.clone())).collect()
        }
        Levels::Int { low, high, .. } => ends(Value::from(*low), Value::from(*high)),
        Levels::Float { low, high, .. } if low.is_finite() && high.is_finite() => {
            let mut ends = ends(Value::number(*low), Value::number(*high));
            ends.extend(fraction(*low, *high).map(|between| ("/type".to_owned(), between)));
            ends
        }
        Levels::Float { .. } => Vec::new(),
    }
}

/// A value in the range that is not a whole number. It reveals a float dimension whose target takes only whole
/// numbers.
fn fraction(low: f64, high: f64) -> Option<Value> {
    (low < high).then(|| Value::number(low + (high - low) * 0.381_966))
}
