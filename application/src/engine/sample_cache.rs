//! Caches the samples of experiments: every run of one takes the same samples in the same order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::sample::{Expectations, Sample};
use domain::value::Value;

/// Bytes of text that are kept of one experiment.
const MAX_BYTES: usize = 2 << 20;

/// A sample as runs use it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LoadedSample {
    /// What templates see.
    pub(super) value: Value,
    pub(super) expected: Arc<Expectations>,
}

/// The first samples that were read, as far as there is room.
#[derive(Default)]
pub(super) struct SampleCache {
    kept: Mutex<CacheEntries>,
}

#[derive(Default)]
struct CacheEntries {
    samples: HashMap<u32, LoadedSample>,
    bytes: usize,
}

impl LoadedSample {
    /// A sample at its place in the set.
    pub(super) fn new(sample: Sample, index: u32) -> Self {
        let (value, expected) = sample.into_parts(index);
        Self { value, expected: Arc::new(expected) }
    }

    /// About the bytes of memory that it takes.
    fn size(&self) -> usize {
        let references = self.expected.references.iter().map(Value::size).sum::<usize>();
        let options =
            |check: &domain::scoring::ScoringDraft| check.options.values().map(Value::size).sum::<usize>();
        let checks = self.expected.checks.iter().map(|check| size_of_val(check) + options(check));
        self.value.size() + references + checks.sum::<usize>()
    }
}

impl SampleCache {
    /// These samples, where all of them are kept.
    pub(super) fn all(&self, indices: &[u32]) -> Option<Vec<(u32, LoadedSample)>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        indices.iter().map(|index| Some((*index, kept.samples.get(index)?.clone()))).collect()
    }

    /// Keeps samples, as long as there is room.
    pub(super) fn keep(&self, samples: &[(u32, LoadedSample)]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, sample) in samples {
            let bytes = sample.size();
            if kept.bytes + bytes > MAX_BYTES {
                return;
            }
            if kept.samples.insert(*index, sample.clone()).is_none() {
                kept.bytes += bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_kept_as_long_as_there_is_room() {
        let cache = SampleCache::default();
        let input = Value::from("x".repeat(MAX_BYTES / 3));
        let large = LoadedSample::new(Sample { input, ..Sample::default() }, 0);
        let samples: Vec<(u32, LoadedSample)> = (0..5).map(|index| (index, large.clone())).collect();
        cache.keep(&samples);
        assert_eq!(cache.all(&[1, 0]).map(|found| found.len()), Some(2));
        assert!(cache.all(&[0, 3]).is_none());
        cache.keep(&samples[..2]);
        assert_eq!(cache.all(&[0]), Some(vec![(0, large)]));
    }
}
