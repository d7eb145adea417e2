//! Exact decimals, so that 0.1 plus three steps of 0.2 is exactly 0.7.

use std::str::FromStr as _;

/// A decimal number: `digits × 10^-scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: i128,
    scale: u32,
}

/// The most digits after the point. Levels with more digits are surely not intended.
const MAX_SCALE: u32 = 18;

impl Decimal {
    /// The decimal that the shortest text of a number denotes; `None` if it is not finite, has an absolute value
    /// above 10^18, or more than 18 digits after the point.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        if !number.is_finite() || number.abs() > 1e18 {
            return None;
        }
        // `Display` of f64 never uses exponents.
        let text = number.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= MAX_SCALE)?;
        let digits = i128::from_str(&format!("{whole}{fraction}")).ok()?;
        Some(Self { digits, scale })
    }

    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs();
        let power = 10_u128.pow(self.scale);
        let (whole, fraction) = (digits / power, digits % power);
        let text = format!("{sign}{whole}.{fraction:0width$}", width = self.scale as usize);
        f64::from_str(text.trim_end_matches('.')).unwrap_or(f64::NAN)
    }

    /// The exact sum of this and `count` times `step`; `None` on overflow.
    #[must_use]
    pub fn plus(self, step: Self, count: u64) -> Option<Self> {
        let scale = self.scale.max(step.scale);
        let (start, step) = (self.digits_at(scale)?, step.digits_at(scale)?);
        let digits = step.checked_mul(i128::from(count))?.checked_add(start)?;
        Some(Self { digits, scale })
    }

    /// How many whole steps fit between this and `high`; `None` for a step that is not positive.
    #[must_use]
    pub fn steps_to(self, high: Self, step: Self) -> Option<u64> {
        let scale = self.scale.max(high.scale).max(step.scale);
        let (low, high, step) = (self.digits_at(scale)?, high.digits_at(scale)?, step.digits_at(scale)?);
        if step <= 0 || high < low {
            return None;
        }
        u64::try_from((high - low) / step).ok()
    }

    fn digits_at(self, scale: u32) -> Option<i128> {
        self.digits.checked_mul(10_i128.checked_pow(scale - self.scale)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(number: f64) -> Decimal {
        Decimal::from_f64(number).unwrap()
    }

    #[test]
    fn steps_are_exact() {
        let (low, high, step) = (decimal(0.1), decimal(0.9), decimal(0.2));
        assert_eq!(low.steps_to(high, step), Some(4));
        let levels: Vec<f64> = (0..=4).map(|i| low.plus(step, i).unwrap().to_f64()).collect();
        assert_eq!(levels, [0.1, 0.3, 0.5, 0.7, 0.9]);
        assert_eq!(decimal(-1.0).plus(decimal(0.05), 3).unwrap().to_f64(), -0.85);
        assert_eq!(decimal(0.0).steps_to(decimal(1.0), decimal(0.3)), Some(3));
        assert_eq!(decimal(0.0).steps_to(decimal(1.0), decimal(5.0)), Some(0));
    }

    #[test]
    fn numbers_come_back_as_they_were() {
        for number in [0.0, 1.0, -0.5, 1e-9, 123_456.789, 1e18, -3.0] {
            assert_eq!(decimal(number).to_f64(), number);
        }
        for number in [f64::NAN, f64::INFINITY, 1e19, 1e-19] {
            assert_eq!(Decimal::from_f64(number), None, "{number}");
        }
    }

    #[test]
    fn a_step_that_leads_nowhere_is_refused() {
        assert_eq!(decimal(0.0).steps_to(decimal(1.0), decimal(0.0)), None);
        assert_eq!(decimal(2.0).steps_to(decimal(1.0), decimal(0.5)), None);
    }
}
