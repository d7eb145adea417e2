//! Results of a run's samples: prompts, answers and scores.

use std::collections::BTreeMap;

use application::ports::{Outline, ResultRow, ScoreRow};
use application::runs;
use domain::call::{Reply, ReplyBody, thinking_apart};
use domain::money::NanoDollars;
use domain::run::StageError;
use domain::scoring::Judgement;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::Serialize;

use super::pages;
use crate::value::{Any, AnyMap, from_map};

/// The result of one stage for one sample.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct StageResult {
    /// The stage, from 0.
    pub stage_index: u32,
    /// Its name.
    pub stage: String,
    /// The sample, from 0.
    pub sample_index: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The request: a conversation as a list of `{role, content}`, the query's text of a retrieval, or the
    /// `{method, url, headers, body}` sent to a service, of whose headers only the names are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_sent: Option<Any>,
    /// The answer of the chat model or the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_raw: Option<String>,
    /// The requested model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_used: Option<String>,
    /// The model's reasoning before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Tool calls, as the server sent them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Any>,
    /// The model that answered according to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_returned: Option<String>,
    /// The provider that answered, if a gateway names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The version of the server's set-up, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// The tier of service that it was answered in, where the server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// The cost in US dollars, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// The source of the cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_source: Option<CostSource>,
    /// The day of the list that its price is of, where it is a list price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_date: Option<String>,
    /// The inference parameters.
    pub parameters: AnyMap,
    /// Tokens of the prompt.
    pub tokens_in: u64,
    /// Tokens of the answer.
    pub tokens_out: u64,
    /// The latency in milliseconds when the call was made.
    pub latency_ms: u64,
    /// Whether another run paid for it.
    pub cached: bool,
    /// Why the model stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Peculiarities of the answer: `truncated`, `refused`, `no_output`, `context_cut`, `tokens_estimated`,
    /// `lossy_text`.
    pub flags: Vec<String>,
    /// Why there is no output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ResultError>,
}

/// The source of a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum CostSource {
    /// Stated by the server.
    Stated,
    /// Computed from the endpoint's prices.
    Endpoint,
    /// The provider's list prices, as they ship with the product.
    List,
    /// No price is known.
    Unknown,
}

/// Why a stage gave no output for a sample.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ResultError {
    /// The kind of error, for programs; stable.
    pub kind: String,
    /// What happened.
    pub message: String,
}

impl From<StageError> for ResultError {
    fn from(error: StageError) -> Self {
        Self { kind: error.kind.as_str().to_owned(), message: error.message }
    }
}

fn response_text(answer: &Reply) -> Option<String> {
    match &answer.body {
        ReplyBody::Completion(completion) => Some(completion.text.clone()),
        ReplyBody::Service(answer) => Some(answer.text.clone()),
        ReplyBody::Embedding(_) => None,
    }
}

fn cost_source(answer: &Reply, row: &ResultRow) -> CostSource {
    match (answer.stated_cost, row.cost, &row.price_day) {
        (Some(_), ..) => CostSource::Stated,
        (None, Some(_), Some(_)) => CostSource::List,
        (None, Some(_), None) => CostSource::Endpoint,
        (None, None, _) => CostSource::Unknown,
    }
}

impl StageResult {
    /// Creates the result of one of these stages.
    #[must_use]
    pub fn new(row: ResultRow, stages: &[String]) -> Self {
        let answer = row.reply.as_ref();
        let completion = answer.and_then(|answer| answer.completion());
        let tokens = answer.map(|answer| answer.tokens).unwrap_or_default();
        let latency = answer.map_or(0, |answer| answer.latency.as_millis());
        let thought = completion.and_then(|completion| {
            let apart = thinking_apart(&completion.text).0.map(str::to_owned);
            completion.reasoning.clone().or(apart).filter(|thought| !thought.is_empty())
        });
        // A service is not paid for by the token: it has no cost to show.
        let priced = answer.filter(|answer| answer.service_answer().is_none());
        let cost_source = priced.map(|answer| cost_source(answer, &row));
        let flags = answer.map(|answer| answer.flags.named().to_vec()).unwrap_or_default();
        Self {
            stage_index: row.stage,
            stage: stages.get(row.stage as usize).cloned().unwrap_or_default(),
            sample_index: row.sample,
            repeat: row.repeat,
            prompt_sent: row.prompt_sent.as_deref().and_then(|text| serde_json::from_str(text).ok()),
            tokens_in: tokens.input,
            tokens_out: tokens.output,
            latency_ms: u64::try_from(latency).unwrap_or(u64::MAX),
            cached: row.cached,
            finish_reason: completion.and_then(|completion| completion.finish_reason.clone()),
            flags: flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name.to_owned()).collect(),
            model_used: row.model,
            parameters: from_map(&row.parameters),
            error: row.error.map(ResultError::from),
            reasoning: thought,
            tool_calls: completion.and_then(|completion| completion.tool_calls.clone()).map(Any),
            provider: answer.and_then(|answer| answer.provider.clone()),
            system_fingerprint: answer.and_then(|answer| answer.system_fingerprint.clone()),
            service_tier: answer.and_then(|answer| answer.service_tier.clone()),
            cost: priced.and(row.cost).map(NanoDollars::dollars),
            cost_source,
            price_date: row.price_day,
            model_returned: answer.and_then(|answer| answer.model_returned.clone()),
            response_raw: answer.and_then(response_text),
        }
    }
}

/// The first results of a run.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct FirstResults {
    /// The number of all results.
    pub count: u64,
    /// The first 20.
    pub items: Vec<StageResult>,
}

/// The score of a scorer for one output.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct SampleScore {
    /// The scoring entry.
    pub scorer_name: String,
    /// The score; absent where the scorer failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Details from the scorer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[oai(default)]
    pub metadata: AnyMap,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The results of one repetition of one sample.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct RunSample {
    /// The sample, from 0.
    pub sample_index: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The sample's input.
    pub input: Any,
    /// Its reference answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Any>,
    /// Its accepted answers, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[oai(default)]
    pub references: Vec<Any>,
    /// Its weighted score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The results of the stages.
    pub stages: Vec<StageResult>,
    /// The scores.
    pub scores: Vec<SampleScore>,
}

impl RunSample {
    /// Creates the results of a sample.
    #[must_use]
    pub fn new(trace: runs::Trace, outline: &Outline) -> Self {
        let scorer =
            |number| outline.scorers.get(number as usize).map_or_else(String::new, |(name, _)| name.clone());
        let score = |row: &ScoreRow| {
            let (value, metadata, error) = match &row.judgement {
                Ok(Judgement { value, metadata }) => (Some(value.value()), from_map(metadata), None),
                Err(error) => (None, AnyMap::new(), Some(error.clone())),
            };
            SampleScore { scorer_name: scorer(row.scorer), value, metadata, error }
        };
        Self {
            sample_index: trace.sample_index,
            repeat: trace.repeat,
            input: Any(trace.sample.input),
            reference: trace.sample.reference.map(Any),
            references: trace.sample.references.into_iter().map(Any).collect(),
            score: trace.score,
            scores: trace.scores.iter().map(score).collect(),
            stages: trace.results.into_iter().map(|row| StageResult::new(row, &outline.stages)).collect(),
        }
    }
}

pages! {
    /// Results of a run's samples.
    RunSamplePage of RunSample,
}
