//! The leaderboard.

use std::collections::BTreeMap;

use application::leaderboard::{Board, Row};
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{RunStatus, id};
use crate::value::{AnyMap, from_map};

/// A run's place on the leaderboard.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct LeaderboardRow {
    /// Its rank, from 1; absent where a list in another order comes to runs far down the board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
    /// The run.
    pub run_id: Uuid,
    /// The values of its active dimensions.
    pub values: AnyMap,
    /// Where it stands.
    pub status: RunStatus,
    /// Mean weighted score over its samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Lower end of its 95 % confidence interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_low: Option<f64>,
    /// Upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_high: Option<f64>,
    /// Samples with a score.
    pub n: u64,
    /// Samples there are.
    pub n_total: u64,
    /// The score drawn towards that of all: the best of many is biased upwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_shrunk: Option<f64>,
    /// Each scorer's mean, by name.
    pub scores: BTreeMap<String, f64>,
    /// Tokens of prompts, cached calls included.
    pub tokens_in: u64,
    /// Tokens of answers, cached calls included.
    pub tokens_out: u64,
    /// US dollars for one sample, where every price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_estimate: Option<f64>,
    /// Milliseconds for one sample, all stages together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// It is not significantly different from the first run at the 5 % level.
    pub ties_best: bool,
    /// The probability that it is the best one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_best: Option<f64>,
}

impl From<&Row> for LeaderboardRow {
    fn from(row: &Row) -> Self {
        let standing = &row.standing;
        let scores = row.run.scores.iter().filter_map(|total| Some((total.name.clone(), total.value?)));
        Self {
            rank: row.rank.map(|rank| rank as u64),
            run_id: id(row.run.id.bits()),
            values: from_map(&row.run.values),
            status: row.run.status.into(),
            score: standing.score,
            ci_low: standing.interval.map(|interval| interval.low),
            ci_high: standing.interval.map(|interval| interval.high),
            n: standing.n as u64,
            n_total: standing.n_total as u64,
            score_shrunk: standing.score_shrunk,
            scores: scores.collect(),
            tokens_in: row.run.tokens.input,
            tokens_out: row.run.tokens.output,
            cost_estimate: row.cost_per_sample(),
            latency_ms: row.latency_per_sample(),
            ties_best: standing.ties_best,
            p_best: standing.p_best,
        }
    }
}

/// The leaderboard, best first unless sorted otherwise.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct LeaderboardPage {
    /// What is on this page. A filter that most runs do not pass may leave a page short, even where more come.
    pub items: Vec<LeaderboardRow>,
    /// Give this as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whether ties, shrunk scores and probabilities are of the runs as they are now; they follow within about a second.
    pub standings_current: bool,
}

impl From<&Board> for LeaderboardPage {
    fn from(board: &Board) -> Self {
        Self {
            items: board.rows.iter().map(LeaderboardRow::from).collect(),
            next_cursor: board.next.as_ref().map(ToString::to_string),
            standings_current: board.standings_are_current,
        }
    }
}
