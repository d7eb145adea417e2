//! Token counts and costs as servers tell them.

use domain::money::NanoDollars;
use domain::pricing::CacheUse;
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

/// What of the prompt went through the server's cache, as `OpenAI` and those who follow it tell it: in the details of the
/// prompt, or, from servers of `DeepSeek` and Moonshot, beside the counts.
pub(crate) fn cache_use(usage: &Value, details: &str) -> CacheUse {
    let details = usage.get(details).unwrap_or(&Value::Null);
    let read = count(details, "cached_tokens")
        .or_else(|| count(usage, "prompt_cache_hit_tokens"))
        .or_else(|| count(usage, "cached_tokens"));
    CacheUse { read: read.unwrap_or(0), written: count(details, "cache_write_tokens").unwrap_or(0) }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cached_prompt_tokens_are_found_where_servers_tell_them() {
        for (usage, read, written) in [
            (json!({"prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 2}}), 40, 2),
            (json!({"prompt_tokens_details": {"cached_tokens": null}, "prompt_cache_hit_tokens": 7}), 7, 0),
            (json!({"cached_tokens": 3}), 3, 0),
            (json!({"prompt_tokens_details": "none"}), 0, 0),
            (json!({"prompt_tokens_details": {"cached_tokens": -1}}), 0, 0),
            (Value::Null, 0, 0),
        ] {
            assert_eq!(cache_use(&usage, "prompt_tokens_details"), CacheUse { read, written }, "{usage}");
        }
    }
}
