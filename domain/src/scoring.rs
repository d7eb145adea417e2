//! Judges outputs by a number from 0 to 1, with details.
//!
//! Most scorers need only the output and the reference. A [`Format`] is only described here; it is checked outside the
//! domain, which has no parsers. Scorers that ask models or services say what they ask, and what the answers are worth;
//! they ask nobody themselves.

mod draft;
mod embedding_similarity;
mod entry;
mod format;
mod judge;
mod keyword;
mod length;
mod matching;
mod measured;
mod model_choice;
mod options;
pub mod rating;
mod score;
mod service;
mod similarity;
mod text_rules;

use std::fmt;

pub use draft::{Extract, ScoringDraft};
pub use embedding_similarity::EmbeddingSimilarity;
pub use entry::{EntryScorer, ScoringEntry, TemplatedScorer, combined, sample_weights};
pub use format::Format;
pub use judge::{Judge, JudgeEvidence};
pub use keyword::Keyword;
pub use length::Length;
pub use matching::{ContainedValues, Contains, ExactMatch};
pub use measured::{CostTarget, LatencyTarget, Measured};
pub use model_choice::ModelChoice;
pub use score::{OutOfRange, Score};
pub use service::ServiceScorer;
pub use similarity::{Method, Similarity};
pub use text_rules::{AsciiRules, TextRules, Token};

use self::options::Options;
use crate::problem::{self, Problem};
use crate::value::{Map, Value};

/// The judgement of a scorer about one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The score.
    pub value: Score,
    /// Details, such as missing keywords or the measured length.
    pub metadata: Map,
}

impl Judgement {
    /// A judgement without details.
    #[must_use]
    pub const fn new(value: Score) -> Self {
        Self { value, metadata: Map::new() }
    }

    /// The same judgement with one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.metadata.insert(name.to_owned(), value);
        self
    }
}

/// Why a scorer gives no judgement: there is nothing to compare, or the comparison would take too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScorerError(String);

impl ScorerError {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for ScorerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScorerError {}

/// A scorer with its options.
#[derive(Debug, Clone, PartialEq)]
pub enum Scorer {
    /// The length is within bounds.
    Length(Length),
    /// The output has a given format.
    Format(Format),
    /// The output contains some words, and does not contain others.
    Keyword(Keyword),
    /// The output equals the reference.
    ExactMatch(ExactMatch),
    /// The output contains the reference.
    Contains(Contains),
    /// The output is similar to the reference.
    Similarity(Similarity),
    /// The output means the same as the reference.
    EmbeddingSimilarity(EmbeddingSimilarity),
    /// A model judges the output.
    LlmJudge(Box<Judge>),
    /// A service of the user's own judges the output.
    Service(ServiceScorer),
    /// People rate the output.
    HumanRating,
    /// Another program posts a score under the entry's name.
    External,
    /// The output took little time.
    Latency(LatencyTarget),
    /// The output cost little.
    Cost(CostTarget),
}

impl<'a> AskedModel<'a> {
    /// What the options name.
    #[must_use]
    pub const fn choice(self) -> &'a ModelChoice {
        match self {
            Self::Judge(choice) | Self::Embedding(choice) => choice,
        }
    }
}

const SCORERS: [&str; 13] = [
    "length",
    "format",
    "keyword",
    "exact_match",
    "contains",
    "similarity",
    "embedding_similarity",
    "llm_judge",
    "http",
    "human_rating",
    "external",
    "latency",
    "cost",
];

