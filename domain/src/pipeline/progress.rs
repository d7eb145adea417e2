//! The progress of a sample through the stages.

use crate::value::{Map, Value};

/// The progress of a sample: the sample itself, and the outputs of the stages that it has passed.
#[derive(Debug, Clone)]
pub struct SampleProgress {
    pub(super) sample: Value,
    pub(super) stages: Value,
    pub(super) previous: Option<Value>,
}

impl SampleProgress {
    /// A sample before the first stage, as templates see it.
    #[must_use]
    pub const fn new(sample: Value) -> Self {
        Self { sample, stages: Value::Map(Map::new()), previous: None }
    }

    /// The sample, as templates see it.
    #[must_use]
    pub const fn sample(&self) -> &Value {
        &self.sample
    }

    /// Records that the sample has passed a stage with this output.
    pub fn passed(&mut self, stage: &str, output: Value) {
        if let Value::Map(stages) = &mut self.stages {
            stages.insert(stage.to_owned(), Value::from([("output", output.clone())]));
        }
        self.previous = Some(output);
    }

    /// The body of a service's request that says nothing else of it. The reference is not in it: it is for scorers.
    pub(super) fn standard_body(&self, params: &Value) -> Value {
        let of_sample = |field| self.sample.as_map().and_then(|sample| sample.get(field)).cloned();
        let meta = of_sample("meta").unwrap_or_else(|| Value::Map(Map::new()));
        let context = [("params", params.clone()), ("stages", self.stages.clone()), ("meta", meta)];
        Value::from([
            ("input", of_sample("input").unwrap_or_default()),
            ("output", self.previous.clone().unwrap_or_default()),
            ("context", Value::from(context)),
        ])
    }

    /// About the bytes of memory that it uses.
    pub(super) fn size(&self) -> usize {
        self.sample.size() + self.stages.size()
    }

    /// The output of a stage that the sample has passed.
    #[must_use]
    pub fn output(&self, stage: &str) -> Option<&Value> {
        self.stages.as_map()?.get(stage)?.as_map()?.get("output")
    }
}
