//! Student's t distribution.

use std::cell::Cell;

use super::special::incomplete_beta;

/// The probability that |T| is at least |t|, with this many degrees of freedom (above 0).
#[must_use]
pub fn t_two_sided(t: f64, freedom: f64) -> f64 {
    if t.is_infinite() { 0.0 } else { incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5) }
}

thread_local! {
    /// The last degrees of freedom and their critical t: most runs of an experiment have equally many samples.
    static LAST: Cell<(f64, f64)> = const { Cell::new((f64::NAN, f64::NAN)) };
}

/// The t that |T| exceeds with a probability of 5 %, with this many degrees of freedom (above 0); by bisection to the
/// last digit.
#[must_use]
pub fn t_critical(freedom: f64) -> f64 {
    let (known, critical) = LAST.get();
    if known == freedom {
        return critical;
    }
    let critical = bisected(freedom);
    LAST.set((freedom, critical));
    critical
}

fn bisected(freedom: f64) -> f64 {
    const LEVEL: f64 = 0.05;
    let mut low = 1.0;
    let mut high = 2.0;
    while t_two_sided(high, freedom) > LEVEL && high < 1e9 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if middle == low || middle == high {
            break;
        }
        if t_two_sided(middle, freedom) > LEVEL { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}
