//! What calls cost.

use crate::money::NanoDollars;

/// The price of a model. Rates are nano-dollars per million tokens, so that costs are exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// What tokens cost, for prompts below the first tier.
    pub rates: Rates,
    /// What they cost for longer prompts, by ascending length; every token of the call is charged at the rates of its tier.
    pub tiers: Vec<PriceTier>,
    /// Millionths of the result that are charged, such as 500,000 for half of it.
    pub factor_millionths: u32,
}

/// What tokens cost, in nano-dollars for a million of them; not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Prompt tokens.
    pub input: NanoDollars,
    /// Completion tokens.
    pub output: NanoDollars,
    /// Prompt tokens that the server read from its cache; as other prompt tokens where `None`.
    pub cache_read: Option<NanoDollars>,
    /// Prompt tokens that the server wrote to its cache; as other prompt tokens where `None`.
    pub cache_write: Option<NanoDollars>,
}

/// The rates of calls with more than so many prompt tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceTier {
    /// Prompt tokens, cached ones included, above which it holds.
    pub above_input_tokens: u64,
    /// Its rates. Those of the cache that are `None` stand to `input` as they do below the first tier.
    pub rates: Rates,
}

/// Tokens of a call, as they are charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenUse {
    /// All tokens.
    pub tokens: Tokens,
    /// What of the prompt went through the server's cache.
    pub cache: CacheUse,
}

/// Prompt tokens that a server read from its cache, or wrote to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheUse {
    /// Read from it.
    pub read: u64,
    /// Written to it.
    pub written: u64,
}

impl From<Tokens> for TokenUse {
    fn from(tokens: Tokens) -> Self {
        Self { tokens, cache: CacheUse::default() }
    }
}

impl Price {
    /// The factor of a price without a discount.
    pub const WHOLE: u32 = 1_000_000;

    /// A price without tiers or rates of a cache.
    #[must_use]
    pub const fn flat(input: NanoDollars, output: NanoDollars) -> Self {
        let rates = Rates { input, output, cache_read: None, cache_write: None };
        Self { rates, tiers: Vec::new(), factor_millionths: Self::WHOLE }
    }

    /// What a call costs, rounded up to a whole nano-dollar, so that a budget is never overshot by rounding.
    #[must_use]
    pub fn cost(&self, used: TokenUse) -> NanoDollars {
        self.charged(self.rates_for(used.tokens.input).sum(used))
    }

    /// The most that a call of at most so many tokens can cost, whatever its server caches.
    #[must_use]
    pub fn most(&self, tokens: Tokens) -> NanoDollars {
        let within = self.tiers.iter().filter(|tier| tokens.input > tier.above_input_tokens);
        let all = within.map(|tier| tier.rates.beside(self.rates)).chain([self.rates]);
        let dearest = all.map(|rates| rates.most(tokens)).max().unwrap_or_default();
        self.charged(dearest)
    }

    fn rates_for(&self, input: u64) -> Rates {
        let tier = self.tiers.iter().rev().find(|tier| input > tier.above_input_tokens);
        tier.map_or(self.rates, |tier| tier.rates.beside(self.rates))
    }

