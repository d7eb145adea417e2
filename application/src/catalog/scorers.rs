//! The models that scorers ask.

use std::sync::Arc;

use domain::endpoint::{Endpoint, EndpointKind};
use domain::experiment::Definition;
use domain::problem::Problem;
use domain::scoring::{AskedModel, ScoringEntry};
use domain::sweep::SweepLimits;

use super::Catalog;
use crate::list_prices::price_of;
use crate::model_defaults::always_asked;
use crate::scoring::ScorerModel;

impl Catalog {
    /// The endpoint and the model that a scorer asks.
    ///
    /// # Errors
    /// What it names and the catalog has not; the pointer is relative to the options.
    pub(crate) fn asked<'a>(&'a self, asked: AskedModel<'a>) -> Result<(&'a Endpoint, &'a str), Problem> {
        let (label, model) = self.defaults.asked(asked);
        let endpoint = self.by_label(label).ok_or_else(|| self.unknown("/endpoint", label))?;
        if matches!(asked, AskedModel::Embedding(_)) && !endpoint.identity.kind.has_embeddings() {
            let Endpoint { label, identity, .. } = endpoint;
            let detail = format!(
                "endpoint `{label}` is of kind `{}`, whose protocol has no embeddings: give the scorer an endpoint of kind \
                 `{}`",
                identity.kind,
                EndpointKind::OpenAi
            );
            return Err(Problem::new("/endpoint", "no_embeddings", detail));
        }
        Ok((endpoint, model.ok_or_else(|| self.defaults.no_model(asked))?))
    }

    /// The same, for whoever makes the calls; else what is wrong.
    pub(crate) fn scorer_model(&self, asked: AskedModel<'_>) -> Result<ScorerModel, String> {
        let (endpoint, model) = self.asked(asked).map_err(|problem| problem.detail)?;
        Ok(ScorerModel { endpoint: Arc::new(endpoint.clone()), model: model.to_owned() })
    }

    /// The endpoints that scoring entries ask, as far as their options are no templates.
    pub(crate) fn asked_by<'a>(&'a self, entries: &'a [ScoringEntry]) -> Vec<&'a Endpoint> {
        entries.iter().filter_map(always_asked).filter_map(|asked| Some(self.asked(asked).ok()?.0)).collect()
    }

    /// What scoring entries name and the catalog has not, and what a cost budget needs of them.
    pub(super) fn check_scorers(
        &self,
        definition: &Definition,
        limits: Option<&SweepLimits>,
    ) -> Vec<Problem> {
        let priced = limits.is_some_and(|limits| limits.max_cost.is_some());
        let entries = definition.scoring().iter().enumerate();
        let wrong = entries.filter_map(|(i, entry)| {
            let problem = match self.asked(always_asked(entry)?) {
                Err(problem) => Some(problem).filter(|_| limits.is_none()),
                Ok((endpoint, model)) => {
                    (priced && price_of(endpoint, model).is_none()).then(|| unpriced(endpoint, model))
                }
            };
            problem.map(|problem| problem.under(&format!("/scoring_config/{i}/options")))
        });
        wrong.collect()
    }
}

fn unpriced(Endpoint { label, .. }: &Endpoint, model: &str) -> Problem {
    let detail =
        format!("max_cost needs a price for model `{model}`: give it under `prices` of endpoint `{label}`");
    Problem::new("/model", "unknown_price", detail)
}
