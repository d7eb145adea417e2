//! Tests whether one configuration is better than another on the same samples.

use super::special::ln_gamma;
use super::{Interval, is_binary, mean, standard_error, t_critical, t_two_sided};

/// The difference of two configurations on the samples that both have a score for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Mean of a - b.
    pub diff: f64,
    /// Its 95 % interval; `None` for fewer than two common samples.
    pub interval: Option<Interval>,
    /// The two-sided p-value; `None` if there is not enough data: fewer than six common samples, or equal
    /// differences.
    pub p: Option<f64>,
    /// The number of common samples.
    pub n: usize,
}

/// The fewest common samples for a test.
const FEWEST: usize = 6;
/// The most samples for the exact test.
const EXACT: usize = 12;

/// Compares two configurations whose scores are in the same order of samples; NaN where there is none. Scores of 0
/// and 1 are compared by McNemar's exact test, others by exact sign flips up to twelve samples and by the paired t
/// test above.
#[must_use]
pub fn compare(a: &[f64], b: &[f64]) -> Comparison {
    let common: Vec<(f64, f64)> =
        a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| !a.is_nan() && !b.is_nan()).collect();
    let diffs: Vec<f64> = common.iter().map(|(a, b)| rounded(a - b)).collect();
    Comparison {
        diff: mean(&diffs).unwrap_or(0.0),
        interval: interval(&diffs),
        p: p(&common, &diffs),
        n: diffs.len(),
    }
}

/// Rounds a difference, so that 0.3 - 0.2 equals 0.2 - 0.1.
fn rounded(diff: f64) -> f64 {
    (diff * 1e12).round() / 1e12
}

fn interval(diffs: &[f64]) -> Option<Interval> {
    let (center, error) = (mean(diffs)?, standard_error(diffs)?);
    let half = t_critical(diffs.len() as f64 - 1.0) * error;
    Some(Interval { low: center - half, high: center + half })
}

fn p(common: &[(f64, f64)], diffs: &[f64]) -> Option<f64> {
    let differ = diffs.windows(2).any(|pair| pair[0].total_cmp(&pair[1]).is_ne());
    if diffs.len() < FEWEST || !differ {
        return None;
    }
    if common.iter().all(|(a, b)| is_binary(&[*a, *b])) {
        let better = diffs.iter().filter(|diff| **diff > 0.0).count();
        let worse = diffs.iter().filter(|diff| **diff < 0.0).count();
        return Some(mcnemar(better as u64, worse as u64));
    }
    if diffs.len() <= EXACT { sign_flip(diffs) } else { paired_t(diffs) }
}

/// McNemar's exact test (1947): the two-sided binomial p-value for the split of the samples that differ. 1 if none
/// differs.
#[must_use]
pub fn mcnemar(better: u64, worse: u64) -> f64 {
    let (fewer, all) = (better.min(worse), better + worse);
    let ln_factorial = |n: u64| ln_gamma(n as f64 + 1.0);
    let term = |k: u64| {
        let ways = ln_factorial(all) - ln_factorial(k) - ln_factorial(all - k);
        (ways - all as f64 * std::f64::consts::LN_2).exp()
    };
    (2.0 * (0..=fewer).map(term).sum::<f64>()).min(1.0)
}

/// Fisher's randomisation test of paired differences: the share of all sign flips whose sum is at least as far from
/// 0. `None` for more than 20 differences, because there are too many flips.
#[must_use]
pub fn sign_flip(diffs: &[f64]) -> Option<f64> {
    const MOST: usize = 20;
    if diffs.is_empty() || diffs.len() > MOST {
        return None;
    }
    let flips = 1_u32 << diffs.len();
    let sum = |flip: u32| -> f64 {
        diffs.iter().enumerate().map(|(i, diff)| if flip >> i & 1 == 1 { -diff } else { *diff }).sum()
    };
    let seen = sum(0).abs() - 1e-12;
    let as_far = (0..flips).filter(|flip| sum(*flip).abs() >= seen).count();
    Some(as_far as f64 / f64::from(flips))
}

/// The two-sided p-value of the paired t test; `None` for fewer than two differences, or equal ones.
#[must_use]
pub fn paired_t(diffs: &[f64]) -> Option<f64> {
    let error = standard_error(diffs).filter(|error| *error > 0.0)?;
    Some(t_two_sided(mean(diffs)? / error, diffs.len() as f64 - 1.0))
}

/// Holm's adjusted p-values (1979), in the given order: each is the smallest level at which its test is rejected
/// among all of them.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(p[index] * (p.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}
