//! Caches the samples of experiments: every run of one takes the same samples in the same order.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::value::Value;

/// Bytes of text that are kept of one experiment.
const MAX_BYTES: usize = 2 << 20;

/// The first samples that were read, as templates see them, as far as there is room.
#[derive(Default)]
pub(super) struct SampleCache {
    kept: Mutex<CacheEntries>,
}

#[derive(Default)]
struct CacheEntries {
    samples: HashMap<u32, Value>,
    bytes: usize,
}

impl SampleCache {
    /// These samples, where all of them are kept.
    pub(super) fn all(&self, indices: &[u32]) -> Option<Vec<(u32, Value)>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        indices.iter().map(|index| Some((*index, kept.samples.get(index)?.clone()))).collect()
    }

    /// Keeps samples, as long as there is room.
    pub(super) fn keep(&self, samples: &[(u32, Value)]) {
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
        let large = Value::from("x".repeat(MAX_BYTES / 3));
        let samples: Vec<(u32, Value)> = (0..5).map(|index| (index, large.clone())).collect();
        cache.keep(&samples);
        assert_eq!(cache.all(&[1, 0]).map(|found| found.len()), Some(2));
        assert!(cache.all(&[0, 3]).is_none());
        cache.keep(&samples[..2]);
        assert_eq!(cache.all(&[0]), Some(vec![(0, large)]));
    }
}
