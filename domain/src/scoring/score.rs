//! Scores: numbers from 0 to 1.

use std::fmt;

/// A quality, from 0 (worst) to 1 (best).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Score(f64);

/// A number that is not a [`Score`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfRange(f64);

impl Score {
    /// The best score.
    pub const ONE: Self = Self(1.0);
    /// The worst score.
    pub const ZERO: Self = Self(0.0);

    /// Checks that a number is from 0 to 1.
    ///
    /// # Errors
    /// [`OutOfRange`] if it is not.
    pub fn try_new(value: f64) -> Result<Self, OutOfRange> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(OutOfRange(value)) }
    }

    /// The share of `some` in `all`; 1 if `all` is 0.
    #[must_use]
    pub fn share(some: usize, all: usize) -> Self {
        if all == 0 { Self::ONE } else { Self((some as f64 / all as f64).clamp(0.0, 1.0)) }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl From<bool> for Score {
    fn from(good: bool) -> Self {
        if good { Self::ONE } else { Self::ZERO }
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a score is a number from 0 to 1, not {}", self.0)
    }
}

impl std::error::Error for OutOfRange {}
