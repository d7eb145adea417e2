//! Computes the results of a run.
//!
//! Both a worker that finishes a run and a conductor that ends one use this. Floats are added in the order of the
//! samples, so that an interrupted run has the same numbers as an uninterrupted one.

use super::{EndKind, Origins, RunEnd, RunError, RunStatus, ScorerTotal, StageError};
use crate::leaderboard::is_partial;
use crate::statistics::{self, interval_of_mean};

/// A stored score of one output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredScore {
    /// The sample, by its index in the set.
    pub sample: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The scoring entry, from 0.
    pub scorer: u32,
    /// The score; `None` where the scorer failed.
    pub value: Option<f64>,
}

/// The contents of a run's finished blocks.
#[derive(Debug, Clone, Default)]
pub struct ResumedScores {
    /// The weighted score of each done sample, in order; NaN where it has none.
    pub vector: Vec<f64>,
    /// Each scorer's values of the done samples.
    pub scores: Vec<StoredScore>,
    /// The first error of a stage, if there was one: its sample, its stage, and the error.
    pub first_error: Option<(u32, u32, StageError)>,
    /// Samples that failed.
    pub failures: u32,
    /// The calls of the done samples.
    pub calls: CallCounts,
    /// Who answered them.
    pub origins: Origins,
}

/// Numbers of calls of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Calls that it paid for.
    pub paid: u64,
    /// Calls that were answered from the cache.
    pub hits: u64,
    /// Tokens of the calls that were answered from the cache.
    pub saved: u64,
}

impl std::ops::AddAssign for CallCounts {
    fn add_assign(&mut self, other: Self) {
        self.paid += other.paid;
        self.hits += other.hits;
        self.saved += other.saved;
    }
}

/// The parts of an experiment that the totals of its runs depend on.
#[derive(Debug, Clone, Copy)]
pub struct Layout<'a> {
    /// The names of the scoring entries.
    pub scorers: &'a [String],
    /// The names of the stages.
    pub stages: &'a [&'a str],
    /// Repetitions of each sample.
    pub repeats: u32,
}

/// Why a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All requested samples are finished.
    Completed {
        /// Samples of a whole run.
        of: u32,
    },
    /// The run is behind, so that further samples would be wasted on it.
    Pruned,
}

/// The results of a run so far.
#[derive(Debug, Default)]
pub struct Tally {
    samples: Vec<f64>,
    scorers: Vec<Column>,
    failures: u32,
    done: u32,
    calls: CallCounts,
    origins: Origins,
    first_error: Option<(u32, u32, StageError)>,
}

/// The values of one scorer. Repetitions of a sample are averaged first.
#[derive(Debug, Default, Clone)]
struct Column {
    values: Vec<(u32, f64)>,
    failed: u32,
    sample: Option<u32>,
    sum: f64,
    n: u32,
}

/// The outcome of one sample, as far as the totals need it.
#[derive(Debug)]
pub struct SampleOutcome<'a> {
    /// The sample, by its index in the set.
    pub sample: u32,
    /// Its weighted score; NaN where it has none.
    pub score: f64,
    /// Every repetition failed at some stage.
    pub failed: bool,
    /// The first error of a stage, with the stage.
    pub error: Option<(u32, &'a StageError)>,
}

/// The results of a run that has ended, from its scores: [`Tally::end`] without what it took to get them.
#[must_use]
pub fn rescored(
    layout: Layout<'_>,
    status: RunStatus,
    asked: u32,
    (vector, mut scores): (Vec<f64>, Vec<StoredScore>),
) -> RunEnd {
    scores.sort_by_key(|score| (score.sample, score.repeat, score.scorer));
    let resumed = ResumedScores { vector, scores, ..ResumedScores::default() };
    let (ending, kind) = match status {
        RunStatus::Pruned => (Ending::Pruned, EndKind::Pruned),
        RunStatus::Cached => (Ending::Completed { of: asked }, EndKind::Cached),
        _ => (Ending::Completed { of: asked }, EndKind::Completed),
    };
    RunEnd { kind, ..Tally::resume(layout.scorers.len(), resumed).end(layout, ending) }
}

