//! Judges outputs: a number from 0 to 1, and what there is to say about it.
//!
//! Scorers here need nothing but the output and the reference. What a [`Format`] asks for is described here and checked
//! by whoever has the parsers.

mod draft;
mod format;
mod keyword;
mod length;
mod matching;
mod options;
mod similarity;

use std::fmt;

pub use draft::{Extract, ScoringDraft};
pub use format::Format;
pub use keyword::Keyword;
pub use length::Length;
pub use matching::{Contains, ExactMatch};
pub use similarity::{Method, Similarity};

use self::options::Options;
use crate::name::Name;
use crate::problem::{self, Problem};
use crate::value::{Map, Value};

/// How good something is, from 0 (not at all) to 1 (as good as can be).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Score(f64);

/// A number that is no [`Score`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfRange(f64);

impl Score {
    /// As good as can be.
    pub const ONE: Self = Self(1.0);
    /// Not good at all.
    pub const ZERO: Self = Self(0.0);

    /// Takes a number from 0 to 1.
    ///
    /// # Errors
    /// [`OutOfRange`] where it is not.
    pub fn try_new(value: f64) -> Result<Self, OutOfRange> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(OutOfRange(value)) }
    }

    /// The part that `some` is of `all`; 1 of nothing.
    #[must_use]
    pub fn share(some: usize, all: usize) -> Self {
        if all == 0 { Self::ONE } else { Self((some as f64 / all as f64).clamp(0.0, 1.0)) }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl From<bool> for Score {
    fn from(good: bool) -> Self {
        if good { Self::ONE } else { Self::ZERO }
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a score is a number from 0 to 1, not {}", self.0)
    }
}

impl std::error::Error for OutOfRange {}

/// What a scorer says of one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// How good it is.
    pub value: Score,
    /// What else there is to say: missing keywords, a measured length.
    pub metadata: Map,
}

impl Judgement {
    /// A judgement with nothing to add.
    #[must_use]
    pub const fn new(value: Score) -> Self {
        Self { value, metadata: Map::new() }
    }

    /// The same with something to add.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.metadata.insert(name.to_owned(), value);
        self
    }
}

/// Why a scorer gave up: what it was asked takes longer than anybody waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooMuchWork(String);

impl fmt::Display for TooMuchWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TooMuchWork {}

/// A scorer with its options.
#[derive(Debug, Clone, PartialEq)]
pub enum Scorer {
    /// Of the right length.
    Length(Length),
    /// Of the right form.
    Format(Format),
    /// With the right words.
    Keyword(Keyword),
    /// Equal to the reference.
    ExactMatch(ExactMatch),
    /// Containing the reference.
    Contains(Contains),
    /// Like the reference.
    Similarity(Similarity),
}

const SCORERS: [&str; 6] = ["length", "format", "keyword", "exact_match", "contains", "similarity"];

impl Scorer {
    /// The scorer of this name with these options.
    ///
    /// # Errors
    /// Every option that is unknown, missing or of the wrong form, and a name that is no scorer's.
    pub fn try_new(name: &str, options: &Map) -> Result<Self, Vec<Problem>> {
        let mut options = Options::new(name, options);
        let scorer = match name {
            "length" => Length::read(&mut options).map(Self::Length),
            "format" => Format::read(&mut options).map(Self::Format),
            "keyword" => Keyword::read(&mut options).map(Self::Keyword),
            "exact_match" => Some(Self::ExactMatch(ExactMatch::read(&mut options))),
            "contains" => Some(Self::Contains(Contains::read(&mut options))),
            "similarity" => Similarity::read(&mut options).map(Self::Similarity),
            _ => return Err(vec![unknown(name)]),
        };
        options.finish(scorer)
    }

    /// Whether it passes over samples without a reference.
    #[must_use]
    pub const fn needs_reference(&self) -> bool {
        match self {
            Self::ExactMatch(scorer) => scorer.value.is_none(),
            Self::Contains(scorer) => scorer.value.is_none(),
            Self::Similarity(_) => true,
            Self::Length(_) | Self::Format(_) | Self::Keyword(_) => false,
        }
    }

    /// Whether judging an output and a reference of so many bytes would keep other work waiting.
    #[must_use]
    pub const fn is_heavy(&self, bytes: usize) -> bool {
        match self {
            Self::Similarity(_) => bytes > 1 << 12,
            Self::Keyword(scorer) => bytes.saturating_mul(scorer.terms()) > 1 << 20,
            Self::Length(_) | Self::Format(_) | Self::ExactMatch(_) | Self::Contains(_) => bytes > 1 << 18,
        }
    }

    /// Judges an output. `None` where it passes over the sample, or where it is a [`Format`], which is checked
    /// elsewhere.
    ///
    /// # Errors
    /// [`TooMuchWork`] where texts are too long for it.
    pub fn evaluate(
        &self,
        output: &Value,
        reference: Option<&Value>,
    ) -> Result<Option<Judgement>, TooMuchWork> {
        let output = output.to_text();
        Ok(match self {
            Self::Length(scorer) => Some(scorer.evaluate(&output)),
            Self::Keyword(scorer) => Some(scorer.evaluate(&output)),
            Self::ExactMatch(scorer) => scorer.evaluate(&output, reference),
            Self::Contains(scorer) => scorer.evaluate(&output, reference),
            Self::Similarity(scorer) => match reference {
                Some(reference) => Some(scorer.evaluate(&output, &reference.to_text())?),
                None => None,
            },
            Self::Format(_) => None,
        })
    }
}

fn unknown(name: &str) -> Problem {
    Problem::new("/scorer", "unknown_scorer", problem::unknown("scorer", name, SCORERS))
}

/// A scorer with its part in an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoringEntry {
    /// What its scores are called.
    pub name: String,
    /// The scorer.
    pub scorer: Scorer,
    /// How much it counts, from 0 up.
    pub weight: f64,
    /// The stage whose output it judges; the last where absent.
    pub stage: Option<Name>,
}

/// What one entry has to say of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry {
    /// A score.
    Value(Score),
    /// It passes over this sample.
    Absent,
    /// It failed, so that nobody knows how good the sample is.
    Failed,
}

/// The weighted mean of a sample's scores, Σ w·v / Σ w over the entries that have a value. `None` where one that counts
/// failed, or none that counts has a value.
#[must_use]
pub fn weighted(entries: &[(f64, Entry)]) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (weight, entry) in entries.iter().filter(|(weight, _)| *weight > 0.0) {
        match entry {
            Entry::Value(score) => {
                sum += weight * score.value();
                weights += weight;
            }
            Entry::Absent => {}
            Entry::Failed => return None,
        }
    }
    (weights > 0.0).then(|| (sum / weights).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
