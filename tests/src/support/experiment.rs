//! Experiment files for tests.

use std::fs;

use serde_json::{Value, json};

use super::home::Home;

/// An experiment with one call to a fake model server for each sample.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The document.
    pub document: Value,
}

impl Experiment {
    /// Samples `word-0`, `word-1`, …, each with itself as the reference, and one run for each temperature.
    #[must_use]
    pub fn echo(url: &str, samples: usize, temperatures: usize) -> Self {
        let samples: Vec<Value> = (0..samples)
            .map(|i| json!({"input": format!("word-{i}"), "reference": format!("word-{i}")}))
            .collect();
        let temperatures: Vec<f64> = (0..temperatures).map(|i| i as f64 / 64.0).collect();
        Self {
            document: json!({
                "name": "echo",
                "endpoints": [{"label": "fake", "kind": "openai", "url": url, "limits": {"concurrency": 16}}],
                "sample_data": samples,
                "pipeline_stages": [{
                    "name": "say", "kind": "llm", "endpoint": "fake", "model": "echo-1",
                    "prompt": "Say {{ sample.input }}", "parameters": {"max_tokens": 16},
                }],
                "scoring_config": [{"scorer": "exact_match"}],
                "parameter_space": {
                    "temperature": {"target": "say.temperature", "type": "choice", "values": temperatures},
                },
                "sweep": {"kind": "grid"},
            }),
        }
    }

    /// The document with one field changed, by its JSON pointer.
    ///
    /// # Panics
    /// Where there is no place for it.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = self.document.pointer_mut(parent).expect("a parent");
        match parent {
            Value::Object(fields) => drop(fields.insert(name.to_owned(), value)),
            Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
            other => panic!("{other} has no fields"),
        }
        self
    }

    /// Writes it to a home, as `experiment.json`.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, home: &Home) {
        let path = home.folder().join("experiment.json");
        fs::write(path, self.document.to_string()).expect("a file");
    }
}
