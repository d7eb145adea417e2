//! What is asked of sweeps, and what one would come to.

use application::estimate::Estimate;
use application::sweeps::SweepRequest as Request;
use domain::problem::Problem;
use domain::sweep::SweepLimits as Limits;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dollars;
use crate::sweep::{StrategyDocument, SweepDocument, SweepKindDocument, limits};

/// A sweep to be started.
#[derive(Debug, Clone, Default, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct SweepRequest {
    /// How it chooses configurations.
    #[serde(default)]
    #[oai(default)]
    pub kind: SweepKindDocument,
    /// What random choices hang on; made up where absent.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Runs, at most.
    #[serde(default)]
    pub max_runs: Option<u64>,
    /// Tokens to pay for, at most.
    #[serde(default)]
    pub max_tokens: Option<u64>,
    /// US dollars to pay, at most.
    #[serde(default)]
    pub max_cost: Option<f64>,
    /// How the kind behaves.
    #[serde(default)]
    #[oai(default)]
    pub strategy: StrategyDocument,
    /// Only say what it would come to.
    #[serde(default)]
    #[oai(default)]
    pub dry_run: bool,
}

impl SweepRequest {
    /// What the sweep asks for.
    ///
    /// # Errors
    /// Limits that make no sense, each with its place.
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
    /// Do not wait for the runs in progress, only for the calls in flight.
    #[serde(default)]
    #[oai(default)]
    pub now: bool,
}

/// How to resume. A limit that is given takes the place of the sweep's own.
#[derive(Debug, Clone, Copy, Default, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct ResumeRequest {
    /// Runs, at most.
    #[serde(default)]
    pub max_runs: Option<u64>,
    /// Tokens to pay for, at most.
    #[serde(default)]
    pub max_tokens: Option<u64>,
    /// US dollars to pay, at most.
    #[serde(default)]
    pub max_cost: Option<f64>,
}

impl ResumeRequest {
    /// The limits that are given.
    ///
    /// # Errors
    /// Limits that make no sense, each with its place.
    pub fn limits(self) -> Result<Limits, Vec<Problem>> {
        let mut problems = Vec::new();
        let limits = limits(self.max_runs, self.max_tokens, self.max_cost, &mut problems);
        if problems.is_empty() { Ok(limits) } else { Err(problems) }
    }
}

/// What a sweep would come to.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct DryRun {
    /// Configurations, where their number fits a JSON number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configurations: Option<u64>,
    /// Their number, in digits.
    pub configurations_text: String,
    /// Model calls that its runs need.
    pub calls: u64,
    /// Those that would not be made: the cache has their answer, or an equal call of the same sweep.
    pub cached_calls: u64,
    /// Tokens that it would pay for.
    pub estimated_tokens: u64,
    /// US dollars, where every price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_cost: Option<f64>,
    /// How long it would take, in seconds, where such calls have been made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_seconds: Option<f64>,
    /// Only a part of the calls was looked at, and the rest is taken to be alike.
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
