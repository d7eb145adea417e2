//! Imports: what a file of samples holds.

use application::samples::{SampleFile, TakenColumns};
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::Serialize;

use crate::experiment::SampleDocument;

/// The columns that samples were read from.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct SampleColumns {
    /// The input's.
    pub input: String,
    /// The reference's, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Those of the accepted answers.
    pub references: Vec<String>,
    /// Those that went to `meta`.
    pub meta: Vec<String>,
}

/// What a file of samples holds. Nothing of it is stored.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct SampleImport {
    /// The samples, as `sample_data` takes them.
    pub samples: Vec<SampleDocument>,
    /// How many there are.
    pub count: u64,
    /// The format that the file was read as.
    pub format: String,
    /// The columns that were taken.
    pub columns: SampleColumns,
    /// What whoever brings the file should know.
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
