//! Strategies that choose what a sweep evaluates next.
//!
//! A [`Guide`] proposes configurations and numbers of samples. Its proposal is a function of the sweep's seed and
//! history, so the same history gives the same proposal after a crash.

mod counts;
mod grid;
mod kind;
mod random;
mod trials;

use std::fmt;

pub use counts::TrialCounts;
pub use grid::Grid;
pub use kind::SweepKind;
pub use random::Random;
pub use trials::{BlockOutcome, ContradictoryLog, Trial, TrialChange, TrialState, Trials};

use crate::name::Name;
use crate::space::{Point, Size, Space};

/// A strategy that chooses what to evaluate.
pub trait Guide: Send + Sync {
    /// Proposes what to do now, with at most `want` further trials in progress.
    fn propose(&self, history: &History<'_>, want: usize) -> Proposal;

    /// Whether it needs the results of trials. A guide that does not gets no trials, and requests all samples of each
    /// trial at once.
    fn learns(&self) -> bool {
        false
    }
}

/// What a guide bases its proposals on.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// The parameter space.
    pub space: &'a Space,
    /// The number of samples.
    pub samples: usize,
    /// The seed of random choices.
    pub seed: u64,
    /// Trials begun so far.
    pub asked: u64,
    /// The most trials there may be.
    pub limit: Option<u64>,
    /// The trials so far in the order of their numbers, with their results.
    pub trials: &'a [Trial],
}

/// A proposal of a guide.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    /// These steps, the most important first. Steps for which there is no room are dropped.
    Steps(Vec<Step>),
    /// Nothing until a trial in progress has new results.
    Wait,
    /// Nothing more. Open trials are completed with the samples that were requested.
    Done(Reason),
}

impl Proposal {
    /// The proposed configurations, in the guide's order.
    pub fn into_points(self) -> impl Iterator<Item = Point> {
        let steps = if let Self::Steps(steps) = self { steps } else { Vec::new() };
        steps
            .into_iter()
            .filter_map(|step| if let Step::Evaluate(work) = step { Some(work.point) } else { None })
    }
}

/// A step of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A new trial begins, or an open one continues with more samples.
    Evaluate(Work),
    /// The trial is completed with the samples that it has. Ignored while samples are in progress.
    Complete {
        /// The trial.
        trial: u64,
    },
    /// The trial ends because it is behind. Ignored while samples are in progress.
    Prune {
        /// The trial.
        trial: u64,
        /// Its mean score minus the leader's on the same samples.
        diff: f64,
    },
}

/// A configuration to evaluate on the first samples of the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The number of the trial, from 0. A new trial has the next number; an existing number continues that trial.
    pub trial: u64,
    /// The configuration; ignored for an existing trial.
    pub point: Point,
    /// The number of samples, including those that it has.
    pub up_to: usize,
    /// Why it was chosen: a stable word that is stored with it.
    pub why: &'static str,
}

/// Why a sweep has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Every point has been evaluated.
    AllRuns,
    /// The limit of runs is reached.
    MaxRuns,
    /// No new point is left.
    ExhaustedSpace,
    /// More runs would not change the result.
    Converged,
    /// No run succeeded.
    AllFailed,
}

impl Reason {
    /// Every reason there is.
    pub const ALL: [Self; 5] =
        [Self::AllRuns, Self::MaxRuns, Self::ExhaustedSpace, Self::Converged, Self::AllFailed];

    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllRuns => "all_runs",
            Self::MaxRuns => "max_runs",
            Self::ExhaustedSpace => "exhausted_space",
            Self::Converged => "converged",
            Self::AllFailed => "all_failed",
        }
    }

    /// The reason with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// The guide of a kind of sweep.
#[must_use]
pub fn guide(kind: SweepKind) -> Box<dyn Guide> {
    match kind {
        SweepKind::Grid { shuffle } => Box::new(Grid { shuffle }),
        SweepKind::Random => Box::new(Random),
    }
}

/// The largest grid that starts without a limit of runs.
pub const MAX_GRID: u128 = 100_000;

/// Why a sweep cannot start on a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartRefused {
    /// A grid needs steps in every dimension.
    Continuous(Name),
    /// A grid with so many points needs a limit of runs.
    TooLarge(u128),
    /// A grid with more than 2^128 points needs a limit of runs.
    Uncountable,
    /// Sampling an infinite space needs a limit of runs.
    Endless(Name),
}

impl fmt::Display for StartRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continuous(name) => write!(f, "a grid needs steps: give dimension `{name}` a step, or sweep at random"),
            Self::TooLarge(points) => write!(
                f,
                "the grid has {points} configurations: set max_runs, or make the space smaller (a grid starts without a \
                 limit up to {MAX_GRID})"
            ),
            Self::Uncountable => f.write_str(
                "the grid has more than 2^128 configurations: make the space smaller, or sweep at random with max_runs",
            ),
            Self::Endless(name) => {
                write!(f, "dimension `{name}` has no end of values: set max_runs, or give it a step")
            }
        }
    }
}

impl std::error::Error for StartRefused {}

/// Whether a sweep of this kind can start on a space.
///
/// # Errors
/// [`StartRefused`] explains the reason and the remedy.
pub fn check_start(space: &Space, kind: SweepKind, max_runs: Option<u64>) -> Result<(), StartRefused> {
    match (kind, space.size(), max_runs) {
        (SweepKind::Grid { .. }, Size::Continuous { dimension }, _) => {
            Err(StartRefused::Continuous(dimension))
        }
        (SweepKind::Grid { .. }, Size::TooMany, _) => Err(StartRefused::Uncountable),
        (SweepKind::Grid { .. }, Size::Points(points), None) if points > MAX_GRID => {
            Err(StartRefused::TooLarge(points))
        }
        (SweepKind::Random, Size::Continuous { dimension }, None) => Err(StartRefused::Endless(dimension)),
        (SweepKind::Random, Size::Points(points), None) if points > MAX_GRID => {
            Err(StartRefused::TooLarge(points))
        }
        (SweepKind::Random, Size::TooMany, None) => Err(StartRefused::Uncountable),
        _ => Ok(()),
    }
}

/// The next trials of a fixed sequence of `points` points, with `at` giving each of them.
fn next(
    history: &History<'_>,
    want: usize,
    points: Option<u128>,
    at: impl Fn(u64) -> Option<Point>,
) -> Proposal {
    let left_of = |total: u128| total.saturating_sub(u128::from(history.asked));
    let left = points.map_or(u128::MAX, left_of);
    let allowed = history.limit.map_or(u128::MAX, |limit| left_of(u128::from(limit)));
    if left == 0 {
        return Proposal::Done(Reason::AllRuns);
    }
    if allowed == 0 {
        return Proposal::Done(Reason::MaxRuns);
    }
    let count = u64::try_from(left.min(allowed).min(want as u128)).unwrap_or(u64::MAX);
    let trials = history.asked..history.asked + count;
    let step = |trial| {
        let (up_to, why) = (history.samples, "sequence");
        Some(Step::Evaluate(Work { trial, point: at(trial)?, up_to, why }))
    };
    Proposal::Steps(trials.map_while(step).collect())
}

#[cfg(test)]
mod tests;
