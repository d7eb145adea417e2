//! Confidence intervals, paired comparisons, shrunk means, and probabilities of being the best.
//!
//! The unit is always the sample: repetitions are averaged before, and `n` is the number of samples.

mod bootstrap;
mod compare;
mod shrink;
mod special;
mod student;
mod wilson;

pub use bootstrap::{DRAWS, probability_best};
pub use compare::{Comparison, compare, holm, mcnemar, paired_t, sign_flip};
pub use shrink::shrunk;
pub use student::{t_critical, t_two_sided};
pub use wilson::wilson;

/// A 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The mean, added up in the given order; `None` without values.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}

/// The standard error of the mean, from the variance with n - 1; `None` for fewer than two values.
#[must_use]
pub fn standard_error(values: &[f64]) -> Option<f64> {
    let center = mean(values).filter(|_| values.len() >= 2)?;
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    let n = values.len() as f64;
    Some((squares / (n - 1.0) / n).sqrt())
}

/// The 95 % confidence interval of the mean score of samples. If all scores are 0 or 1 and there are no repetitions,
/// this is the Wilson interval; otherwise Student's t with n - 1 degrees of freedom, cut to [0, 1]. `None` if there
/// are too few scores to estimate their spread.
#[must_use]
pub fn interval_of_mean(scores: &[f64], repeats: u32) -> Option<Interval> {
    if repeats == 1 && !scores.is_empty() && is_binary(scores) {
        let successes = scores.iter().filter(|score| **score == 1.0).count();
        return wilson(successes as u64, scores.len() as u64);
    }
    let (center, error) = (mean(scores)?, standard_error(scores)?);
    let half = t_critical(scores.len() as f64 - 1.0) * error;
    Some(Interval { low: (center - half).clamp(0.0, 1.0), high: (center + half).clamp(0.0, 1.0) })
}

/// Whether every score is exactly 0 or 1.
fn is_binary(scores: &[f64]) -> bool {
    scores.iter().all(|score| *score == 0.0 || *score == 1.0)
}

#[cfg(test)]
mod tests;
