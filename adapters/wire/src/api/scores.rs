//! Ratings, scores made outside, and scoring runs again.

use application::scores::{self, RescoringCost};
use domain::problem::Problem;
use domain::scoring::Score;
use domain::scoring::rating::{RatingValue, Stars};
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{id, pages};
use crate::experiment::ScoringDocument;
use crate::value::{AnyMap, into_map};

/// A thumb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Thumb {
    Up,
    Down,
}

/// A rating of a run: a thumb, stars, or a score made outside under the name of an `external` scoring entry.
#[derive(Debug, Clone, Default, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct RatingRequest {
    /// A thumb up is 1, down is 0.
    #[serde(default)]
    pub thumb: Option<Thumb>,
    /// Stars from 1 to 5.
    #[serde(default)]
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    #[schemars(range(min = 1, max = 5))]
    pub stars: Option<u64>,
    /// The name of a score made outside.
    #[serde(default)]
    pub scorer_name: Option<String>,
    /// That score, from 0 to 1.
    #[serde(default)]
    pub value: Option<f64>,
    /// Details of that score.
    #[serde(default)]
    #[oai(default)]
    pub metadata: AnyMap,
    /// A comment.
    #[serde(default)]
    pub comment: Option<String>,
    /// The sample, from 0; without it all samples of the run are meant.
    #[serde(default)]
    pub sample_index: Option<u32>,
}

impl RatingRequest {
    /// The rating that it asks for.
    ///
    /// # Errors
    /// It is none, or several, or a value is out of range; each problem with its place.
    pub fn into_request(self) -> Result<scores::RatingRequest, Vec<Problem>> {
        let Self { thumb, stars, scorer_name, value, metadata, comment, sample_index } = self;
        let one = |pointer: &str, code, detail: &str| Err(vec![Problem::new(pointer, code, detail)]);
        let value = match (thumb, stars, scorer_name, value) {
            (Some(thumb), None, None, None) => RatingValue::Thumb(thumb == Thumb::Up),
            (None, Some(stars), None, None) => match Stars::try_new(stars) {
                Some(stars) => RatingValue::Stars(stars),
                None => return one("/stars", "out_of_range", "stars are from 1 to 5"),
            },
            (None, None, Some(scorer), Some(value)) => match Score::try_new(value) {
                Ok(score) => RatingValue::Posted { scorer, score, metadata: into_map(metadata) },
                Err(error) => return one("/value", "out_of_range", &error.to_string()),
            },
            (None, None, Some(_), None) => {
                return one("/value", "missing", "give the score, a number from 0 to 1");
            }
            (None, None, None, Some(_)) => {
                return one("/scorer_name", "missing", "give the name of the score's entry");
            }
            (None, None, None, None) => {
                return one("", "missing", "give `thumb`, `stars`, or `scorer_name` and `value`");
            }
            _ => return one("", "conflict", "give one of `thumb`, `stars`, or `scorer_name` with `value`"),
        };
        Ok(scores::RatingRequest { sample: sample_index, value, comment })
    }
}

/// A request to score the runs of an experiment again.
#[derive(Debug, Clone, Default, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct RescoreRequest {
    /// New scoring entries; without them those that the experiment has.
    #[serde(default)]
    pub scoring_config: Option<Vec<ScoringDocument>>,
}

/// What scoring the runs again takes.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Rescoring {
    /// Runs that are scored again.
    pub runs: u64,
    /// Calls of judges and embedding models, at most: those that the cache knows are not made.
    pub judge_calls: u64,
    /// Requests to services that score.
    pub http_calls: u64,
}

impl From<RescoringCost> for Rescoring {
    fn from(cost: RescoringCost) -> Self {
        Self { runs: cost.runs, judge_calls: cost.judge_calls, http_calls: cost.http_calls }
    }
}

/// An output that waits for a rating.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ReviewItem {
    /// Its run.
    pub run_id: Uuid,
    /// Its sample, from 0.
    pub sample_index: u32,
    /// The output of the last stage.
    pub output: String,
}

impl From<scores::ReviewItem> for ReviewItem {
    fn from(item: scores::ReviewItem) -> Self {
        Self { run_id: id(item.run.bits()), sample_index: item.sample, output: item.output }
    }
}

pages! {
    /// Outputs that wait for a rating.
    ReviewPage of ReviewItem,
}
