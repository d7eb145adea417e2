//! Requests about sweeps, and their estimates.

use application::estimate::Estimate;
use application::sweeps::SweepRequest as Request;
use domain::problem::Problem;
use domain::sweep::SweepLimits as Limits;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dollars;
use crate::sweep::{StrategyDocument, SweepDocument, SweepKindDocument, limits};

/// A sweep to start.
#[derive(Debug, Clone, Default, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct SweepRequest {
    /// How it chooses configurations.
    #[serde(default)]
    #[oai(default)]
    pub kind: SweepKindDocument,
    /// The seed of random choices; a random one where absent.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The most runs.
    #[serde(default)]
    pub max_runs: Option<u64>,
    /// The most tokens to pay for.
    #[serde(default)]
    pub max_tokens: Option<u64>,
    /// The most US dollars to pay.
    #[serde(default)]
    pub max_cost: Option<f64>,
    /// Options of the kind.
    #[serde(default)]
    #[oai(default)]
    pub strategy: StrategyDocument,
    /// Whether to estimate the sweep instead of starting it.
    #[serde(default)]
    #[oai(default)]
    pub dry_run: bool,
}

impl SweepRequest {
    /// The request to the use case.
    ///
    /// # Errors
    /// Invalid limits, with their places.
    pub fn into_request(self) -> Result<Request, Vec<Problem>> {
        let Self { kind, seed, max_runs, max_tokens, max_cost, strategy, dry_run: _ } = self;
        SweepDocument { kind, seed, max_runs, max_tokens, max_cost, strategy }.into_request()
    }
}

/// How to pause.
#[derive(Debug, Clone, Copy, Default, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct PauseRequest {
    /// Whether to wait only for calls in flight, instead of runs in progress.
    #[serde(default)]
    #[oai(default)]
    pub now: bool,
}

/// How to resume. A limit that is given replaces the sweep's own.
#[derive(Debug, Clone, Copy, Default, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct ResumeRequest {
    /// The most runs.
    #[serde(default)]
    pub max_runs: Option<u64>,
    /// The most tokens to pay for.
    #[serde(default)]
    pub max_tokens: Option<u64>,
    /// The most US dollars to pay.
    #[serde(default)]
    pub max_cost: Option<f64>,
}

impl ResumeRequest {
    /// The given limits.
    ///
    /// # Errors
    /// Invalid limits, with their places.
    pub fn limits(self) -> Result<Limits, Vec<Problem>> {
        let mut problems = Vec::new();
        let limits = limits(self.max_runs, self.max_tokens, self.max_cost, &mut problems);
        if problems.is_empty() { Ok(limits) } else { Err(problems) }
    }
}

/// The estimate of a sweep.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct DryRun {
    /// The number of configurations, if it fits into a JSON number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configurations: Option<u64>,
    /// The number of configurations, in digits.
    pub configurations_text: String,
    /// Calls that its runs need.
    pub calls: u64,
    /// Calls that would not be made, because their answers are cached or equal to those of other calls of the sweep.
    pub cached_calls: u64,
    /// Tokens to pay for.
    pub estimated_tokens: u64,
    /// US dollars, where every price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_cost: Option<f64>,
    /// How long it would take, in seconds, where such calls have been made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_seconds: Option<f64>,
    /// Whether only a part of the calls was looked up, and the rest was extrapolated.
    pub sampled: bool,
    /// What should be known before it starts, such as parameters that a model does not take.
    pub warnings: Vec<String>,
}

impl From<Estimate> for DryRun {
    fn from(estimate: Estimate) -> Self {
        Self {
            configurations: estimate.configurations,
            configurations_text: estimate.configurations_text,
            calls: estimate.calls,
            cached_calls: estimate.cached_calls,
            estimated_tokens: estimate.tokens,
            estimated_cost: dollars(estimate.cost),
            estimated_seconds: estimate.seconds,
            sampled: estimate.sampled,
            warnings: estimate.warnings,
        }
    }
}
