//! What failed of an experiment's runs, and what is odd about their answers.

use async_trait::async_trait;
use domain::call::{FlagCounts, flag_advice};
use domain::id::{ExperimentId, SweepId};
use domain::run::{RunError, StageError};

use super::StoreError;

/// Samples that failed alike.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleFailures {
    /// The stage that gave no output, from 0.
    pub stage: u32,
    /// Why.
    pub error: StageError,
    /// How many samples did; each repetition counts.
    pub samples: u64,
}

/// Scores that failed alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreFailures {
    /// The scorer.
    pub scorer: String,
    /// Why.
    pub error: String,
    /// How many scores did; each repetition of a sample counts.
    pub scores: u64,
}

/// What is odd about the answers of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OddAnswers {
    /// Answers by their flags.
    pub flags: FlagCounts,
    /// Runs in which the answers of a stage came from more than one model, provider, version or tier of a server.
    pub mixed_runs: u64,
}

impl OddAnswers {
    /// What is odd, each with its number and what to do about it; without a full stop.
    #[must_use]
    pub fn advice(self) -> Vec<String> {
        let count = |n: u64, thing: &str| format!("{n} {thing}{}", if n == 1 { "" } else { "s" });
        let flags = self.flags.named();
        let flags =
            flags.map(|(name, n)| format!("{} {}", count(n, "answer"), flag_advice(name).unwrap_or(name)));
        let mixed = (self.mixed_runs > 0).then(|| {
            let runs = count(self.mixed_runs, "run");
            format!("{runs} with answers of more than one model, provider or version of a server: {PIN}")
        });
        flags.chain(mixed).collect()
    }
}

const PIN: &str = "name the model with its version, or pin the provider, so that configurations compare";

/// Finds failures: of an experiment's runs, or of those of one sweep.
#[async_trait]
pub trait FailureStore: Send + Sync {
    /// The samples that failed.
    async fn failed_samples(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<Vec<SampleFailures>, StoreError>;

    /// Why runs failed that failed for another reason than their samples; the first 1,000.
    async fn failed_runs(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<Vec<RunError>, StoreError>;

    /// The scores that failed.
    async fn failed_scores(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<Vec<ScoreFailures>, StoreError>;

    /// What is odd about the answers.
    async fn odd_answers(
        &self,
        experiment: ExperimentId,
        sweep: Option<SweepId>,
    ) -> Result<OddAnswers, StoreError>;
}
