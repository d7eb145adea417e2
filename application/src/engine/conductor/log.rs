//! Reads the logs of a sweep: what was decided of its trials, and what their runs came to.

use std::sync::Arc;

use domain::id::SweepId;

use super::Trouble;
use super::advance::TrialHistory;
use crate::engine::Engine;

/// Blocks that are read at once.
const PAGE: usize = 1_000;

impl Engine {
    /// Reads on, from the beginning after a takeover; whether something was told.
    pub(super) async fn follow(&self, sweep: SweepId, history: &mut TrialHistory) -> Result<bool, Trouble> {
        if !history.taken_over {
            *history = TrialHistory { taken_over: true, ..self.decided(sweep).await? };
        }
        let trials = Arc::make_mut(&mut history.trials);
        let seen = trials.seen();
        loop {
            let blocks = self.ports.log.outcomes(sweep, trials.seen(), PAGE).await?;
            for block in &blocks {
                trials.told(block)?;
            }
            if blocks.len() < PAGE {
                return Ok(trials.seen() > seen);
            }
        }
    }

    /// The trials as they were decided on.
    async fn decided(&self, sweep: SweepId) -> Result<TrialHistory, Trouble> {
        let mut history = TrialHistory::default();
        let trials = Arc::make_mut(&mut history.trials);
        for decision in self.ports.log.decisions(sweep).await? {
            if decision.trial == history.runs.len() as u64 {
                history.runs.push(decision.run);
            }
            trials.decided(decision.trial, decision.change)?;
        }
        Ok(history)
    }
}
