//! Stages that find the texts most similar to a query.

use super::{no_field, text, whole_number};
use crate::name::Name;
use crate::space::Field;
use crate::value::Value;

const FIELDS: &str = "endpoint, model and top_k";

/// Embeds a query and the texts from an earlier stage, and keeps the texts most similar to the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrieveStage {
    /// The earlier stage whose output is the list of texts.
    pub from: Name,
    /// The template of the query.
    pub query: String,
    /// The label of its endpoint; the default one where absent.
    pub endpoint: Option<String>,
    /// The requested embedding model.
    pub model: Option<String>,
    /// How many texts it keeps, at least 1.
    pub top_k: u32,
}

impl RetrieveStage {
    /// The default query: the sample's input.
    pub const DEFAULT_QUERY: &str = "{{ sample.input }}";

    pub(super) fn set(&mut self, field: &Field, value: &Value) -> Result<(), String> {
        match field {
            Field::Endpoint => self.endpoint = Some(text(value)?),
            Field::Model => self.model = Some(text(value)?),
            Field::TopK => self.top_k = whole_number("top_k", value, 1)?,
            field => return Err(no_field("a retrieve", field, FIELDS)),
        }
        Ok(())
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &String| Value::from(text.as_str());
        let fields = [
            ("from", Some(Value::from(self.from.as_str()))),
            ("query", Some(text(&self.query))),
            ("endpoint", self.endpoint.as_ref().map(text)),
            ("model", self.model.as_ref().map(text)),
            ("top_k", Some(Value::from(self.top_k))),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
