//! What calls cost.

use crate::money::NanoDollars;

/// The price of a model, per token, kept as nano-dollars per million tokens so that it is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Nano-dollars for a million prompt tokens; not negative.
    pub input_per_million: NanoDollars,
    /// Nano-dollars for a million completion tokens; not negative.
    pub output_per_million: NanoDollars,
}

impl Price {
    /// What so many tokens cost, rounded up to a whole nano-dollar, so that a budget is never overshot by rounding.
    #[must_use]
    pub fn cost(self, tokens: Tokens) -> NanoDollars {
        let input = i128::from(self.input_per_million.nanos()) * i128::from(tokens.input);
        let output = i128::from(self.output_per_million.nanos()) * i128::from(tokens.output);
        let nanos = (input + output + 999_999).div_euclid(1_000_000);
        NanoDollars::new(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

/// Tokens read and written. Sums stay at the largest count there is rather than wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Tokens {
    /// Prompt tokens.
    pub input: u64,
    /// Completion tokens.
    pub output: u64,
}

impl Tokens {
    /// Both counts together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

impl std::ops::Add for Tokens {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
        }
    }
}

impl std::ops::AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// Tokens of a text where no server counted them: a quarter of its UTF-8 bytes, rounded up.
#[must_use]
pub const fn estimated_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_exact_and_rounded_up() {
        let price = Price {
            input_per_million: NanoDollars::new(150_000_000),
            output_per_million: NanoDollars::new(600_000_000),
        };
        assert_eq!(price.cost(Tokens { input: 1_000_000, output: 0 }), NanoDollars::new(150_000_000));
        assert_eq!(price.cost(Tokens { input: 1, output: 1 }), NanoDollars::new(750));
        let tiny = Price { input_per_million: NanoDollars::new(1), output_per_million: NanoDollars::ZERO };
        assert_eq!(tiny.cost(Tokens { input: 1, output: 0 }), NanoDollars::new(1));
        assert_eq!(tiny.cost(Tokens { input: u64::MAX, output: 9 }), NanoDollars::new(18_446_744_073_710));
    }

    #[test]
    fn estimates_count_bytes() {
        assert_eq!(estimated_tokens(""), 0);
        assert_eq!(estimated_tokens("abcde"), 2);
        assert_eq!(estimated_tokens("éé"), 1);
    }
}
