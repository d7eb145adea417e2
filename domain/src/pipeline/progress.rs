//! How far a sample has come.

use std::sync::Arc;

use crate::template::SharedMap;
use crate::value::{Map, Value};

/// The progress of a sample: the sample itself, and the outputs of the stages that it has passed.
#[derive(Debug, Clone)]
pub struct SampleProgress {
    sample: Value,
    /// A map with the `output` of each stage, by its name.
    stages: SharedMap,
    /// The stage that it passed last.
    previous: Option<String>,
}

/// The output of a stage. It is shared rather than copied: that of a stage that cuts documents is large, and the same for all
/// samples.
#[derive(Debug, Clone, PartialEq)]
pub struct StageOutput(Arc<Value>);

const OUTPUT: &str = "output";

impl StageOutput {
    /// The output itself.
    #[must_use]
    pub fn value(&self) -> &Value {
        output_of(&self.0).unwrap_or(&Value::Null)
    }
}

impl From<Value> for StageOutput {
    fn from(output: Value) -> Self {
        Self(Arc::new(Value::from([(OUTPUT, output)])))
    }
}

impl Default for StageOutput {
    fn default() -> Self {
        Value::Null.into()
    }
}

fn output_of(stage: &Value) -> Option<&Value> {
    stage.as_map().and_then(|stage: &Map| stage.get(OUTPUT))
}

impl SampleProgress {
    /// A sample before the first stage, as templates see it.
    #[must_use]
    pub const fn new(sample: Value) -> Self {
        Self { sample, stages: SharedMap::new(), previous: None }
    }

    /// The sample, as templates see it.
    #[must_use]
    pub const fn sample(&self) -> &Value {
        &self.sample
    }

    /// Records that the sample has passed a stage with this output.
    pub fn passed(&mut self, stage: &str, output: impl Into<StageOutput>) {
        self.stages.insert(stage.to_owned(), output.into().0);
        self.previous = Some(stage.to_owned());
    }

    /// The output of a stage that the sample has passed.
    #[must_use]
    pub fn output(&self, stage: &str) -> Option<&Value> {
        output_of(self.stages.get(stage)?)
    }

    pub(super) fn stage_output(&self, stage: &str) -> Option<StageOutput> {
        self.stages.get(stage).map(|stage| StageOutput(Arc::clone(stage)))
    }

    /// The stages as templates see them.
    pub(super) const fn stages(&self) -> &SharedMap {
        &self.stages
    }

    /// The stages as one value.
    pub(super) fn stages_value(&self) -> Value {
        let stages = self.stages.iter().map(|(name, stage)| (name.clone(), Value::clone(stage)));
        Value::Map(stages.collect())
    }

    /// The body of a service's request that says nothing else of it. The reference is not in it: it is for scorers.
    pub(super) fn standard_body(&self, params: &Value) -> Value {
        let of_sample = |field| self.sample.as_map().and_then(|sample| sample.get(field)).cloned();
        let meta = of_sample("meta").unwrap_or_else(|| Value::Map(Map::new()));
        let context = [("params", params.clone()), ("stages", self.stages_value()), ("meta", meta)];
        Value::from([
            ("input", of_sample("input").unwrap_or_default()),
            ("output", self.previous().cloned().unwrap_or_default()),
            ("context", Value::from(context)),
        ])
    }

    /// About the bytes of memory that it uses.
    pub(super) fn size(&self) -> usize {
        self.sample.size() + self.stages.values().map(|stage| stage.size()).sum::<usize>()
    }

    /// The output of the stage that it passed last.
    pub(super) fn previous(&self) -> Option<&Value> {
        self.output(self.previous.as_deref()?)
    }
}
