//! Finds the endpoints and models that stages and scorers name, or the settings for them.

mod scorers;

use std::collections::BTreeSet;

use domain::configuration::{Binding, Configuration, ConfiguredStage};
use domain::endpoint::{Endpoint, EndpointIdentity, EndpointKind};
use domain::experiment::{Applied, Definition};
use domain::id::EndpointId;
use domain::problem::{Problem, capped, is_full, listed, segment, unknown};
use domain::space::{Field, Levels, Parameter};
use domain::stage::{CallTarget, Stage, StageKind};
use domain::sweep::SweepLimits;
use domain::value::{Map, Value};

use crate::list_prices::price_of;
use crate::model_defaults::{ModelDefaults, is_always_set};
use crate::ports::{EndpointStore, RunConfig, SettingStore, StageBinding, StoreError};

/// The endpoints there are, and what holds for stages and scorers that name none.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    endpoints: Vec<Endpoint>,
    defaults: ModelDefaults,
}

impl Catalog {
    /// A catalog of these endpoints, with these defaults.
    #[must_use]
    pub const fn new(endpoints: Vec<Endpoint>, defaults: ModelDefaults) -> Self {
        Self { endpoints, defaults }
    }

    /// The stored endpoints with the stored defaults.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn load(
        endpoints: &dyn EndpointStore,
        settings: &dyn SettingStore,
    ) -> Result<Self, StoreError> {
        let defaults = ModelDefaults::load(settings).await?;
        Ok(Self::new(endpoints.all().await?, defaults))
    }

    /// The endpoint and the models of stages and scorers that name none.
    #[must_use]
    pub const fn defaults(&self) -> &ModelDefaults {
        &self.defaults
    }

    /// The endpoint with this label.
    #[must_use]
    pub fn by_label(&self, label: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.label == label)
    }

    /// The endpoint with this id.
    #[must_use]
    pub fn by_id(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }

    /// An endpoint with this protocol and URL.
    #[must_use]
    pub fn by_identity(&self, identity: &EndpointIdentity) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.identity == *identity)
    }

    /// Everything that a definition names and the catalog has not, over all values that dimensions can take.
    #[must_use]
    pub fn check(&self, definition: &Definition) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (i, stage) in definition.stages().iter().enumerate() {
            let Some(target) = self.defaults.target(stage) else { continue };
            if !is_always_set(definition, stage, &Field::Endpoint) {
                let at = format!("/pipeline_stages/{i}/endpoint");
                problems.extend(self.endpoint_of(stage, target, &at).err());
            }
        }
        problems.extend(self.defaults.unnamed_models(definition));
        problems.extend(self.wrong_levels(definition));
        problems.extend(self.check_scorers(definition, None));
        problems
    }

    fn wrong_levels(&self, definition: &Definition) -> Vec<Problem> {
        let mut problems = Vec::new();
        for dimension in definition.space().dimensions() {
            let Levels::Choice(values) = &dimension.levels else { continue };
            let target = dimension.target.as_ref().filter(|target| target.field == Field::Endpoint);
            let aimed = target.and_then(|target| definition.stages().iter().find(|s| s.name == target.stage));
            let Some(stage) = aimed else { continue };
            for (i, label) in values.iter().enumerate() {
                if is_full(&problems) {
                    break;
                }
                let at = format!("/parameter_space/{}/values/{i}", segment(dimension.name.as_str()));
                match label.as_text().and_then(|label| self.by_label(label)) {
                    Some(endpoint) => problems.extend(answers(endpoint, stage, &at).err()),
                    None => problems.push(self.unknown(&at, label.as_text().unwrap_or_default())),
                }
            }
        }
        problems
    }

    /// The endpoint of a stage, whose calls it can answer.
    fn endpoint_of(&self, stage: &Stage, target: CallTarget<'_>, at: &str) -> Result<&Endpoint, Problem> {
        let label = target.endpoint.unwrap_or_default();
        let is_default = stage.call_target().is_some_and(|named| named.endpoint.is_none());
        let missing = || if is_default { self.no_default(at, label) } else { self.unknown(at, label) };
        let endpoint = self.by_label(label).ok_or_else(missing)?;
        answers(endpoint, stage, at).map(|()| endpoint)
    }

    /// What keeps a sweep with a budget from starting: calls whose tokens have no bound, models without a price.
    #[must_use]
    pub fn unbounded(&self, definition: &Definition, limits: &SweepLimits) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (i, stage) in definition.stages().iter().enumerate() {
            let endpoints = self.possible_endpoints(definition, stage);
            let at = format!("/pipeline_stages/{i}");
            if limits.is_budgeted() && !bounded(definition, stage, &endpoints) {
                let detail = "a budget needs a bound on each answer: give the stage `parameters.max_tokens`, or its \
                              endpoint `max_output_tokens`";
                problems.push(Problem::new(format!("{at}/parameters/max_tokens"), "unbounded", detail));
            }
            if limits.max_cost.is_some() {
                problems.extend(self.unpriced(definition, stage, &at));
            }
        }
        problems.extend(self.check_scorers(definition, Some(limits)));
        problems
    }

    /// Every pair of endpoint and model that some configuration can call, by label.
    #[must_use]
    pub fn calls<'a>(&'a self, definition: &'a Definition) -> Vec<(&'a Endpoint, &'a str)> {
        let stages = definition.stages().iter();
        let mut calls: Vec<_> = stages.flat_map(|stage| self.calls_of(definition, stage)).collect();
        calls.sort_by(|(a, one), (b, other)| (&a.label, one).cmp(&(&b.label, other)));
        calls.dedup_by(|(a, one), (b, other)| a.label == b.label && one == other);
        calls
    }

    fn calls_of<'a>(&'a self, definition: &'a Definition, stage: &'a Stage) -> Vec<(&'a Endpoint, &'a str)> {
        let Some(target) = self.defaults.target(stage) else { return Vec::new() };
        let models = possible(definition, stage, &Field::Model, target.model);
        let endpoints = self.possible_endpoints(definition, stage).into_iter();
        endpoints
            .flat_map(|endpoint| models.iter().map(move |model| (endpoint, *model)).collect::<Vec<_>>())
            .collect()
    }

    fn unpriced(&self, definition: &Definition, stage: &Stage, at: &str) -> Vec<Problem> {
        let calls = self.calls_of(definition, stage).into_iter();
        let unknown = calls.filter(|(endpoint, model)| price_of(endpoint, model).is_none());
        let problems = unknown.map(|(Endpoint { label, .. }, model)| {
            let detail = format!(
                "max_cost needs a price for model `{model}`: give it under `prices` of endpoint `{label}`"
            );
            Problem::new(format!("{at}/model"), "unknown_price", detail)
        });
        capped(problems.collect())
    }

    fn possible_endpoints(&self, definition: &Definition, stage: &Stage) -> Vec<&Endpoint> {
        let Some(target) = self.defaults.target(stage) else { return Vec::new() };
        let labels = possible(definition, stage, &Field::Endpoint, target.endpoint);
        labels.into_iter().filter_map(|label| self.by_label(label)).collect()
    }

    fn unknown(&self, pointer: &str, label: &str) -> Problem {
        Problem::new(pointer, "unknown_endpoint", unknown("endpoint", label, self.labels()))
    }

    /// The stage names no endpoint, and the default one does not exist.
    fn no_default(&self, pointer: &str, label: &str) -> Problem {
        let detail = match listed(self.labels()) {
            none if none.is_empty() => "create an endpoint, or set DEFAULT_ENDPOINT_URL".to_owned(),
            labels if self.defaults.endpoint.is_some() => {
                format!(
                    "the settings' default endpoint `{label}` does not exist: set another one. Known: {labels}"
                )
            }
            labels => {
                format!("name an endpoint, or set `default_endpoint` in the settings. Known: {labels}")
            }
        };
        Problem::new(pointer, "unknown_endpoint", detail)
    }

    fn labels(&self) -> impl Iterator<Item = &str> + Clone {
        self.endpoints.iter().map(|endpoint| endpoint.label.as_str())
    }

    /// The whole configuration at a point, and what is to be stored of it.
    ///
    /// # Errors
    /// What a stage names and the catalog has not, or a value that its field cannot take.
    pub fn configure(
        &self,
        definition: &Definition,
        values: Map,
    ) -> Result<(Configuration, RunConfig), Problem> {
        let places = definition.places(&values);
        let applied = definition.apply(&values, &places)?;
        let bindings = applied.stages.iter().map(|stage| self.bind(stage)).collect::<Result<Vec<_>, _>>()?;
        let config = RunConfig { values, places: Some(places), stages: bindings };
        Ok((bound(applied, &config.stages, definition.repeats()), config))
    }

    fn bind(&self, stage: &Stage) -> Result<Option<StageBinding>, Problem> {
        let Some(target) = self.defaults.target(stage) else { return Ok(None) };
        let endpoint = self.endpoint_of(stage, target, "")?;
        let missing = || Problem::new("", "missing", format!("stage `{}` names no model", stage.name));
        let model = target.model.ok_or_else(missing)?.to_owned();
        Ok(Some(StageBinding { endpoint: endpoint.id, identity: endpoint.identity.clone(), model }))
    }
}

