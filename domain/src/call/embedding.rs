//! Vectors of texts.

use std::sync::Arc;

/// The vector of a text: not empty, and all numbers are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Arc<[f32]>);

impl Embedding {
    /// A vector of these numbers; `None` if there are none, or one is not finite.
    #[must_use]
    pub fn try_new(numbers: Vec<f32>) -> Option<Self> {
        let fits = !numbers.is_empty() && numbers.iter().all(|number| number.is_finite());
        fits.then(|| Self(numbers.into()))
    }

    /// Its numbers.
    #[must_use]
    pub fn numbers(&self) -> &[f32] {
        &self.0
    }

    /// The cosine of the angle between two vectors, from -1 to 1; 0 if one of them is zero or their lengths differ.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f64 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        cosine(dot(&self.0, &other.0), norm(&self.0) * norm(&other.0))
    }
}

/// The cosine of an angle by the product of two vectors and that of their lengths; 0 if one of them is zero.
pub(crate) fn cosine(product: f64, norms: f64) -> f64 {
    if norms == 0.0 { 0.0 } else { (product / norms).clamp(-1.0, 1.0) }
}

/// The length of a vector.
pub(crate) fn norm(vector: &[f32]) -> f64 {
    dot(vector, vector).sqrt()
}

/// The product of two vectors of one length. Eight sums are kept side by side, which processors do at once; their order is
/// fixed, so that the result is the same everywhere.
pub(crate) fn dot(one: &[f32], other: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0_f64; LANES];
    let (whole, of_other) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest = whole.remainder().iter().zip(of_other.remainder());
    let rest: f64 = rest.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    for (a, b) in whole.zip(of_other) {
        for lane in 0..LANES {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}
