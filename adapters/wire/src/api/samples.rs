//! Files of samples.

use application::samples::{SampleFile, TakenColumns};
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::Serialize;

use crate::experiment::SampleDocument;

/// The columns that samples were read from.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct SampleColumns {
    /// The column of the input.
    pub input: String,
    /// The column of the reference, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The columns of accepted answers.
    pub references: Vec<String>,
    /// The columns that became `meta`.
    pub meta: Vec<String>,
}

/// The contents of a file of samples. They are not stored.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct SampleImport {
    /// The samples, in the form of `sample_data`.
    pub samples: Vec<SampleDocument>,
    /// The number of samples.
    pub count: u64,
    /// The detected format.
    pub format: String,
    /// The columns that were used.
    pub columns: SampleColumns,
    /// Possible mistakes in the file.
    pub warnings: Vec<String>,
}

impl From<TakenColumns> for SampleColumns {
    fn from(taken: TakenColumns) -> Self {
        let TakenColumns { input, reference, references, meta } = taken;
        Self { input, reference, references, meta }
    }
}

impl From<SampleFile> for SampleImport {
    fn from(file: SampleFile) -> Self {
        Self {
            count: file.samples.len() as u64,
            samples: file.samples.into_iter().map(SampleDocument::of_sample).collect(),
            format: file.format.as_str().to_owned(),
            columns: file.columns.into(),
            warnings: file.warnings,
        }
    }
}
