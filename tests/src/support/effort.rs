//! How much a suite does: one round of everything by default, all rounds with `tests/run --full`.

/// Whether all rounds are wanted.
#[must_use]
pub fn is_full() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the test command tells how much is wanted")]
    let full = std::env::var("PROMPTLOOPER_TEST_FULL");
    full.is_ok_and(|full| !full.is_empty())
}

/// A number of rounds: as by default, or with `--full`.
#[must_use]
pub fn scaled(by_default: u64, full: u64) -> u64 {
    if is_full() { full } else { by_default }
}
