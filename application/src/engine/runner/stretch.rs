//! Samples of a run that are committed together.

use domain::run::tally::{CallCounts, SampleOutcome, Tally};

use crate::engine::examination::EvaluatedSample;
use crate::ports::{Block, ClaimedRun};

/// A stretch of samples that is being put together.
#[derive(Default)]
pub(super) struct Stretch {
    pub(super) samples: Vec<EvaluatedSample>,
}

impl Stretch {
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.samples.len()).unwrap_or(u32::MAX)
    }

    /// Adds the samples up, into the run's tally too.
    pub(super) fn into_block(self, run: &ClaimedRun, upto: u32, no: u32, tally: &mut Tally) -> Block {
        let mut block = Block::empty(run.lease, run.sweep, no, upto);
        for examined in self.samples {
            tally.sample(&SampleOutcome {
                sample: examined.sample,
                score: examined.score,
                failed: examined.failed,
                error: examined.first_error(),
            });
            for row in &examined.scores {
                tally.score(row.stored());
            }
            tally.answered(&examined.origins);
            examined.add_to(&mut block);
        }
        block.origins = tally.origins().clone();
        tally.used(CallCounts { paid: block.usage.calls, hits: block.usage.hits, saved: block.usage.saved });
        block
    }
}
