//! Chooses what a sweep evaluates next.
//!
//! A [`Guide`] asks for configurations and numbers of samples, and is a function of the sweep's seed and of what was
//! asked and told so far: after a crash the same view gives the same answer.

mod grid;
mod random;

use std::fmt;

pub use grid::Grid;
pub use random::Random;

use crate::name::Name;
use crate::space::{Point, Size, Space};
use crate::sweep::SweepKind;

/// Chooses what to evaluate.
pub trait Guide {
    /// At most `want` trials to begin, or to go on with, now.
    fn ask(&self, view: &SweepView<'_>, want: usize) -> Ask;

    /// Whether it wants to be told how trials did. One that does not is shown none.
    fn learns(&self) -> bool {
        false
    }
}

/// What a guide may know.
#[derive(Debug, Clone, Copy)]
pub struct SweepView<'a> {
    /// What may vary.
    pub space: &'a Space,
    /// How many samples there are.
    pub samples: usize,
    /// What random choices hang on.
    pub seed: u64,
    /// Trials asked for so far.
    pub asked: u64,
    /// The most trials there may be.
    pub limit: Option<u64>,
    /// The trials so far, by their number, with what is known of each.
    pub trials: &'a [Trial],
}

/// A trial, and what has been told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its configuration.
    pub point: Point,
    /// How many samples it was asked to take: a prefix of the sample order.
    pub asked: usize,
    /// The scores of the first samples of the order; NaN where one has none. Shorter than `asked` while it goes on.
    pub scores: Vec<f64>,
}

impl Trial {
    /// Whether samples that were asked for are still out.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.scores.len() < self.asked
    }
}

/// What a guide wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// These trials.
    Evaluate(Vec<Work>),
    /// Nothing before something that is pending has come back.
    Wait,
    /// Nothing any more.
    Done(Reason),
}

/// A configuration to evaluate on the first samples of the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The number of the trial, from 0.
    pub trial: u64,
    /// The configuration.
    pub point: Point,
    /// How many samples.
    pub up_to: usize,
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
fn next(view: &SweepView<'_>, want: usize, points: Option<u128>, at: impl Fn(u64) -> Option<Point>) -> Ask {
    let left_of = |total: u128| total.saturating_sub(u128::from(view.asked));
    let left = points.map_or(u128::MAX, left_of);
    let allowed = view.limit.map_or(u128::MAX, |limit| left_of(u128::from(limit)));
    if left == 0 {
        return Ask::Done(Reason::AllRuns);
    }
    if allowed == 0 {
        return Ask::Done(Reason::MaxRuns);
    }
    let count = u64::try_from(left.min(allowed).min(want as u128)).unwrap_or(u64::MAX);
    let trials = view.asked..view.asked + count;
    let work = trials.map_while(|trial| Some(Work { trial, point: at(trial)?, up_to: view.samples }));
    Ask::Evaluate(work.collect())
}

#[cfg(test)]
mod tests;