/// The kinds of model that a scorer asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedModel<'a> {
    /// A chat model, as a judge.
    Judge(&'a ModelChoice),
    /// An embedding model.
    Embedding(&'a ModelChoice),
}

impl Scorer {
    /// Creates a scorer from its name and options.
    ///
    /// # Errors
    /// The scorer is unknown, or options are unknown, missing or of the wrong type.
    pub fn try_new(name: &str, options: &Map) -> Result<Self, Vec<Problem>> {
        Self::read(name, Options::new(name, options))
    }

    /// The same for options that still contain templates.
    fn outline(name: &str, options: &Map) -> Result<Self, Vec<Problem>> {
        Self::read(name, Options::with_templates(name, options))
    }

    fn read(name: &str, mut options: Options<'_>) -> Result<Self, Vec<Problem>> {
        let scorer = match name {
            "length" => Length::read(&mut options).map(Self::Length),
            "format" => Format::read(&mut options).map(Self::Format),
            "keyword" => Keyword::read(&mut options).map(Self::Keyword),
            "exact_match" => Some(Self::ExactMatch(ExactMatch::read(&mut options))),
            "contains" => Some(Self::Contains(Contains::read(&mut options))),
            "similarity" => Similarity::read(&mut options).map(Self::Similarity),
            "embedding_similarity" => {
                Some(Self::EmbeddingSimilarity(EmbeddingSimilarity::read(&mut options)))
            }
            "llm_judge" => Judge::read(&mut options).map(|judge| Self::LlmJudge(Box::new(judge))),
            "http" => ServiceScorer::read(&mut options).map(Self::Service),
            "human_rating" => Some(Self::HumanRating),
            "external" => Some(Self::External),
            "latency" => LatencyTarget::read(&mut options).map(Self::Latency),
            "cost" => CostTarget::read(&mut options).map(Self::Cost),
            _ => return Err(vec![unknown(name)]),
        };
        options.finish(scorer)
    }

    /// Whether it skips samples without a reference.
    #[must_use]
    pub const fn needs_reference(&self) -> bool {
        match self {
            Self::ExactMatch(scorer) => scorer.value.is_none(),
            Self::Contains(scorer) => scorer.value.is_none(),
            Self::LlmJudge(judge) => judge.needs_reference(),
            Self::Similarity(_) | Self::EmbeddingSimilarity(_) => true,
            Self::Length(_)
            | Self::Format(_)
            | Self::Keyword(_)
            | Self::Service(_)
            | Self::HumanRating
            | Self::External
            | Self::Latency(_)
            | Self::Cost(_) => false,
        }
    }

    /// Whether it asks a model or a service.
    #[must_use]
    pub fn asks(&self) -> bool {
        matches!(self, Self::Service(_)) || self.asked_model().is_some()
    }

    /// The model that it asks; `None` if it asks none.
    #[must_use]
    pub fn asked_model(&self) -> Option<AskedModel<'_>> {
        match self {
            Self::LlmJudge(judge) => Some(AskedModel::Judge(&judge.model)),
            Self::EmbeddingSimilarity(scorer) => Some(AskedModel::Embedding(&scorer.model)),
            _ => None,
        }
    }

    /// Whether judging texts of this size takes so long that it would delay other work.
    #[must_use]
    pub const fn is_heavy(&self, bytes: usize) -> bool {
        match self {
            Self::Similarity(_) => bytes > 1 << 12,
            Self::Keyword(scorer) => bytes.saturating_mul(scorer.terms()) > 1 << 20,
            Self::Length(_) | Self::Format(_) | Self::ExactMatch(_) | Self::Contains(_) => bytes > 1 << 18,
            _ => false,
        }
    }

    /// Judges the text of an output against the accepted answers, of which the best match counts. `None` if it skips
    /// the sample, or is a scorer that goes by something else.
    ///
    /// # Errors
    /// [`ScorerError`] if there is nothing to compare, or the texts are too long.
    pub fn evaluate(
        &self,
        output: &Value,
        references: &[Value],
        rules: &dyn TextRules,
    ) -> Result<Option<Judgement>, ScorerError> {
        match self {
            Self::Length(scorer) => Ok(Some(scorer.evaluate(&output.to_text()))),
            Self::Keyword(scorer) => Ok(Some(scorer.evaluate(&output.to_text(), rules))),
            Self::ExactMatch(scorer) => Ok(scorer.evaluate(output, references, rules)),
            Self::Contains(scorer) => scorer.evaluate(output, references, rules),
            Self::Similarity(scorer) => scorer.evaluate(output, references, rules),
            _ => Ok(None),
        }
    }
}

fn unknown(name: &str) -> Problem {
    Problem::new("/scorer", "unknown_scorer", problem::unknown("scorer", name, SCORERS))
}

/// The result of one scoring entry for a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry {
    /// A score.
    Value(Score),
    /// The entry skips this sample.
    Absent,
    /// The entry failed, so the quality of the sample is unknown.
    Failed,
}

/// The weighted mean of a sample's scores, Σ w·v / Σ w over the entries with a value. `None` if an entry with a
/// positive weight failed, or none has a value.
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
