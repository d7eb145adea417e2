//! Stages that cut a text, or the experiment's documents, into pieces.

use super::{no_field, whole_number};
use crate::space::Field;
use crate::text_unit::TextUnit;
use crate::value::Value;

const FIELDS: &str = "chunk_size and chunk_overlap";

/// Cuts texts into overlapping chunks; its output is a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkStage {
    /// The texts to cut.
    pub input: ChunkInput,
    /// The unit of sizes.
    pub unit: TextUnit,
    /// The length of a chunk, from 1.
    pub size: u32,
    /// The overlap of consecutive chunks; less than the size.
    pub overlap: u32,
}

/// The texts that a stage cuts into chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkInput {
    /// A text: a template.
    Template(String),
    /// Each of the experiment's documents.
    Documents,
}

impl ChunkInput {
    /// The sample's input.
    pub const DEFAULT: &str = "{{ sample.input }}";
    /// The word for the experiment's documents.
    pub const DOCUMENTS: &str = "documents";

    /// The input as documents write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Template(source) => source,
            Self::Documents => Self::DOCUMENTS,
        }
    }

    /// Parses the input; the default is the sample's input.
    #[must_use]
    pub fn parse(text: Option<String>) -> Self {
        match text {
            Some(text) if text == Self::DOCUMENTS => Self::Documents,
            text => Self::Template(text.unwrap_or_else(|| Self::DEFAULT.to_owned())),
        }
    }
}

impl ChunkStage {
    pub(super) fn set(&mut self, field: &Field, value: &Value) -> Result<(), String> {
        match field {
            Field::ChunkSize => self.size = whole_number("chunk_size", value, 1)?,
            Field::ChunkOverlap => self.overlap = whole_number("chunk_overlap", value, 0)?,
            field => return Err(no_field("a chunk", field, FIELDS)),
        }
        Ok(())
    }

    pub(super) fn templates(&self) -> Option<(String, &str)> {
        match &self.input {
            ChunkInput::Template(source) => Some(("/input".to_owned(), source)),
            ChunkInput::Documents => None,
        }
    }

    pub(crate) fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("input", Value::from(self.input.as_str())),
            ("unit", Value::from(self.unit.as_str())),
            ("chunk_size", Value::from(self.size)),
            ("chunk_overlap", Value::from(self.overlap)),
        ]
    }
}
