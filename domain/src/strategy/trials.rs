//! The trials of a sweep, with their results.
//!
//! They are a function of two logs, decisions and finished blocks, each in stored order. So every process that reads
//! the same logs has identical trials.

use std::fmt;

use super::TrialCounts;
use crate::id::RunId;
use crate::run::RunStatus;
use crate::space::Point;

/// A trial with its results.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its configuration.
    pub point: Point,
    /// The number of requested samples, a prefix of the sample order.
    pub asked: usize,
    /// The scores of the first samples of the order; NaN where there is none. Shorter than `asked` while samples are
    /// in progress.
    pub scores: Vec<f64>,
    /// How many of those samples failed.
    pub failures: u32,
    /// Its state.
    pub state: TrialState,
}

/// The state of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialState {
    /// More samples may be requested.
    Open,
    /// Its run has ended.
    Ended(RunStatus),
    /// It repeats the configuration of another trial, and has no run of its own.
    Duplicate,
}

impl Trial {
    /// Whether requested samples are in progress.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self.state, TrialState::Open) && self.scores.len() < self.asked
    }

    /// Whether it has all requested samples, and may continue or be ended.
    #[must_use]
    pub const fn is_resting(&self) -> bool {
        matches!(self.state, TrialState::Open) && self.scores.len() >= self.asked
    }
}

/// A decision on a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialChange {
    /// It began.
    Begin {
        /// Its configuration.
        point: Point,
        /// The requested samples.
        up_to: usize,
        /// The sweep has a run of this configuration already.
        duplicate: bool,
    },
    /// It continues with more samples.
    Extend {
        /// The requested samples, including those that it has.
        up_to: usize,
    },
    /// It was ended with this status.
    End(RunStatus),
}

/// A finished block of a run, as its sweep gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockOutcome {
    /// Its place among the sweep's blocks; later blocks have larger numbers.
    pub seq: u64,
    /// The run.
    pub run: RunId,
    /// The trial that the run was made for.
    pub trial: u64,
    /// Samples done, including this block's.
    pub upto: usize,
    /// The weighted scores of the block's samples, in order; NaN where there is none. Empty if the run only ended.
    pub scores: Vec<f64>,
    /// Samples of the block that failed.
    pub failures: u32,
    /// How the run ended, if its worker ended it with this block.
    pub end: Option<RunStatus>,
}

/// The logs contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContradictoryLog {
    trial: u64,
    what: &'static str,
}

impl fmt::Display for ContradictoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trial {}: {}", self.trial, self.what)
    }
}

impl std::error::Error for ContradictoryLog {}

/// The trials of a sweep, by their number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trials {
    trials: Vec<Trial>,
    seen: u64,
}

impl Trials {
    /// The trials, by their number.
    #[must_use]
    pub fn as_slice(&self) -> &[Trial] {
        &self.trials
    }

    /// The number of the last block that was applied; 0 before the first.
    #[must_use]
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Their numbers, by state.
    #[must_use]
    pub fn counts(&self) -> TrialCounts {
        let mut counts = TrialCounts::default();
        for trial in &self.trials {
            counts.asked += 1;
            match trial.state {
                TrialState::Duplicate => counts.duplicates += 1,
                TrialState::Ended(status) => {
                    counts.ended += 1;
                    counts.failed += u64::from(status == RunStatus::Failed);
                }
                TrialState::Open => counts.resting += u64::from(trial.is_resting()),
            }
        }
        counts
    }

    /// Applies a decision on a trial.
    ///
    /// # Errors
    /// The trial is not the next one to begin, or is not open.
    pub fn decided(&mut self, trial: u64, change: TrialChange) -> Result<(), ContradictoryLog> {
        match change {
            TrialChange::Begin { point, up_to, duplicate } => {
                if trial != self.trials.len() as u64 {
                    return Err(ContradictoryLog { trial, what: "began out of turn" });
                }
                let state = if duplicate { TrialState::Duplicate } else { TrialState::Open };
                self.trials.push(Trial { point, asked: up_to, scores: Vec::new(), failures: 0, state });
            }
            TrialChange::Extend { up_to } => self.open(trial)?.asked = up_to,
            TrialChange::End(status) => self.open(trial)?.state = TrialState::Ended(status),
        }
        Ok(())
    }

    /// Applies a finished block.
    ///
    /// # Errors
    /// The trial is unknown, or the block does not follow the previous ones.
    pub fn told(&mut self, block: &BlockOutcome) -> Result<(), ContradictoryLog> {
        let at = usize::try_from(block.trial).unwrap_or(usize::MAX);
        let contradiction = |what| ContradictoryLog { trial: block.trial, what };
        let trial = self.trials.get_mut(at).ok_or_else(|| contradiction("was told of and never began"))?;
        if block.seq <= self.seen || trial.scores.len() + block.scores.len() != block.upto {
            return Err(contradiction("was told of out of order"));
        }
        trial.scores.extend_from_slice(&block.scores);
        trial.failures += block.failures;
        if let Some(status) = block.end {
            trial.state = TrialState::Ended(status);
        }
        self.seen = block.seq;
        Ok(())
    }

    fn open(&mut self, trial: u64) -> Result<&mut Trial, ContradictoryLog> {
        let at = usize::try_from(trial).unwrap_or(usize::MAX);
        let open = self.trials.get_mut(at).filter(|trial| trial.state == TrialState::Open);
        open.ok_or(ContradictoryLog { trial, what: "went on without being open" })
    }
}
