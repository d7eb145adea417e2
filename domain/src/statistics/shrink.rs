//! Shrinks means, because the best of many is biased upwards.

/// The means, shrunk towards their common mean, the more the larger their errors are (empirical Bayes: Efron and
/// Morris 1975, with the variance between configurations of DerSimonian and Laird 1986). A single mean does not
/// change, nor do means whose errors are all 0.
#[must_use]
pub fn shrunk(means: &[f64], standard_errors: &[f64]) -> Vec<f64> {
    const LEAST_VARIANCE: f64 = 1e-9;
    let variances: Vec<f64> =
        standard_errors.iter().map(|error| (error * error).max(LEAST_VARIANCE)).collect();
    if means.len() < 2 || standard_errors.iter().all(|error| *error <= 0.0) {
        return means.to_vec();
    }
    let between = between(means, &variances);
    let (center, _) = weighted_mean(means, variances.iter().map(|variance| 1.0 / (variance + between)));
    let pull = |mean: &f64, variance: &f64| center + (mean - center) * between / (between + variance);
    means.iter().zip(&variances).map(|(mean, variance)| pull(mean, variance)).collect()
}

/// The variance between configurations that their errors do not explain.
fn between(means: &[f64], variances: &[f64]) -> f64 {
    let weights = || variances.iter().map(|variance| 1.0 / variance);
    let (center, total) = weighted_mean(means, weights());
    let spread: f64 =
        means.iter().zip(weights()).map(|(mean, weight)| weight * (mean - center).powi(2)).sum();
    let squares: f64 = weights().map(|weight| weight * weight).sum();
    let scale = total - squares / total;
    if scale > 0.0 { ((spread - (means.len() as f64 - 1.0)) / scale).max(0.0) } else { 0.0 }
}

fn weighted_mean(means: &[f64], weights: impl Iterator<Item = f64>) -> (f64, f64) {
    let (sum, total) = means
        .iter()
        .zip(weights)
        .fold((0.0, 0.0), |(sum, total), (mean, weight)| (sum + weight * mean, total + weight));
    (sum / total, total)
}
