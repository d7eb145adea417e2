//! Token counts and costs as servers tell them.

use domain::money::NanoDollars;
use serde_json::Value;

/// The most tokens of one side of an exchange that are believed.
const PLAUSIBLE_TOKENS: u64 = 1 << 32;
/// The most dollars of one exchange that are believed.
const PLAUSIBLE_DOLLARS: f64 = 10_000.0;

/// A count that can be right: whole, not negative, and not beyond belief.
pub(crate) fn count(usage: &Value, name: &str) -> Option<u64> {
    let told = usage.get(name)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within bounds")]
    let whole = |number: f64| {
        (number.fract() == 0.0 && (0.0..=PLAUSIBLE_TOKENS as f64).contains(&number)).then_some(number as u64)
    };
    told.as_u64().or_else(|| whole(told.as_f64()?)).filter(|count| *count <= PLAUSIBLE_TOKENS)
}

/// A cost in US dollars that can be right.
pub(crate) fn dollars(of: &Value, name: &str) -> Option<NanoDollars> {
    amount(of.get(name)?.as_f64()?)
}

/// The same from a header.
pub(crate) fn dollars_in(text: &str) -> Option<NanoDollars> {
    amount(text.trim().parse().ok()?)
}

fn amount(dollars: f64) -> Option<NanoDollars> {
    if (0.0..=PLAUSIBLE_DOLLARS).contains(&dollars) { NanoDollars::from_dollars(dollars) } else { None }
}
