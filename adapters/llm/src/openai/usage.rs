//! Token counts as servers tell them.

/// The most tokens of one side of an exchange that are believed.
const PLAUSIBLE_TOKENS: u64 = 1 << 32;

/// A count that can be right: whole, not negative, and not beyond belief.
pub(super) fn count(usage: &serde_json::Value, name: &str) -> Option<u64> {
    usage.get(name)?.as_u64().filter(|count| *count <= PLAUSIBLE_TOKENS)
}
