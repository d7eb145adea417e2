use domain::problem::Problem;
use regex::{Regex, RegexBuilder};

use super::Effort;

/// The largest program that a pattern becomes, in bytes.
pub(super) const MAX_SIZE: usize = 4 << 20;
/// The largest program whose work is bounded by the text's length: some 8,000 states, each of which may look at each
/// character.
const SMALL: usize = 256 << 10;
/// Small programs that one of [`MAX_SIZE`] counts as.
const LARGE_UNITS: usize = MAX_SIZE / SMALL;
/// The longest text for such a program, in bytes, that is looked at between other work, and at all.
const SHORT: usize = 4 << 10;
const LONG: usize = 64 << 10;

/// A pattern that is matched in a time that grows with the text only.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    small: bool,
}

impl Pattern {
    pub(super) fn compile(pattern: &str) -> Result<Self, Problem> {
        let regex = sized(pattern, MAX_SIZE)
            .map_err(|error| Problem::new("/pattern", "wrong_value", pattern_error(&error)))?;
        Ok(Self { regex, small: is_small(pattern) })
    }

    /// The memory that it takes, in small programs.
    pub(super) const fn units(&self) -> usize {
        if self.small { 1 } else { LARGE_UNITS }
    }

    pub(super) fn effort(&self, text: &str) -> Effort {
        match text.len() {
            length if !self.small || length > LONG => Effort::Unbounded,
            length if length > SHORT => Effort::Much,
            _ => Effort::Little,
        }
    }

    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        self.regex.is_match(text).then_some(()).ok_or_else(String::new)
    }
}

/// What is wrong with a pattern, and what to write instead.
pub(crate) fn pattern_error(error: &regex::Error) -> String {
    let told = error.to_string();
    let told =
        told.replacen("regex parse error:", "the pattern cannot be read:", 1).replacen("\nerror: ", "\n", 1);
    let unbounded = ["look-around", "look-ahead", "backreferences"].iter().any(|word| told.contains(word));
    if unbounded {
        format!(
            "{told}: patterns match in linear time. `negate: true` turns an entry, `extract` cuts out a part"
        )
    } else {
        told
    }
}

/// Whether a pattern becomes a small program.
fn is_small(pattern: &str) -> bool {
    sized(pattern, SMALL).is_ok()
}

/// The memory that a pattern takes at most, in small programs.
pub(super) fn units(pattern: &str) -> usize {
    if is_small(pattern) { 1 } else { LARGE_UNITS }
}

fn sized(pattern: &str, size: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(size).dfa_size_limit(MAX_SIZE).build()
}
