//! The confidence interval of a proportion.

use super::Interval;

/// The 97.5 % point of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % interval of a share of `successes` among `n` (Wilson 1927, without continuity correction); `None` where n
/// is 0 or below the successes.
#[must_use]
pub fn wilson(successes: u64, n: u64) -> Option<Interval> {
    if n == 0 || successes > n {
        return None;
    }
    let (n, share) = (n as f64, successes as f64 / n as f64);
    let square = Z * Z;
    let center = (share + square / (2.0 * n)) / (1.0 + square / n);
    let half = Z / (1.0 + square / n) * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    // At the ends the formula differs from the exact value only by a rounding error.
    let low = if successes == 0 { 0.0 } else { (center - half).max(0.0) };
    let high = if share >= 1.0 { 1.0 } else { (center + half).min(1.0) };
    Some(Interval { low, high })
}
