//! Chooses what a sweep evaluates next.
//!
//! A [`Guide`] proposes configurations and numbers of samples, and is a function of the sweep's seed and of what was
//! asked and told so far: after a crash the same history gives the same proposal.

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

/// Chooses what to evaluate.
pub trait Guide: Send + Sync {
    /// What to do now, with at most `want` more trials under way.
    fn propose(&self, history: &History<'_>, want: usize) -> Proposal;

    /// Whether it wants to be told how trials did. One that does not is shown none, and asks each trial for all samples.
    fn learns(&self) -> bool {
        false
    }
}

/// What a guide may know.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// What may vary.
    pub space: &'a Space,
    /// How many samples there are.
    pub samples: usize,
    /// What random choices hang on.
    pub seed: u64,
    /// Trials begun so far.
    pub asked: u64,
    /// The most trials there may be.
    pub limit: Option<u64>,
    /// The trials so far, by their number, with what is known of each.
    pub trials: &'a [Trial],
}

/// What a guide wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    /// These steps, the most important first: those for which there is no room are left out.
    Steps(Vec<Step>),
    /// Nothing before something that is under way has come back.
    Wait,
    /// Nothing any more. Trials that are open are completed with the samples that they were asked for.
    Done(Reason),
}

impl Proposal {
    /// The configurations that it wants to be evaluated, in its order.
    pub fn into_points(self) -> impl Iterator<Item = Point> {
        let steps = if let Self::Steps(steps) = self { steps } else { Vec::new() };
        steps
            .into_iter()
            .filter_map(|step| if let Step::Evaluate(work) = step { Some(work.point) } else { None })
    }
}

/// What is to become of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A new trial begins, or an open one goes on to more samples.
    Evaluate(Work),
    /// It is completed with the samples that it has. Without effect while some are under way.
    Complete {
        /// The trial.
        trial: u64,
    },
    /// It ends because it is behind. Without effect while samples are under way.
    Prune {
        /// The trial.
        trial: u64,
        /// How far it is behind: its mean score minus the leader's on the same samples.
        diff: f64,
    },
}

/// A configuration to evaluate on the first samples of the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The number of the trial, from 0. A new one has the next number; one that exists goes on.
    pub trial: u64,
    /// The configuration; that of a trial that exists stays as it is.
    pub point: Point,
    /// How many samples, those that it has included.
    pub up_to: usize,
    /// Why it was chosen, in a stable word that is stored with it.
    pub why: &'static str,
}

/// Why a sweep is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Every point has been evaluated.
    AllRuns,
    /// As many runs as allowed.
    MaxRuns,
    /// No point is left that was not seen.
    ExhaustedSpace,
    /// More would not change the result.
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
    /// A grid needs steps.
    Continuous(Name),
    /// A grid of so many points needs a limit of runs.
    TooLarge(u128),
    /// A grid of more than 2^128 points needs a limit of runs, and cannot be counted through.
    Uncountable,
    /// Sampling without end needs a limit of runs.
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
/// [`StartRefused`] says why not, and what to change.
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

/// The next trials of a fixed sequence, `at` giving the point of each, of which there are `points`.
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
