//! Estimates how likely each of several configurations is the best one.

use crate::random::{Purpose, below};

/// The number of resamples.
pub const DRAWS: u32 = 2_000;

/// For each row of scores, the share of resamples in which its mean is the highest. Rows that tie share a resample.
/// All rows have scores on the same samples, and each resample draws the same samples for all rows (Efron 1979). Rows
/// without samples share everything.
#[must_use]
pub fn probability_best(rows: &[Vec<f64>], draws: u32, seed: u64) -> Vec<f64> {
    let samples = rows.iter().map(Vec::len).min().unwrap_or(0);
    let columns: Vec<Vec<f64>> =
        (0..samples).map(|sample| rows.iter().map(|row| row[sample]).collect()).collect();
    let mut wins = vec![0.0; rows.len()];
    let mut counts = vec![0.0; samples];
    let mut sums = vec![0.0; rows.len()];
    for draw in 0..draws {
        resample(&mut counts, draw, seed);
        add_up(&mut sums, &columns, &counts);
        let best = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Sums of the same scores in different orders differ by rounding errors.
        let first: Vec<usize> = (0..rows.len()).filter(|row| sums[*row] >= best - 1e-9).collect();
        for row in &first {
            wins[*row] += 1.0 / first.len() as f64;
        }
    }
    wins.into_iter().map(|won| won / f64::from(draws.max(1))).collect()
}

/// The sum of each row's scores, each as often as its sample was drawn. The rows are summed side by side, which processors
/// do several at a time; each in the order of its samples.
fn add_up(sums: &mut [f64], columns: &[Vec<f64>], counts: &[f64]) {
    sums.fill(0.0);
    for (column, n) in columns.iter().zip(counts) {
        for (sum, score) in sums.iter_mut().zip(column) {
            *sum += score * n;
        }
    }
}

/// Counts how often each sample is drawn, with as many draws as there are samples.
fn resample(counts: &mut [f64], draw: u32, seed: u64) {
    counts.fill(0.0);
    let samples = counts.len() as u64;
    for i in 0..samples {
        let drawn = below(samples, seed, Purpose::Resample, u64::from(draw) * samples + i);
        if let Some(count) = usize::try_from(drawn).ok().and_then(|drawn| counts.get_mut(drawn)) {
            *count += 1.0;
        }
    }
}
