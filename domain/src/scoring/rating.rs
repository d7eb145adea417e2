//! Scores that come from outside: ratings of people, and scores that other programs post.

use std::collections::BTreeMap;

use super::{Judgement, Score};
use crate::time::Timestamp;
use crate::value::{Map, Value};

/// The scorer that people's ratings count for.
pub const HUMAN_RATING: &str = "human_rating";

/// What somebody thinks of a run's outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Rating {
    /// The sample, by its index in the set; `None` for all samples of the run.
    pub sample: Option<u32>,
    /// Who rated.
    pub by: String,
    /// What was said.
    pub value: RatingValue,
    /// A comment on it.
    pub comment: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// The value of a rating.
#[derive(Debug, Clone, PartialEq)]
pub enum RatingValue {
    /// Thumb up, or down.
    Thumb(bool),
    /// Stars.
    Stars(Stars),
    /// A score under the name of a scoring entry.
    Posted {
        /// The entry's name.
        scorer: String,
        /// The score.
        score: Score,
        /// Details.
        metadata: Map,
    },
}

/// Stars, from 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stars(u8);

impl Stars {
    /// `None` outside 1 to 5.
    #[must_use]
    pub fn try_new(stars: u64) -> Option<Self> {
        u8::try_from(stars).ok().filter(|stars| (1..=5).contains(stars)).map(Self)
    }

    /// Their number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl RatingValue {
    /// The name of the scorer that it counts for.
    #[must_use]
    pub fn scorer(&self) -> &str {
        match self {
            Self::Thumb(_) | Self::Stars(_) => HUMAN_RATING,
            Self::Posted { scorer, .. } => scorer,
        }
    }

    /// A thumb is 1 or 0, stars are (s - 1) / 4.
    #[must_use]
    pub fn score(&self) -> Score {
        match self {
            Self::Thumb(up) => Score::from(*up),
            Self::Stars(stars) => Score::share(usize::from(stars.0) - 1, 4),
            Self::Posted { score, .. } => *score,
        }
    }

    const fn is_human(&self) -> bool {
        matches!(self, Self::Thumb(_) | Self::Stars(_))
    }
}

/// The mean of what each person thinks of a sample: their latest rating of the sample, else of the whole run. `None` if
/// nobody rated it.
#[must_use]
pub fn human_judgement(ratings: &[Rating], sample: u32) -> Option<Judgement> {
    let mut latest: BTreeMap<&str, &Rating> = BTreeMap::new();
    for rating in ratings.iter().filter(|rating| rating.value.is_human() && rating.is_of(sample)) {
        let known = latest.entry(&rating.by).or_insert(rating);
        if rating.order() > known.order() {
            *known = rating;
        }
    }
    let sum: f64 = latest.values().map(|rating| rating.value.score().value()).sum();
    let value = Score::try_new(sum / latest.len() as f64).ok()?;
    let comments = latest.values().filter_map(|rating| rating.comment.as_deref()).map(Value::from);
    let comments: Vec<Value> = comments.collect();
    let judgement = Judgement::new(value).with("raters", Value::from(latest.len() as u64));
    Some(if comments.is_empty() { judgement } else { judgement.with("comments", Value::List(comments)) })
}

/// The latest score that was posted under a name for a sample, else for the whole run.
#[must_use]
pub fn posted_judgement(ratings: &[Rating], name: &str, sample: u32) -> Option<Judgement> {
    let posted = ratings.iter().filter(|rating| rating.is_of(sample) && rating.value.scorer() == name);
    let latest = posted.filter(|rating| !rating.value.is_human()).max_by_key(|rating| rating.order())?;
    let RatingValue::Posted { score, metadata, .. } = &latest.value else { return None };
    let judgement = Judgement { value: *score, metadata: metadata.clone() };
    Some(match &latest.comment {
        Some(comment) => judgement.with("comment", Value::from(comment.as_str())),
        None => judgement,
    })
}

impl Rating {
    fn is_of(&self, sample: u32) -> bool {
        self.sample.is_none_or(|own| own == sample)
    }

    /// What is said of one sample stands before what is said of all; then the latest.
    const fn order(&self) -> (bool, Timestamp) {
        (self.sample.is_some(), self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rating(by: &str, sample: Option<u32>, value: RatingValue, at: i64) -> Rating {
        Rating { sample, by: by.to_owned(), value, comment: None, at: Timestamp::from_micros(at) }
    }

    fn stars(number: u64) -> RatingValue {
        RatingValue::Stars(Stars::try_new(number).unwrap())
    }

    #[test]
    fn the_latest_rating_of_each_person_counts_and_one_of_the_sample_before_one_of_the_run() {
        let value = |ratings: &[Rating], sample| human_judgement(ratings, sample).map(|j| j.value.value());
        assert_eq!(value(&[], 0), None);
        let mut ratings = vec![rating("ann", None, RatingValue::Thumb(true), 1)];
        assert_eq!((value(&ratings, 0), value(&ratings, 7)), (Some(1.0), Some(1.0)));
        ratings.push(rating("bob", Some(0), stars(3), 2));
        assert_eq!((value(&ratings, 0), value(&ratings, 7)), (Some(0.75), Some(1.0)));
        ratings.push(rating("bob", Some(0), stars(1), 3));
        ratings.push(rating("bob", None, stars(5), 9));
        assert_eq!((value(&ratings, 0), value(&ratings, 7)), (Some(0.5), Some(1.0)));
    }

    #[test]
    fn scores_from_outside_count_under_their_name() {
        let posted = |score| RatingValue::Posted {
            scorer: "latency_of_ours".to_owned(),
            score: Score::try_new(score).unwrap(),
            metadata: Map::new(),
        };
        let ratings = [rating("ci", None, posted(0.25), 1), rating("ci", Some(2), posted(0.5), 0)];
        let value = |name, sample| posted_judgement(&ratings, name, sample).map(|j| j.value.value());
        assert_eq!(value("latency_of_ours", 1), Some(0.25));
        assert_eq!(value("latency_of_ours", 2), Some(0.5));
        assert_eq!((value("other", 1), human_judgement(&ratings, 1)), (None, None));
    }

    #[test]
    fn stars_are_from_1_to_5() {
        assert_eq!((Stars::try_new(0), Stars::try_new(6)), (None, None));
        let value = |number| stars(number).score().value();
        assert_eq!([value(1), value(2), value(5)], [0.0, 0.25, 1.0]);
    }
}
