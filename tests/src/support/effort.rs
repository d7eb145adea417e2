//! How much the suites do: one round of everything by default, all rounds with `tests/run --full`.

/// Whether all rounds are run.
#[must_use]
pub fn is_full() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the test command tells how much is wanted")]
    let full = std::env::var("PROMPTLOOPER_TEST_FULL");
    full.is_ok_and(|full| !full.is_empty())
}

/// A number of rounds: the default, or that with `--full`.
#[must_use]
pub fn scaled<T>(by_default: T, full: T) -> T {
    if is_full() { full } else { by_default }
}

/// Prints a figure that a suite measured.
pub fn report(figure: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stdout(), "{figure}"));
}