/// Whether an endpoint can answer the calls of a stage; the problem is at `at` where it cannot.
fn answers(endpoint: &Endpoint, stage: &Stage, at: &str) -> Result<(), Problem> {
    let kind = endpoint.identity.kind;
    if kind.has_embeddings() || !matches!(stage.kind, StageKind::Retrieve(_)) {
        return Ok(());
    }
    let detail = format!(
        "endpoint `{}` is of kind `{kind}`, whose protocol has no embeddings: give stage `{}` an endpoint of kind `{}`",
        endpoint.label,
        stage.name,
        EndpointKind::OpenAi
    );
    Err(Problem::new(at, "no_embeddings", detail))
}

/// Every text that a field of a stage can be: its own, unless a dimension always decides, and those of dimensions.
fn possible<'a>(
    definition: &'a Definition,
    stage: &Stage,
    field: &Field,
    own: Option<&'a str>,
) -> BTreeSet<&'a str> {
    let aimed = definition.space().dimensions().filter(|dimension| {
        dimension.target.as_ref().is_some_and(|target| target.stage == stage.name && target.field == *field)
    });
    let levels = aimed.flat_map(|dimension| match &dimension.levels {
        Levels::Choice(values) => values.iter().filter_map(Value::as_text).collect(),
        Levels::Int { .. } | Levels::Float { .. } => Vec::new(),
    });
    levels.chain(own.filter(|_| !is_always_set(definition, stage, field))).collect()
}

