//! Gives the outputs of a run's stages again from what is stored.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::RunId;
use domain::money::NanoDollars;
use domain::pipeline::{Pipeline, Recollection, SampleProgress, StageOutput};
use domain::scoring::Measured;
use domain::value::Value;

use super::super::Engine;
use super::super::loaded::LoadedExperiment;
use super::super::sample_cache::LoadedSample;
use crate::json;
use crate::ports::{Recall, StoreError, StoredOutput};
use crate::walk::{KnownAnswers, KnownIndexes, Walk, run_owner};

/// What one repetition of a sample came to.
pub(super) struct RecalledSample {
    pub(super) progress: SampleProgress,
    pub(super) measured: Measured,
}

impl Engine {
    /// Samples by their indices, from memory or the store.
    pub(super) async fn loaded_samples(
        &self,
        loaded: &LoadedExperiment,
        indices: &[u32],
    ) -> Result<HashMap<u32, LoadedSample>, StoreError> {
        if let Some(kept) = loaded.samples().all(indices) {
            return Ok(kept.into_iter().collect());
        }
        let samples = self.ports.experiments.samples(loaded.sample_set(), indices).await?;
        let each = indices.iter().zip(samples);
        let samples: Vec<_> =
            each.map(|(index, sample)| (*index, LoadedSample::new(sample, *index))).collect();
        loaded.samples().keep(&samples);
        Ok(samples.into_iter().collect())
    }

    /// The outputs of one repetition of a sample; `None` where a stage failed. Those of early releases may rest on answers
    /// that only the cache knows.
    pub(super) async fn recalled(
        &self,
        (loaded, pipeline): (&Arc<LoadedExperiment>, &Arc<Pipeline>),
        run: RunId,
        sample: Value,
        stored: &[StoredOutput],
    ) -> Result<Option<RecalledSample>, StoreError> {
        if stored.iter().any(|stored| stored.error.is_some()) || stored.len() < pipeline.stages().len() {
            return Ok(None);
        }
        let mut progress = SampleProgress::new(sample);
        for output in stored {
            match recalled(pipeline, &progress, loaded.definition().documents(), output) {
                Some(value) => progress.passed(pipeline.stages()[output.stage as usize].name(), value),
                None => return self.walked((loaded, pipeline), run, progress, stored).await,
            }
        }
        Ok(Some(RecalledSample { progress, measured: measured(stored) }))
    }

    /// Takes a sample through the stages once more, with the answers that the cache knows.
    async fn walked(
        &self,
        (loaded, pipeline): (&Arc<LoadedExperiment>, &Arc<Pipeline>),
        run: RunId,
        progress: SampleProgress,
        stored: &[StoredOutput],
    ) -> Result<Option<RecalledSample>, StoreError> {
        let (index, repeat) = stored.first().map_or((0, 1), |stored| (stored.sample, stored.repeat));
        let indexes = KnownIndexes::default();
        let owner = run_owner(run, index, repeat);
        let known = KnownAnswers::new(&*self.ports.calls, &indexes, owner);
        let walk = Walk { pipeline, definition: loaded.definition(), offload: loaded.offload() };
        let sample = SampleProgress::new(progress.sample().clone());
        let record = walk.through(sample, repeat, &known).await?;
        let complete = record.is_complete(pipeline.stages().len());
        let measured = record.measured();
        Ok(complete.then_some(RecalledSample { progress: record.progress, measured }))
    }
}

fn recalled(
    pipeline: &Pipeline,
    progress: &SampleProgress,
    documents: &Value,
    stored: &StoredOutput,
) -> Option<StageOutput> {
    let recallable = stored.recall.as_ref().map(|recall| &recall.output);
    let recollection = Recollection { reply: stored.reply.as_ref(), recallable };
    let read_json = |text: &str| json::parse(text).ok();
    pipeline.recall(stored.stage as usize, progress, documents, recollection, read_json).ok().flatten()
}

/// What the calls took when they were made.
fn measured(stored: &[StoredOutput]) -> Measured {
    let mut measured = Measured { latency: None, cost: Some(NanoDollars::ZERO) };
    for output in stored {
        let (latency, cost) = match (&output.recall, &output.reply) {
            (Some(Recall { latency, cost, .. }), _) => (*latency, *cost),
            (None, Some(reply)) => (reply.latency, output.cost),
            (None, None) => continue,
        };
        measured.latency = Some(measured.latency.unwrap_or_default() + latency);
        measured.cost = measured.cost.zip(cost).map(|(sum, cost)| sum + cost);
    }
    measured
}