    /// The amount for a sum in millionths of a nano-dollar.
    fn charged(&self, millionths: i128) -> NanoDollars {
        let whole = i128::from(Self::WHOLE);
        let charged = millionths.saturating_mul(i128::from(self.factor_millionths));
        let nanos = charged.saturating_add(whole * whole - 1).div_euclid(whole * whole);
        NanoDollars::new(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

impl Rates {
    /// These rates, with those of the cache that are left out in the proportion that `base` has.
    fn beside(self, base: Self) -> Self {
        let scaled = |of: Option<NanoDollars>| {
            let (input, from) = (i128::from(self.input.nanos()), i128::from(base.input.nanos()));
            let nanos = i128::from(of?.nanos()).checked_mul(input)?.checked_div(from)?;
            i64::try_from(nanos).ok().map(NanoDollars::new)
        };
        Self {
            cache_read: self.cache_read.or_else(|| scaled(base.cache_read)),
            cache_write: self.cache_write.or_else(|| scaled(base.cache_write)),
            ..self
        }
    }

    /// In millionths of a nano-dollar. A server that counts more cached tokens than it read is charged for what it read.
    fn sum(self, used: TokenUse) -> i128 {
        let read = used.cache.read.min(used.tokens.input);
        let written = used.cache.written.min(used.tokens.input - read);
        let rate = |tokens: u64, rate: NanoDollars| i128::from(tokens) * i128::from(rate.nanos());
        rate(used.tokens.input - read - written, self.input)
            + rate(read, self.cache_read.unwrap_or(self.input))
            + rate(written, self.cache_write.unwrap_or(self.input))
            + rate(used.tokens.output, self.output)
    }

    fn most(self, tokens: Tokens) -> i128 {
        let input =
            [self.cache_read, self.cache_write].into_iter().flatten().fold(self.input, NanoDollars::max);
        Self { input, cache_read: None, cache_write: None, ..self }.sum(tokens.into())
    }
}

/// Where a cost is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostSource {
    /// The server states it with its answer.
    Stated,
    /// The endpoint's own prices.
    Endpoint,
    /// The list prices that ship with the product.
    List,
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

    const fn tokens(input: u64, output: u64) -> Tokens {
        Tokens { input, output }
    }

    fn plain(input: u64, output: u64) -> TokenUse {
        tokens(input, output).into()
    }

    #[test]
    fn cost_is_exact_and_rounded_up() {
        let price = Price::flat(NanoDollars::new(150_000_000), NanoDollars::new(600_000_000));
        assert_eq!(price.cost(plain(1_000_000, 0)), NanoDollars::new(150_000_000));
        assert_eq!(price.cost(plain(1, 1)), NanoDollars::new(750));
        assert_eq!(price.most(tokens(1, 1)), NanoDollars::new(750));
        let tiny = Price::flat(NanoDollars::new(1), NanoDollars::ZERO);
        assert_eq!(tiny.cost(plain(1, 0)), NanoDollars::new(1));
        assert_eq!(tiny.cost(plain(u64::MAX, 9)), NanoDollars::new(18_446_744_073_710));
    }

    /// 3 dollars in, 15 out, 0.3 from the cache, 3.75 into it; twice the input price above 200,000 tokens.
    fn tiered() -> Price {
        let dollars = |dollars: f64| NanoDollars::from_dollars(dollars).unwrap();
        let rates = Rates {
            input: dollars(3.0),
            output: dollars(15.0),
            cache_read: Some(dollars(0.3)),
            cache_write: Some(dollars(3.75)),
        };
        let above = Rates { input: dollars(6.0), output: dollars(22.5), cache_read: None, cache_write: None };
        let tiers = vec![PriceTier { above_input_tokens: 200_000, rates: above }];
        Price { rates, tiers, factor_millionths: Price::WHOLE }
    }

    #[test]
    fn cached_tokens_and_long_prompts_have_rates_of_their_own() {
        let cost = |input, output, read, written| {
            let used = TokenUse { tokens: tokens(input, output), cache: CacheUse { read, written } };
            tiered().cost(used).dollars()
        };
        for (cost, dollars) in [
            (cost(100_000, 1_000, 0, 0), 0.3 + 0.015),
            (cost(100_000, 1_000, 80_000, 10_000), 0.03 + 0.024 + 0.0375 + 0.015),
            (cost(200_000, 0, 0, 0), 0.6),
            (cost(200_001, 0, 0, 0), 1.200_006),
            (cost(300_000, 0, 300_000, 0), 0.18),
            (cost(300_000, 0, 0, 300_000), 2.25),
            (cost(10, 0, 99, 99), 0.000_003),
        ] {
            assert!((cost - dollars).abs() < 1e-9, "{cost} for {dollars}");
        }
        let half = Price { factor_millionths: 500_000, ..tiered() };
        assert_eq!(half.cost(plain(100_000, 0)), NanoDollars::new(150_000_000));
    }

    #[test]
    fn a_bound_is_never_below_a_cost() {
        let price = tiered();
        for input in [0, 1, 1_000, 200_000, 200_001, 400_000] {
            for (read, written) in [(0, 0), (input, 0), (0, input), (input / 2, input / 3)] {
                let used = TokenUse { tokens: tokens(input, 10), cache: CacheUse { read, written } };
                assert!(price.cost(used) <= price.most(used.tokens), "{used:?}");
            }
        }
        assert_eq!(price.most(tokens(1_000_000, 0)), NanoDollars::new(7_500_000_000));
    }

    #[test]
    fn estimates_count_bytes() {
        assert_eq!(estimated_tokens(""), 0);
        assert_eq!(estimated_tokens("abcde"), 2);
        assert_eq!(estimated_tokens("éé"), 1);
    }
}
