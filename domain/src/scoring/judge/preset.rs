//! Questions that many judges are asked.

use std::collections::BTreeMap;

use super::{Grading, Scale};

/// A question with the form of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preset {
    /// Whether the output agrees with the reference in facts.
    Factuality,
    /// Whether the output meets a criterion.
    ClosedQa,
    /// How well the output answers the input.
    Relevance,
    /// How much of the output is supported by the context.
    Faithfulness,
    /// How much of the reference is supported by the context.
    ContextRecall,
}

impl Preset {
    /// Their words.
    pub(super) const WORDS: [&'static str; 5] =
        ["factuality", "closed_qa", "relevance", "faithfulness", "context_recall"];

    pub(super) fn parse(word: &str) -> Option<Self> {
        let all =
            [Self::Factuality, Self::ClosedQa, Self::Relevance, Self::Faithfulness, Self::ContextRecall];
        Self::WORDS.iter().zip(all).find_map(|(known, preset)| (*known == word).then_some(preset))
    }

    /// The form of the answer. The categories of factuality, and which of them are good, are those of OpenAI's evals
    /// (`fact.yaml`) as promptfoo counts them: only a contradiction is bad.
    pub(super) fn grading(self) -> Grading {
        let labels = |labels: &[(&str, f64)]| {
            let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), *value));
            Grading::Labels(labels.collect::<BTreeMap<_, _>>())
        };
        match self {
            Self::Factuality => labels(&[("A", 1.0), ("B", 1.0), ("C", 1.0), ("D", 0.0), ("E", 1.0)]),
            Self::ClosedQa => labels(&[("Y", 1.0), ("N", 0.0)]),
            Self::Relevance | Self::Faithfulness | Self::ContextRecall => Grading::Scale(Scale::UNIT),
        }
    }

    pub(super) const fn question(self) -> &'static str {
        match self {
            Self::Factuality => {
                "Compare the facts of the output with those of the reference, which is right. Differences of style, \
                 grammar and punctuation do not count. Choose the label that fits:\n\
                 A: the output says a part of what the reference says, and does not contradict it.\n\
                 B: the output says more than the reference, and does not contradict it.\n\
                 C: the output says the same as the reference.\n\
                 D: the output contradicts the reference.\n\
                 E: they differ, but not in what matters for the facts."
            }
            Self::ClosedQa => {
                "Decide whether the output meets the criterion in the rubric. Choose the label Y if it does, else N."
            }
            Self::Relevance => {
                "Judge how relevant the output is as an answer to the input: 1 if it answers all of it and nothing else, \
                 0 if it does not answer it."
            }
            Self::Faithfulness => {
                "Break the output into single statements. The score is the share of them that the context supports: 1 if \
                 the context supports each, 0 if it supports none. Knowledge of your own does not count."
            }
            Self::ContextRecall => {
                "Break the reference into single statements. The score is the share of them that the context supports: 1 \
                 if each can be found in it, 0 if none can."
            }
        }
    }
}
