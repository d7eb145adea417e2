//! Money as whole billionths of a US dollar, so that sums are exact.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

/// An amount in billionths of a US dollar. Sums saturate instead of overflowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NanoDollars(i64);

impl NanoDollars {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// Creates an amount from billionths of a dollar.
    #[must_use]
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The amount nearest to a number of dollars; `None` if that is not finite or out of range (±9.2 billion
    /// dollars).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked on the line before")]
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let nanos = (dollars * 1e9).round();
        (nanos.abs() < 9.2e18).then_some(Self(nanos as i64))
    }

    /// Billionths of a dollar.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Dollars, for display and statistics.
    #[must_use]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add for NanoDollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for NanoDollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// Dollars with two decimals; smaller amounts with two significant digits.
impl fmt::Display for NanoDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.dollars();
        let decimals = match dollars.abs() {
            size if size >= 0.1 || size == 0.0 => 2,
            size if size >= 0.001 => 4,
            size if size >= 0.000_01 => 6,
            _ => 9,
        };
        write!(f, "${dollars:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_show_what_they_hold() {
        for (nanos, text) in [
            (0, "$0.00"),
            (1_234_000_000, "$1.23"),
            (12_300_000, "$0.0123"),
            (45_000, "$0.000045"),
            (7, "$0.000000007"),
        ] {
            assert_eq!(NanoDollars::new(nanos).to_string(), text);
        }
    }

    #[test]
    fn sums_never_wrap() {
        assert_eq!(NanoDollars::new(i64::MAX) + NanoDollars::new(1), NanoDollars::new(i64::MAX));
        assert_eq!(NanoDollars::from_dollars(1e300), None);
        assert_eq!(NanoDollars::from_dollars(f64::NAN), None);
        assert_eq!(NanoDollars::from_dollars(0.15), Some(NanoDollars::new(150_000_000)));
    }
}