fn bounded(definition: &Definition, stage: &Stage, endpoints: &[&Endpoint]) -> bool {
    let field = Field::Parameter(Parameter::MaxTokens);
    let bounds = |endpoint: &Endpoint| {
        endpoint.max_output_tokens.is_some() || endpoint.identity.kind.default_max_tokens().is_some()
    };
    stage.bounds_output()
        || is_always_set(definition, stage, &field)
        || !endpoints.is_empty() && endpoints.iter().all(|endpoint| bounds(endpoint))
}

/// The configuration that a stored one stands for.
///
/// # Errors
/// A value that its field cannot take.
pub fn restore(definition: &Definition, config: &RunConfig) -> Result<Configuration, Problem> {
    Ok(bound(applied(definition, config)?, &config.stages, definition.repeats()))
}

/// The stages with a stored configuration's values in their fields.
///
/// # Errors
/// A value that its field cannot take.
pub fn applied(definition: &Definition, config: &RunConfig) -> Result<Applied, Problem> {
    match &config.places {
        Some(places) => definition.apply(&config.values, places),
        None => definition.apply(&config.values, &definition.places(&config.values)),
    }
}

fn bound(applied: Applied, bindings: &[Option<StageBinding>], repeats: u32) -> Configuration {
    let bindings = bindings.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    let stages = applied.stages.into_iter().zip(bindings).map(|(stage, binding)| ConfiguredStage {
        stage,
        binding: binding
            .map(|binding| Binding { endpoint: binding.identity.clone(), model: binding.model.clone() }),
    });
    Configuration { stages: stages.collect(), params: applied.params, free: applied.free, repeats }
}
