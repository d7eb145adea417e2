//! Sweeps in documents.

use application::sweeps::SweepRequest;
use domain::money::NanoDollars;
use domain::problem::Problem;
use domain::sweep::{SweepKind, SweepLimits};
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::Deserialize;

/// The kinds of sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "SweepRequestKind", rename_all = "snake_case")]
#[schemars(rename = "SweepRequestKind")]
pub enum SweepKindDocument {
    /// Every combination.
    #[default]
    Grid,
    /// Seeded sampling.
    Random,
}

/// The sweep of an experiment file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "fields are those of the sweep")]
pub struct SweepDocument {
    #[serde(default)]
    pub kind: SweepKindDocument,
    pub seed: Option<u64>,
    pub max_runs: Option<u64>,
    pub max_tokens: Option<u64>,
    pub max_cost: Option<f64>,
    #[serde(default)]
    pub strategy: StrategyDocument,
}

/// Options of a sweep's kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "SweepStrategy", deny_unknown_fields)]
#[schemars(rename = "SweepStrategy")]
pub struct StrategyDocument {
    /// Whether a grid is searched in a seeded order.
    pub shuffle: Option<bool>,
}

impl SweepDocument {
    /// The sweep to start.
    ///
    /// # Errors
    /// Invalid limits, with their places in the sweep.
    pub fn into_request(self) -> Result<SweepRequest, Vec<Problem>> {
        let mut problems = Vec::new();
        let limits = limits(self.max_runs, self.max_tokens, self.max_cost, &mut problems);
        let kind = match (self.kind, self.strategy.shuffle) {
            (SweepKindDocument::Grid, shuffle) => SweepKind::Grid { shuffle: shuffle.unwrap_or(false) },
            (SweepKindDocument::Random, None) => SweepKind::Random,
            (SweepKindDocument::Random, Some(_)) => {
                let detail = "shuffle is for grids: a random sweep has no order to shuffle";
                problems.push(Problem::new("/strategy/shuffle", "unexpected_field", detail));
                SweepKind::Random
            }
        };
        if problems.is_empty() { Ok(SweepRequest { kind, seed: self.seed, limits }) } else { Err(problems) }
    }
}

/// The limits of a sweep. Invalid limits are added to the problems, with their places.
pub(crate) fn limits(
    max_runs: Option<u64>,
    max_tokens: Option<u64>,
    max_cost: Option<f64>,
    problems: &mut Vec<Problem>,
) -> SweepLimits {
    for (field, limit) in [("max_runs", max_runs), ("max_tokens", max_tokens)] {
        if limit == Some(0) {
            let detail = format!("{field} takes a whole number from 1 up; leave it out for no limit");
            problems.push(Problem::new(format!("/{field}"), "out_of_range", detail));
        }
    }
    let max_cost = max_cost.map(|dollars| {
        NanoDollars::from_dollars(dollars).filter(|cost| *cost > NanoDollars::ZERO).unwrap_or_else(|| {
            problems.push(Problem::new("/max_cost", "out_of_range", "max_cost takes US dollars above 0"));
            NanoDollars::ZERO
        })
    });
    SweepLimits { max_runs, max_tokens, max_cost }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_limits_have_their_places() {
        for (sweep, pointer) in [
            ("{max_runs: 0}", "/max_runs"),
            ("{max_cost: 0}", "/max_cost"),
            ("{kind: random, strategy: {shuffle: true}}", "/strategy/shuffle"),
        ] {
            let document: SweepDocument = serde_saphyr::from_str(sweep).unwrap();
            assert_eq!(document.into_request().unwrap_err()[0].pointer, pointer, "{sweep}");
        }
    }
}
