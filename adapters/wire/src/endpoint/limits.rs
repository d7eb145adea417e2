//! How much an endpoint bears.

use std::num::NonZeroU32;

use domain::endpoint::Limits;
use domain::problem::Problem;
use domain::rate::RateLimits;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::positive;

/// How much an endpoint bears.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "EndpointLimits", deny_unknown_fields)]
#[schemars(rename = "EndpointLimits")]
pub struct LimitsDocument {
    /// Calls in flight at once, from 1; 8 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(validator(minimum(value = "1")))]
    #[schemars(range(min = 1))]
    pub concurrency: Option<u32>,
    /// Requests a minute, from 1; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(validator(minimum(value = "1")))]
    #[schemars(range(min = 1))]
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute, prompt and completion together, from 1; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(validator(minimum(value = "1")))]
    #[schemars(range(min = 1))]
    pub tokens_per_minute: Option<u32>,
}

impl LimitsDocument {
    /// The limits; what is wrong with them is added to the problems.
    pub(super) fn into_limits(self, problems: &mut Vec<Problem>) -> Limits {
        let mut limit = |name: &str, number| positive(&format!("limits/{name}"), number, problems);
        let concurrency = limit("concurrency", self.concurrency);
        let rate = RateLimits {
            requests_per_minute: limit("requests_per_minute", self.requests_per_minute),
            tokens_per_minute: limit("tokens_per_minute", self.tokens_per_minute),
        };
        Limits { concurrency: concurrency.unwrap_or(Limits::default().concurrency), rate }
    }
}

impl From<Limits> for LimitsDocument {
    fn from(limits: Limits) -> Self {
        Self {
            concurrency: Some(limits.concurrency.get()),
            requests_per_minute: limits.rate.requests_per_minute.map(NonZeroU32::get),
            tokens_per_minute: limits.rate.tokens_per_minute.map(NonZeroU32::get),
        }
    }
}
