//! Deterministic randomness: every number is a function of a seed and a purpose.

/// What a random number is used for. Each purpose has its own sequence of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The order of a permutation.
    Permutation = 1,
    /// The order of samples.
    Order = 2,
    /// The shift of a low-discrepancy sequence.
    Shift = 3,
    /// A coordinate of a point.
    Coordinate = 4,
    /// A resample of a bootstrap.
    Resample = 5,
}

/// Mixes 64 bits so that each depends on all (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators":
/// the finaliser of `SplitMix64`).
const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The random bits of (seed, purpose, counter).
#[must_use]
pub const fn bits(seed: u64, purpose: Purpose, counter: u64) -> u64 {
    let keyed = mix(seed.wrapping_add(GOLDEN)) ^ mix((purpose as u64).wrapping_mul(GOLDEN));
    mix(keyed.wrapping_add(counter.wrapping_mul(GOLDEN)))
}

/// A number in `[0, 1)` with 53 random bits.
#[must_use]
pub const fn unit(seed: u64, purpose: Purpose, counter: u64) -> f64 {
    (bits(seed, purpose, counter) >> 11) as f64 / 9_007_199_254_740_992.0
}

/// A whole number in `[0, bound)`; 0 where the bound is 0. Biased by less than bound / 2^64.
#[must_use]
pub const fn below(bound: u64, seed: u64, purpose: Purpose, counter: u64) -> u64 {
    ((bits(seed, purpose, counter) as u128 * bound as u128) >> 64) as u64
}

/// A seeded order of `0..count`, each once (Fisher and Yates).
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "below its bound, which is an index")]
pub fn shuffled(seed: u64, count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, below(i as u64 + 1, seed, Purpose::Order, i as u64) as usize);
    }
    order
}

/// A seeded permutation of `0..size` whose entries are computed one by one, so that it takes no memory.
///
/// A balanced Feistel network over the next even number of bits; results outside of the range are fed back in until
/// one is inside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", cycle walking).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permutation {
    seed: u64,
    size: u64,
    half: u32,
}

/// Rounds of the network. Four suffice for numbers that look random; more are cheap.
const ROUNDS: u64 = 6;

impl Permutation {
    /// The largest size there is: 2^62.
    pub const MAX: u64 = 1 << 62;

    /// The permutation of `0..size` with this seed. Sizes above [`MAX`](Self::MAX) are reduced to it.
    #[must_use]
    pub const fn new(seed: u64, size: u64) -> Self {
        let size = if size > Self::MAX { Self::MAX } else { size };
        let bits = u64::BITS - size.saturating_sub(1).leading_zeros();
        let half = if bits < 2 { 1 } else { bits.div_ceil(2) };
        Self { seed, size, half }
    }

    /// The image of `index`; `None` if it is not below the size.
    #[must_use]
    pub const fn at(&self, index: u64) -> Option<u64> {
        if index >= self.size {
            return None;
        }
        let mut image = self.network(index);
        while image >= self.size {
            image = self.network(image);
        }
        Some(image)
    }

    const fn network(&self, input: u64) -> u64 {
        let mask = (1 << self.half) - 1;
        let (mut left, mut right) = (input >> self.half, input & mask);
        let mut round = 0;
        while round < ROUNDS {
            let mixed = bits(self.seed, Purpose::Permutation, (right << 4) | round) & mask;
            (left, right) = (right, left ^ mixed);
            round += 1;
        }
        (left << self.half) | right
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_permutation_takes_each_once(seed: u64, size in 0_u64..700) {
            let permutation = Permutation::new(seed, size);
            let mut images: Vec<u64> = (0..size).filter_map(|index| permutation.at(index)).collect();
            images.sort_unstable();
            prop_assert_eq!(images, (0..size).collect::<Vec<_>>());
            prop_assert_eq!(permutation.at(size), None);
        }

        #[test]
        fn a_huge_permutation_stays_in_range(seed: u64, size in 1_u64..=1 << 53, index: u64) {
            let image = Permutation::new(seed, size).at(index % size);
            prop_assert!(image.is_some_and(|image| image < size));
        }

        #[test]
        fn numbers_stay_in_their_range(seed: u64, counter: u64, bound in 1_u64..) {
            prop_assert!((0.0..1.0).contains(&unit(seed, Purpose::Shift, counter)));
            prop_assert!(below(bound, seed, Purpose::Shift, counter) < bound);
        }
    }

    #[test]
    fn numbers_are_spread_evenly() {
        let mut counts = [0_i32; 10];
        for counter in 0..10_000 {
            counts[usize::try_from(below(10, 42, Purpose::Coordinate, counter)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (count - 1000).abs() < 150), "{counts:?}");
        assert_ne!(bits(1, Purpose::Order, 0), bits(1, Purpose::Shift, 0));
        assert_ne!(shuffled(1, 20), shuffled(2, 20));
    }
}
