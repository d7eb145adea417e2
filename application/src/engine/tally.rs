//! Adds up what a run has come to.

use domain::leaderboard::is_partial;
use domain::run::status_at_end;
use domain::statistics::{self, interval_of_mean};

use crate::ports::{
    Block, ClaimedRun, ResumedScores, RunEnd, RunError, ScorerTotal, StageError, StoredScore,
};

/// The scores of a run so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    samples: Vec<f64>,
    scorers: Vec<Column>,
    failures: u32,
    done: u32,
    calls: u64,
    hits: u64,
    saved: u64,
    first_error: Option<(u32, u32, StageError)>,
}

/// One scorer's values: repetitions of a sample are averaged before anything else.
#[derive(Debug, Default, Clone)]
struct Column {
    values: Vec<(u32, f64)>,
    failed: u32,
    sample: Option<u32>,
    sum: f64,
    n: u32,
}

/// What one sample came to, as far as the run's totals go.
pub(super) struct Done<'a> {
    pub(super) sample: u32,
    pub(super) score: f64,
    pub(super) failed: bool,
    pub(super) error: Option<(u32, &'a StageError)>,
}

impl Tally {
    /// Goes on from what an interrupted run had stored.
    pub(super) fn resume(scorers: usize, run: &ClaimedRun, resumed: ResumedScores) -> Self {
        let mut tally = Self {
            done: u32::try_from(resumed.vector.len()).unwrap_or(u32::MAX),
            samples: resumed.vector,
            scorers: vec![Column::default(); scorers],
            failures: resumed.failures,
            calls: run.calls,
            hits: run.hits,
            saved: run.saved,
            first_error: resumed.first_error,
        };
        for score in resumed.scores {
            tally.score(score);
        }
        tally
    }

    /// A sample is done.
    pub(super) fn sample(&mut self, done: &Done<'_>) {
        self.done += 1;
        self.samples.push(done.score);
        self.failures += u32::from(done.failed);
        if let Some((stage, error)) = done.error
            && self.first_error.as_ref().is_none_or(|(sample, ..)| done.sample < *sample)
        {
            self.first_error = Some((done.sample, stage, error.clone()));
        }
    }

    /// A scorer has spoken; repetitions of a sample come one after the other.
    pub(super) fn score(&mut self, score: StoredScore) {
        if let Some(column) = self.scorers.get_mut(score.scorer as usize) {
            column.add(score.sample, score.value);
        }
    }

    /// A block's calls were made, or answered from the cache.
    pub(super) fn used(&mut self, block: &Block) {
        self.calls += block.calls;
        self.hits += block.hits;
        self.saved += block.tokens.total().saturating_sub(block.paid.total());
    }

    /// Cache hits so far, and their tokens.
    pub(super) const fn hits(&self) -> (u64, u64) {
        (self.hits, self.saved)
    }

    /// How the run ends.
    pub(super) fn end(mut self, scorers: &[String], stages: &[&str], repeats: u32) -> RunEnd {
        let succeeded = self.done.saturating_sub(self.failures) as usize;
        let scored: Vec<f64> = self.samples.iter().copied().filter(|score| !score.is_nan()).collect();
        let (score, interval) = mean(&scored, repeats);
        let columns = scorers.iter().zip(&mut self.scorers);
        RunEnd {
            status: status_at_end(succeeded, self.calls),
            score,
            interval,
            n: count(&scored),
            scores: columns.map(|(name, column)| column.total(name, repeats)).collect(),
            error: (succeeded == 0)
                .then(|| self.first_error.as_ref().map(|error| run_error(error, stages)))
                .flatten(),
            partial: is_partial(scored.len(), self.done as usize),
        }
    }
}

fn run_error((sample, stage, error): &(u32, u32, StageError), stages: &[&str]) -> RunError {
    RunError {
        kind: error.kind.clone(),
        message: error.message.clone(),
        stage: stages.get(*stage as usize).map(|name| (*name).to_owned()),
        sample: Some(*sample),
    }
}

impl Column {
    fn add(&mut self, sample: u32, value: Option<f64>) {
        if self.sample != Some(sample) {
            self.close();
            self.sample = Some(sample);
        }
        match value {
            Some(value) => {
                self.sum += value;
                self.n += 1;
            }
            None => self.failed += 1,
        }
    }

    /// The sample is over.
    fn close(&mut self) {
        if let (Some(sample), true) = (self.sample, self.n > 0) {
            self.values.push((sample, self.sum / f64::from(self.n)));
        }
        (self.sum, self.n) = (0.0, 0);
    }

    fn total(&mut self, name: &str, repeats: u32) -> ScorerTotal {
        self.close();
        // Added up in the samples' own order, an interrupted run has the same sum as an undisturbed one.
        self.values.sort_by_key(|(sample, _)| *sample);
        let values: Vec<f64> = self.values.iter().map(|(_, value)| *value).collect();
        let (value, interval) = mean(&values, repeats);
        ScorerTotal { name: name.to_owned(), value, interval, n: count(&values), failed: self.failed }
    }
}

fn count(values: &[f64]) -> u32 {
    u32::try_from(values.len()).unwrap_or(u32::MAX)
}

fn mean(values: &[f64], repeats: u32) -> (Option<f64>, Option<(f64, f64)>) {
    (
        statistics::mean(values),
        interval_of_mean(values, repeats).map(|interval| (interval.low, interval.high)),
    )
}
