//! Puts the scores of a run together.

use std::collections::HashMap;

use domain::run::tally::StoredScore;
use domain::scoring::{Entry, Score};
use domain::statistics::mean;

use crate::ports::{ScoreRow, StoredOutput, Usage};

/// The scores of one repetition of a sample.
pub(super) struct RepetitionScores {
    pub(super) sample: u32,
    pub(super) rows: Vec<ScoreRow>,
    /// The values of all scorers.
    pub(super) values: Vec<StoredScore>,
    pub(super) score: Option<f64>,
    pub(super) usage: Usage,
}

/// The weighted scores of a run's samples in its order; a sample that is not concerned keeps what it had.
pub(super) fn vector(
    order: &[u32],
    only: Option<u32>,
    repetitions: &[RepetitionScores],
    before: Vec<f64>,
) -> Vec<f64> {
    let mut scores: HashMap<u32, Vec<f64>> = HashMap::new();
    for repetition in repetitions {
        scores.entry(repetition.sample).or_default().extend(repetition.score);
    }
    let before = before.into_iter().chain(std::iter::repeat(f64::NAN));
    let each = order.iter().zip(before).map(|(sample, before)| match scores.get(sample) {
        Some(scores) => mean(scores).unwrap_or(f64::NAN),
        None if only.is_some_and(|only| only != *sample) => before,
        None => f64::NAN,
    });
    each.collect()
}

/// What each scorer gives, with its weight.
pub(super) fn entries(weights: &[f64], values: &[StoredScore]) -> Vec<(f64, Entry)> {
    let entry = |scorer: u32| match values.iter().find(|value| value.scorer == scorer) {
        None => Entry::Absent,
        Some(StoredScore { value: None, .. }) => Entry::Failed,
        Some(StoredScore { value: Some(value), .. }) => {
            Score::try_new(*value).map_or(Entry::Failed, Entry::Value)
        }
    };
    weights.iter().zip(0..).map(|(weight, scorer)| (*weight, entry(scorer))).collect()
}

pub(super) fn by_place<'a>(
    scores: impl Iterator<Item = &'a StoredScore>,
) -> HashMap<(u32, u32), Vec<StoredScore>> {
    let mut places: HashMap<(u32, u32), Vec<StoredScore>> = HashMap::new();
    for score in scores {
        places.entry((score.sample, score.repeat)).or_default().push(*score);
    }
    places
}

/// Results of one repetition of a sample together.
pub(super) fn grouped(outputs: Vec<StoredOutput>) -> Vec<Vec<StoredOutput>> {
    let mut groups: Vec<Vec<StoredOutput>> = Vec::new();
    for output in outputs {
        match groups.last_mut() {
            Some(group) if (group[0].sample, group[0].repeat) == (output.sample, output.repeat) => {
                group.push(output);
            }
            _ => groups.push(vec![output]),
        }
    }
    groups
}
