//! The trials of a sweep, and what was told of each.
//!
//! A function of what was decided and of the blocks that were finished, in the order in which each was stored: whoever
//! reads the same logs has the same trials, to the last bit.

use std::fmt;

use super::TrialCounts;
use crate::id::RunId;
use crate::run::RunStatus;
use crate::space::Point;

/// A trial, and what has been told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its configuration.
    pub point: Point,
    /// How many samples it was asked to take: a prefix of the sample order.
    pub asked: usize,
    /// The scores of the first samples of the order; NaN where one has none. Shorter than `asked` while it goes on.
    pub scores: Vec<f64>,
    /// Samples of those that failed.
    pub failures: u32,
    /// Where it stands.
    pub state: TrialState,
}

/// Where a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialState {
    /// It may be asked for more.
    Open,
    /// Its run is over.
    Ended(RunStatus),
    /// Its configuration was another trial's already, so that it has no run of its own.
    Duplicate,
}

impl Trial {
    /// Whether samples that were asked for are still out.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self.state, TrialState::Open) && self.scores.len() < self.asked
    }

    /// Whether it has all that it was asked for, and may be asked for more or be ended.
    #[must_use]
    pub const fn is_resting(&self) -> bool {
        matches!(self.state, TrialState::Open) && self.scores.len() >= self.asked
    }
}

/// What was decided of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialChange {
    /// It began.
    Begin {
        /// Its configuration.
        point: Point,
        /// Samples asked for.
        up_to: usize,
        /// The sweep had a run of this configuration already.
        duplicate: bool,
    },
    /// It goes on to so many samples.
    Extend {
        /// Samples asked for, those that it has included.
        up_to: usize,
    },
    /// It was ended with this status.
    End(RunStatus),
}

/// A finished block of a run, as the sweep is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockOutcome {
    /// Its place among the sweep's blocks; later ones are larger.
    pub seq: u64,
    /// The run.
    pub run: RunId,
    /// The trial that the run was made for.
    pub trial: u64,
    /// Samples done with it.
    pub upto: usize,
    /// The weighted scores of the block's samples, in order; NaN where one has none. Empty where the run only ended.
    pub scores: Vec<f64>,
    /// Samples of the block that failed.
    pub failures: u32,
    /// How the run ended, where its worker ended it with this block.
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

    /// The number of the last block that they were told of; 0 before the first.
    #[must_use]
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// How many there are, and how they stand.
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

    /// Takes note of what was decided of a trial.
    ///
    /// # Errors
    /// Where the trial is not the one that can begin next, or not open.
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

    /// Takes note of a finished block.
    ///
    /// # Errors
    /// Where the trial is unknown, or the block is not the one that follows those that were told of.
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
