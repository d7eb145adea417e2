//! Limits of sweeps.

use std::fmt;

use crate::money::NanoDollars;

/// The limits of a sweep. `None` means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepLimits {
    /// Runs.
    pub max_runs: Option<u64>,
    /// Tokens paid for, of prompts and answers together.
    pub max_tokens: Option<u64>,
    /// Money paid.
    pub max_cost: Option<NanoDollars>,
}

/// How much of its budgets a sweep has spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpentBudget {
    /// Tokens.
    pub tokens: u64,
    /// Money.
    pub cost: NanoDollars,
}

/// A sweep cannot resume because its budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetExhausted {
    limits: SweepLimits,
    spent: SpentBudget,
}

impl SweepLimits {
    /// Whether calls must be reserved in a budget before they are made.
    #[must_use]
    pub const fn is_budgeted(&self) -> bool {
        self.max_tokens.is_some() || self.max_cost.is_some()
    }

    /// These limits, replaced by those that are set in `others`.
    #[must_use]
    pub fn replaced_by(self, others: Self) -> Self {
        Self {
            max_runs: others.max_runs.or(self.max_runs),
            max_tokens: others.max_tokens.or(self.max_tokens),
            max_cost: others.max_cost.or(self.max_cost),
        }
    }

    /// Checks that a sweep which used up its budget under `before` has room for more under these limits. A budget can
    /// be used up before all of it is spent: the next call is made only if the most that it can cost fits.
    /// used up before all of it is spent: the next call is only made if the most that it can cost fits.
    ///
    /// # Errors
    /// No budget is larger than before.
    pub fn check_raise(&self, before: &Self, spent: SpentBudget) -> Result<(), BudgetExhausted> {
        let raised =
            is_raised(self.max_tokens, before.max_tokens) || is_raised(self.max_cost, before.max_cost);
        if raised { Ok(()) } else { Err(BudgetExhausted { limits: *self, spent }) }
    }
}

fn is_raised<T: Ord>(limit: Option<T>, before: Option<T>) -> bool {
    before.is_some_and(|before| limit.is_none_or(|limit| limit > before))
}

/// For people: each limit with what is spent of it, and the remedy.
impl fmt::Display for BudgetExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limits, spent } = self;
        f.write_str("the budget is used up, the next call may not fit:")?;
        if let Some(limit) = limits.max_tokens {
            write!(f, " {} of max_tokens {limit} are spent;", spent.tokens)?;
        }
        if let Some(limit) = limits.max_cost {
            write!(f, " {} of max_cost {} USD are spent;", spent.cost.dollars(), limit.dollars())?;
        }
        f.write_str(" resume with a higher limit")
    }
}

impl std::error::Error for BudgetExhausted {}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_tokens: Option<u64>, max_cost: Option<f64>) -> SweepLimits {
        SweepLimits { max_runs: Some(9), max_tokens, max_cost: max_cost.and_then(NanoDollars::from_dollars) }
    }

    #[test]
    fn only_a_larger_budget_lets_a_sweep_go_on() {
        for (before, after, goes_on) in [
            ((Some(100), None), (Some(100), None), false),
            ((Some(100), None), (Some(99), None), false),
            ((Some(100), None), (Some(100), Some(1.0)), false),
            ((Some(100), None), (Some(101), None), true),
            ((Some(100), Some(0.5)), (Some(100), Some(0.6)), true),
            ((Some(100), Some(0.5)), (Some(200), Some(0.5)), true),
        ] {
            let (before, after) = (limits(before.0, before.1), limits(after.0, after.1));
            let checked = before.replaced_by(after).check_raise(&before, SpentBudget::default());
            assert_eq!(checked.is_ok(), goes_on, "{before:?} to {after:?}");
        }
    }

    #[test]
    fn a_refusal_names_each_limit_and_what_is_spent_of_it() {
        let before = limits(Some(250), Some(0.5));
        let spent = SpentBudget { tokens: 138, cost: NanoDollars::from_dollars(0.25).unwrap() };
        let refused = before.check_raise(&before, spent).unwrap_err().to_string();
        assert_eq!(
            refused,
            "the budget is used up, the next call may not fit: 138 of max_tokens 250 are spent; 0.25 of max_cost 0.5 USD are \
             spent; resume with a higher limit"
        );
    }
}
