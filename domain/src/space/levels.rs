use crate::decimal::Decimal;
use crate::value::{Number, Value};

/// The possible values of a dimension.
#[derive(Debug, Clone, PartialEq)]
pub enum Levels {
    /// One of these.
    Choice(Vec<Value>),
    /// A whole number from `low` to `high`, both included.
    Int {
        /// The lowest.
        low: i64,
        /// The highest; included only if the steps reach it.
        high: i64,
        /// The distance between levels; 1 where absent.
        step: Option<i64>,
        /// Sampled uniformly on a logarithmic scale.
        log: bool,
    },
    /// A number from `low` to `high`, both included.
    Float {
        /// The lowest.
        low: f64,
        /// The highest; included only if the steps reach it.
        high: f64,
        /// The distance between levels, as an exact decimal; without it, any number in the range.
        step: Option<f64>,
        /// Sampled uniformly on a logarithmic scale.
        log: bool,
    },
}

impl Levels {
    /// The number of levels; `None` if there are infinitely many.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Choice(values) => Some(values.len() as u64),
            Self::Int { low, high, step, .. } => {
                let step = u64::try_from(step.unwrap_or(1)).ok().filter(|step| *step > 0)?;
                (high.abs_diff(*low) / step).checked_add(1)
            }
            Self::Float { low, high, step, .. } => decimals(*low, *high, (*step)?)?.checked_add(1),
        }
    }

    /// The level with this number, from 0.
    #[must_use]
    pub fn value(&self, level: u64) -> Option<Value> {
        match self {
            Self::Choice(values) => values.get(usize::try_from(level).ok()?).cloned(),
            Self::Int { low, step, .. } if level < self.count()? => {
                let offset = i128::from(level) * i128::from(step.unwrap_or(1));
                i64::try_from(i128::from(*low) + offset).ok().map(Value::from)
            }
            Self::Float { low, step, .. } if level < self.count()? => {
                let level = Decimal::from_f64(*low)?.plus(Decimal::from_f64((*step)?)?, level)?;
                Some(Value::number(level.to_f64()))
            }
            _ => None,
        }
    }

    /// The number of a level; `None` for other values.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked by the round trip below"
    )]
    pub fn number(&self, value: &Value) -> Option<u64> {
        let near = match self {
            Self::Choice(values) => {
                return values.iter().position(|level| level == value).map(|at| at as u64);
            }
            Self::Int { low, step, .. } => {
                let offset = i128::from(value.as_number()?.as_i64()?) - i128::from(*low);
                u64::try_from(offset / i128::from(step.unwrap_or(1))).ok()?
            }
            Self::Float { low, step, .. } => {
                ((value.as_number()?.as_f64() - low) / (*step)?).round().max(0.0) as u64
            }
        };
        (self.value(near).as_ref() == Some(value)).then_some(near)
    }

    /// The value at a coordinate in `[0, 1)`.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts of floats saturate, and are clamped"
    )]
    pub fn draw(&self, coordinate: f64) -> Value {
        let pick = |count: u64| ((coordinate * count as f64) as u64).min(count.saturating_sub(1));
        match self {
            Self::Int { low, high, log: true, .. } => {
                // Each whole number gets the part of the range that rounds to it.
                let (least, most) = (*low as f64 - 0.5, *high as f64 + 0.5);
                let drawn = logarithmic(least.max(0.5), most, coordinate).round();
                Value::from((drawn as i64).clamp(*low, *high))
            }
            Self::Float { low, high, step: None, log } => {
                let drawn =
                    if *log { logarithmic(*low, *high, coordinate) } else { low + coordinate * (high - low) };
                Value::number(readable(drawn).clamp(*low, *high))
            }
            _ => self.count().and_then(|count| self.value(pick(count))).unwrap_or_default(),
        }
    }

    /// Whether this is one of the values.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        match self {
            Self::Float { low, high, step: None, .. } => {
                value.as_number().map(Number::as_f64).is_some_and(|number| (*low..=*high).contains(&number))
            }
            _ => self.number(value).is_some(),
        }
    }
}

fn decimals(low: f64, high: f64, step: f64) -> Option<u64> {
    Decimal::from_f64(low)?.steps_to(Decimal::from_f64(high)?, Decimal::from_f64(step)?)
}

fn logarithmic(low: f64, high: f64, coordinate: f64) -> f64 {
    (low.ln() + coordinate * (high.ln() - low.ln())).exp()
}

/// A number with at most six significant digits: more make no difference, and people read and copy these numbers.
fn readable(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_levels_are_exact_decimals() {
        let levels = Levels::Float { low: 0.1, high: 0.9, step: Some(0.2), log: false };
        let values: Vec<String> = (0..5).map(|i| levels.value(i).unwrap().canonical()).collect();
        assert_eq!(values, ["0.1", "0.3", "0.5", "0.7", "0.9"]);
        assert_eq!(levels.value(5), None);
        assert_eq!(levels.number(&Value::number(0.7)), Some(3));
        assert_eq!(levels.number(&Value::number(0.6)), None);
    }

    #[test]
    fn whole_numbers_count_both_ends() {
        let int = |low, high, step| Levels::Int { low, high, step, log: false };
        assert_eq!(int(1, 10, None).count(), Some(10));
        assert_eq!(int(1, 10, Some(4)).count(), Some(3));
        assert_eq!(int(1, 10, Some(4)).value(2), Some(Value::from(9_i64)));
        assert_eq!(int(i64::MIN, i64::MAX, None).count(), None);
        assert_eq!(int(-3, -3, None).count(), Some(1));
    }

    #[test]
    fn draws_stay_within_and_follow_the_scale() {
        let float = Levels::Float { low: 0.001, high: 1.0, step: None, log: true };
        let middle = float.draw(0.5).as_number().unwrap().as_f64();
        assert!((middle - 0.0316).abs() < 0.001, "{middle}");
        let int = Levels::Int { low: 1, high: 1000, step: None, log: true };
        for coordinate in [0.0, 0.25, 0.5, 0.999_999] {
            assert!(float.contains(&float.draw(coordinate)));
            assert!(int.contains(&int.draw(coordinate)));
        }
        assert_eq!(Levels::Choice(vec![Value::Null, Value::from(true)]).draw(0.5), Value::from(true));
    }
}
