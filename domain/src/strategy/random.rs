use super::{Guide, History, Proposal, next};
use crate::random::{Permutation, Purpose, unit};
use crate::space::{Point, Size, Space};

/// Seeded sampling.
///
/// Up to 2^53 points it is a permutation, so that no point repeats. For larger and continuous spaces, points follow a
/// Halton sequence with a seeded shift, which fills a space more evenly than independent draws. With more than twelve
/// dimensions, where Halton sequences clump, draws are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random;

/// The largest space that is sampled by a permutation.
const PERMUTED: u128 = 1 << 53;
/// The first primes: the bases of the Halton sequence (Halton, "On the efficiency of certain quasi-random sequences").
const PRIMES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

impl Guide for Random {
    fn propose(&self, history: &History<'_>, want: usize) -> Proposal {
        match history.space.size() {
            Size::Points(points) if points <= PERMUTED => {
                let permutation = Permutation::new(history.seed, u64::try_from(points).unwrap_or(u64::MAX));
                next(history, want, Some(points), |trial| {
                    history.space.point(u128::from(permutation.at(trial)?))
                })
            }
            _ => next(history, want, None, |trial| Some(drawn(history.space, history.seed, trial))),
        }
    }
}

fn drawn(space: &Space, seed: u64, trial: u64) -> Point {
    let dimensions = space.dimensions().len();
    space.draw(|dimension| match PRIMES.get(dimension) {
        Some(base) if dimensions <= PRIMES.len() => {
            let shift = unit(seed, Purpose::Shift, dimension as u64);
            (halton(trial + 1, *base) + shift).fract()
        }
        _ => unit(seed, Purpose::Coordinate, trial.wrapping_mul(dimensions as u64) + dimension as u64),
    })
}

/// The radical inverse of `index` in `base`: its digits mirrored at the point.
fn halton(mut index: u64, base: u64) -> f64 {
    let (mut inverse, mut scale) = (0.0, 1.0);
    while index > 0 {
        scale /= base as f64;
        inverse += (index % base) as f64 * scale;
        index /= base;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_halton_s() {
        let expected = [
            [0.5, 1.0 / 3.0, 0.2],
            [0.25, 2.0 / 3.0, 0.4],
            [0.75, 1.0 / 9.0, 0.6],
            [0.125, 4.0 / 9.0, 0.8],
            [0.625, 7.0 / 9.0, 0.04],
            [0.375, 2.0 / 9.0, 0.24],
        ];
        for (index, row) in (1..).zip(expected) {
            for (base, value) in PRIMES.iter().zip(row) {
                assert!((halton(index, *base) - value).abs() < 1e-12, "{index} in base {base}");
            }
        }
    }
}
