//! Inference parameters that models ignore or refuse. What a server's list of models says comes first, then a table of hosted
//! models; nothing is said of models that neither knows.

mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::endpoint::{Endpoint, EndpointKind};
use domain::experiment::Definition;
use domain::space::{Dimension, Field, Point};
use domain::stage::{LlmStage, Stage, StageKind};
use domain::value::Value;

use self::table::Support;
use crate::catalog::Catalog;
use crate::ports::ModelLists;

/// The warnings about these configurations of an experiment, for people.
#[must_use]
pub fn warnings(
    definition: &Definition,
    catalog: &Catalog,
    lists: &ModelLists,
    points: &[Point],
) -> Vec<String> {
    let stages = definition.stages().iter().filter_map(|stage| match &stage.kind {
        StageKind::Llm(llm) => Some(StageUse { definition, catalog, lists, stage, llm }),
        StageKind::Chunk(_) | StageKind::Retrieve(_) | StageKind::Http(_) => None,
    });
    stages.flat_map(|stage| stage.warnings(points)).collect()
}

/// A stage with what is needed to know what it sends.
#[derive(Clone, Copy)]
struct StageUse<'a> {
    definition: &'a Definition,
    catalog: &'a Catalog,
    lists: &'a ModelLists,
    stage: &'a Stage,
    llm: &'a LlmStage,
}

/// Configurations whose model does not take a parameter that they set.
#[derive(Default)]
struct Affected {
    configurations: usize,
    /// How many there are of each, told apart without the parameters that their model ignores.
    alike: HashMap<String, usize>,
}

impl<'a> StageUse<'a> {
    fn warnings(self, points: &[Point]) -> Vec<String> {
        let mut affected: BTreeMap<(String, &str, Support), Affected> = BTreeMap::new();
        for point in points {
            let Some((endpoint, model)) = self.target(point) else { continue };
            let set = self.parameters(point);
            let lacking: Vec<_> = set
                .into_iter()
                .filter_map(|name| Some((name, self.support(endpoint, model, name)?)))
                .collect();
            if lacking.is_empty() {
                continue;
            }
            let ignored: Vec<&str> = lacking
                .iter()
                .filter(|(_, support)| *support == Support::Ignored)
                .map(|(name, _)| *name)
                .collect();
            let rest = self.rest(point, &ignored);
            for (name, support) in lacking {
                let entry = affected.entry((model.to_owned(), name, support)).or_default();
                entry.configurations += 1;
                *entry.alike.entry(rest.clone()).or_default() += 1;
            }
        }
        affected.into_iter().map(|(key, affected)| warning(&key, &affected, points.len())).collect()
    }

    /// The endpoint and the model of a configuration.
    fn target(self, point: &'a Point) -> Option<(&'a Endpoint, &'a str)> {
        let chosen = |field: &Field| self.value(point, field).and_then(Value::as_text);
        let named = self.catalog.defaults().target(self.stage)?;
        let label = chosen(&Field::Endpoint).or(named.endpoint)?;
        let model = chosen(&Field::Model).or(named.model)?;
        Some((self.catalog.by_label(label)?, model))
    }

    fn value(self, point: &'a Point, field: &Field) -> Option<&'a Value> {
        let targets = |dimension: &&Dimension| self.targets(dimension, |target| target == field);
        self.definition
            .space()
            .dimensions()
            .filter(targets)
            .find_map(|one| point.values().get(one.name.as_str()))
    }

    fn targets(self, dimension: &Dimension, is: impl Fn(&Field) -> bool) -> bool {
        dimension.target.as_ref().is_some_and(|target| target.stage == self.stage.name && is(&target.field))
    }

    /// The parameters that a configuration sets.
    fn parameters(self, point: &Point) -> BTreeSet<&'a str> {
        let own = self.llm.parameters.keys().map(String::as_str);
        let varied = self.definition.space().dimensions().filter_map(|dimension| {
            let target = dimension.target.as_ref().filter(|target| target.stage == self.stage.name)?;
            let Field::Parameter(name) = &target.field else { return None };
            point.values().contains_key(dimension.name.as_str()).then_some(name.as_str())
        });
        own.chain(varied).collect()
    }

    fn support(self, endpoint: &Endpoint, model: &str, parameter: &str) -> Option<Support> {
        match self.lists.get(&endpoint.id).and_then(|models| models.get(model)) {
            Some(taken) => (!takes(taken, parameter)).then_some(Support::Ignored),
            None => table::support(endpoint.identity.kind == EndpointKind::Anthropic, model, parameter),
        }
    }

    /// A configuration without the parameters that are ignored.
    fn rest(self, point: &Point, ignored: &[&str]) -> String {
        let counts = |name: &str| {
            let dimension = self.definition.space().dimensions().find(|one| one.name.as_str() == name);
            !dimension.is_some_and(|dimension| {
                self.targets(dimension, |field| {
                    matches!(field, Field::Parameter(parameter) if ignored.contains(&parameter.as_str()))
                })
            })
        };
        let values = point.values().iter().filter(|(name, _)| counts(name));
        Value::Map(values.map(|(name, value)| (name.clone(), value.clone())).collect()).canonical()
    }
}

/// Whether a list of parameters has one. Lists of gateways name reasoning otherwise, and some leave out the limit of output
/// tokens or what is no parameter of the model's.
fn takes(taken: &BTreeSet<String>, parameter: &str) -> bool {
    let others: &[&str] = match parameter {
        "reasoning_effort" => &["reasoning", "include_reasoning", "reasoning_effort"],
        "max_tokens" => &["max_tokens", "max_completion_tokens", "max_output_tokens"],
        _ => &[],
    };
    taken.contains(parameter) || others.iter().any(|other| taken.contains(*other))
}

fn warning((model, parameter, support): &(String, &str, Support), affected: &Affected, all: usize) -> String {
    let count = affected.configurations;
    match support {
        Support::Ignored => {
            let same: usize = affected.alike.values().filter(|alike| **alike > 1).sum();
            let alike = if same > 0 {
                format!(": {same} of {all} configurations are the same call as another")
            } else {
                String::new()
            };
            format!("`{parameter}` has no effect on `{model}`{alike}")
        }
        Support::Refused => format!(
            "`{model}` refuses `{parameter}`, which {count} of {all} configurations set: leave it out for this model, or give \
             its dimension a `when` with the models that take it"
        ),
    }
}

#[cfg(test)]
mod tests;