impl Tally {
    /// Continues from the stored results of a run with this many scorers.
    #[must_use]
    pub fn resume(scorers: usize, resumed: ResumedScores) -> Self {
        let mut tally = Self {
            done: u32::try_from(resumed.vector.len()).unwrap_or(u32::MAX),
            samples: resumed.vector,
            scorers: vec![Column::default(); scorers],
            failures: resumed.failures,
            calls: resumed.calls,
            origins: resumed.origins,
            first_error: resumed.first_error,
        };
        for score in resumed.scores {
            tally.score(score);
        }
        tally
    }

    /// Adds who answered finished samples.
    pub fn answered(&mut self, origins: &Origins) {
        self.origins.merge(origins);
    }

    /// Who answered so far.
    #[must_use]
    pub const fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Adds a finished sample.
    pub fn sample(&mut self, done: &SampleOutcome<'_>) {
        self.done += 1;
        self.samples.push(done.score);
        self.failures += u32::from(done.failed);
        if let Some((stage, error)) = done.error
            && self.first_error.as_ref().is_none_or(|(sample, ..)| done.sample < *sample)
        {
            self.first_error = Some((done.sample, stage, error.clone()));
        }
    }

    /// Adds a score. Repetitions of a sample have to follow each other.
    pub fn score(&mut self, score: StoredScore) {
        if let Some(column) = self.scorers.get_mut(score.scorer as usize) {
            column.add(score.sample, score.value);
        }
    }

    /// Adds calls, paid or answered from the cache.
    pub fn used(&mut self, calls: CallCounts) {
        self.calls += calls;
    }

    /// Calls so far.
    #[must_use]
    pub const fn calls(&self) -> CallCounts {
        self.calls
    }

    /// The results at the end of the run.
    #[must_use]
    pub fn end(mut self, layout: Layout<'_>, ending: Ending) -> RunEnd {
        let succeeded = self.done.saturating_sub(self.failures) as usize;
        let scored: Vec<f64> = self.samples.iter().copied().filter(|score| !score.is_nan()).collect();
        let (score, interval) = mean(&scored, layout.repeats);
        let error = self.first_error.as_ref().map(|error| run_error(error, layout.stages));
        let kind = kind(ending, succeeded, self.calls.paid, error);
        let columns = layout.scorers.iter().zip(&mut self.scorers);
        RunEnd {
            kind,
            score,
            interval,
            n: count(&scored),
            scores: columns.map(|(name, column)| column.total(name, layout.repeats)).collect(),
            partial: match ending {
                Ending::Completed { of } => is_partial(scored.len(), of as usize),
                Ending::Pruned => true,
            },
        }
    }
}

/// A run without a successful sample has failed, however it ends.
fn kind(ending: Ending, succeeded: usize, paid: u64, error: Option<RunError>) -> EndKind {
    match (succeeded, ending, paid) {
        (0, ..) => EndKind::Failed(error),
        (_, Ending::Pruned, _) => EndKind::Pruned,
        (_, Ending::Completed { .. }, 0) => EndKind::Cached,
        (_, Ending::Completed { .. }, _) => EndKind::Completed,
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

    /// Finishes the current sample.
    fn close(&mut self) {
        if let (Some(sample), true) = (self.sample, self.n > 0) {
            self.values.push((sample, self.sum / f64::from(self.n)));
        }
        (self.sum, self.n) = (0.0, 0);
    }

    fn total(&mut self, name: &str, repeats: u32) -> ScorerTotal {
        self.close();
        // Added in the order of the samples, so that an interrupted run has the same sum as an uninterrupted one.
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

#[cfg(test)]
mod tests;
