//! Numbers of JSON: equal numbers have equal texts.

use std::fmt;

/// A finite number: a whole number from -2^63 to 2^64-1, or a binary fraction. A fraction without a fractional part
/// becomes a whole number if it fits, so that `1` and `1.0` are the same value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(Repr);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Repr {
    Signed(i64),
    /// Above `i64::MAX` only.
    Unsigned(u64),
    /// Finite, and not integral within the range of the other two.
    Fraction(f64),
}

impl Eq for Number {}

impl Number {
    /// The number nearest to `value`; `None` if it is infinite or NaN.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked against the exact bounds"
    )]
    pub fn from_f64(value: f64) -> Option<Self> {
        const TWO_63: f64 = 9_223_372_036_854_775_808.0;
        const TWO_64: f64 = 18_446_744_073_709_551_616.0;
        if !value.is_finite() {
            return None;
        }
        Some(if value.fract() != 0.0 || !(-TWO_63..TWO_64).contains(&value) {
            Self(Repr::Fraction(value))
        } else if value < TWO_63 {
            Self(Repr::Signed(value as i64))
        } else {
            Self(Repr::Unsigned(value as u64))
        })
    }

    /// The nearest `f64`, rounded if a whole number has more than 53 bits.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Repr::Signed(whole) => whole as f64,
            Repr::Unsigned(whole) => whole as f64,
            Repr::Fraction(fraction) => fraction,
        }
    }

    /// The whole number, if it is one that fits into `i64`.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Signed(whole) => Some(whole),
            Repr::Unsigned(_) | Repr::Fraction(_) => None,
        }
    }

    /// The whole number, if it is one that fits into `u64`.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            Repr::Signed(whole) => u64::try_from(whole).ok(),
            Repr::Unsigned(whole) => Some(whole),
            Repr::Fraction(_) => None,
        }
    }

    /// Compares two numbers; exact between whole numbers.
    #[must_use]
    pub fn compare(self, other: Self) -> std::cmp::Ordering {
        match (self.whole(), other.whole()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }

    fn whole(self) -> Option<i128> {
        match self.0 {
            Repr::Signed(whole) => Some(whole.into()),
            Repr::Unsigned(whole) => Some(whole.into()),
            Repr::Fraction(_) => None,
        }
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Self {
        Self(Repr::Signed(whole))
    }
}

impl From<u64> for Number {
    fn from(whole: u64) -> Self {
        Self(i64::try_from(whole).map_or(Repr::Unsigned(whole), Repr::Signed))
    }
}

/// The shortest decimal text that reads back as the same number, valid in JSON.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Signed(whole) => write!(f, "{whole}"),
            Repr::Unsigned(whole) => write!(f, "{whole}"),
            Repr::Fraction(fraction) => write!(f, "{fraction:?}"),
        }
    }
}
