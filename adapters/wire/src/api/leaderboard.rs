//! The leaderboard.

use std::collections::BTreeMap;

use application::leaderboard::{Board, Row};
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{RunStatus, id};
use crate::value::{AnyMap, from_map};

/// A run on the leaderboard.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct LeaderboardRow {
    /// Its rank, from 1. Absent in lists with another order for runs far down the board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
    /// The run.
    pub run_id: Uuid,
    /// The values of its active dimensions.
    pub values: AnyMap,
    /// Its status.
    pub status: RunStatus,
    /// Mean weighted score over its samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Lower end of its 95 % confidence interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_low: Option<f64>,
    /// Upper end of that interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_high: Option<f64>,
    /// Samples with a score.
    pub n: u64,
    /// Samples of the experiment.
    pub n_total: u64,
    /// The score shrunk towards the mean of all, because the best of many scores is biased upwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_shrunk: Option<f64>,
    /// Each scorer's mean, by name.
    pub scores: BTreeMap<String, f64>,
    /// Tokens of prompts, cached calls included.
    pub tokens_in: u64,
    /// Tokens of answers, cached calls included.
    pub tokens_out: u64,
    /// US dollars per sample, where every price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_estimate: Option<f64>,
    /// Milliseconds per sample, over all stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Whether it does not differ significantly from the first run at the 5 % level.
    pub ties_best: bool,
    /// The probability that it is the best run.
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
    /// The rows of this page. With a filter that few runs pass, a page may be short although more rows follow.
    pub items: Vec<LeaderboardRow>,
    /// The `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whether ties, shrunk scores and probabilities are up to date with the runs. They follow within about a second.
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
