//! Stages of a pipeline.

mod chunk;
mod http;
mod llm;
mod retrieve;

pub use chunk::{ChunkInput, ChunkStage};
pub use http::{HttpBody, HttpStage, check_header_value, check_url};
pub(crate) use llm::message;
pub use llm::{LlmStage, check_parameter, response_format};
pub use retrieve::RetrieveStage;

use crate::name::Name;
use crate::space::{Field, Parameter};
use crate::template::Template;
use crate::value::{Map, Value};

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name in templates and dimensions.
    pub name: Name,
    /// What it does.
    pub kind: StageKind,
}

/// What a stage does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageKind {
    /// Asks a chat model.
    Llm(LlmStage),
    /// Cuts texts into chunks.
    Chunk(ChunkStage),
    /// Finds the texts most similar to a query.
    Retrieve(RetrieveStage),
    /// Calls a service of the user's own.
    Http(HttpStage),
}

/// The endpoint and model of a stage's calls, as written in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTarget<'a> {
    /// The label of the endpoint; the default one where absent.
    pub endpoint: Option<&'a str>,
    /// The requested model.
    pub model: Option<&'a str>,
}

impl StageKind {
    /// The word for it in documents.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Llm(_) => "llm",
            Self::Chunk(_) => "chunk",
            Self::Retrieve(_) => "retrieve",
            Self::Http(_) => "http",
        }
    }
}

impl Stage {
    /// The endpoint and model of its calls; `None` if it calls no model.
    #[must_use]
    pub fn call_target(&self) -> Option<CallTarget<'_>> {
        let (endpoint, model) = match &self.kind {
            StageKind::Llm(stage) => (&stage.endpoint, &stage.model),
            StageKind::Retrieve(stage) => (&stage.endpoint, &stage.model),
            StageKind::Chunk(_) | StageKind::Http(_) => return None,
        };
        Some(CallTarget { endpoint: endpoint.as_deref(), model: model.as_deref() })
    }

    /// Whether it limits the output tokens of its calls itself.
    #[must_use]
    pub fn bounds_output(&self) -> bool {
        match &self.kind {
            StageKind::Llm(stage) => stage.parameters.contains_key(Parameter::MaxTokens.as_str()),
            StageKind::Chunk(_) | StageKind::Retrieve(_) | StageKind::Http(_) => true,
        }
    }

    /// Sets one of the stage's fields to a value, as a dimension does.
    ///
    /// # Errors
    /// The field does not accept the value, and why. Nothing has changed then.
    pub fn set(&mut self, field: &Field, value: &Value) -> Result<(), String> {
        match &mut self.kind {
            StageKind::Llm(stage) => stage.set(field, value),
            StageKind::Chunk(stage) => stage.set(field, value),
            StageKind::Retrieve(stage) => stage.set(field, value),
            StageKind::Http(stage) => stage.set(field, value),
        }
    }

    /// All templates of the stage, with their places in the stage.
    #[must_use]
    pub fn templates(&self) -> Vec<(String, &str)> {
        match &self.kind {
            StageKind::Llm(stage) => stage.templates().collect(),
            StageKind::Chunk(stage) => stage.templates().into_iter().collect(),
            StageKind::Retrieve(stage) => vec![("/query".to_owned(), stage.query.as_str())],
            StageKind::Http(stage) => stage.templates(),
        }
    }

    /// Whether one of its templates uses the sample's reference, which is meant for scorers.
    #[must_use]
    pub fn reads_reference(&self) -> bool {
        self.templates().into_iter().any(|(_, source)| {
            let references = Template::parse(source).map(|template| template.references()).unwrap_or_default();
            references.iter().any(|read| matches!(read.path.as_slice(), [sample, reference, ..] if sample == "sample" && reference == "reference"))
        })
    }

    /// The stage as documents write it, without absent and empty fields.
    #[must_use]
    pub fn fields(&self) -> Map {
        let fields = match &self.kind {
            StageKind::Llm(stage) => stage.fields(),
            StageKind::Chunk(stage) => stage.fields(),
            StageKind::Retrieve(stage) => stage.fields(),
            StageKind::Http(stage) => stage.fields(),
        };
        let kind = Value::from(self.kind.as_str());
        let named = [("name", Value::from(self.name.as_str())), ("kind", kind)];
        named.into_iter().chain(fields).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn text(value: &Value) -> Result<String, String> {
    value.as_text().map(str::to_owned).ok_or_else(|| format!("this field takes a text, not {}", value.kind()))
}

fn whole_number(field: &str, value: &Value, least: u32) -> Result<u32, String> {
    let number = value.as_number().and_then(crate::value::Number::as_u64);
    let number = number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number >= least);
    number.ok_or_else(|| format!("{field} takes a whole number from {least} to {}, not {value}", u32::MAX))
}

fn no_field(kind: &str, field: &Field, fields: &str) -> String {
    format!("{kind} stage has no `{field}`: its fields are {fields}")
}
