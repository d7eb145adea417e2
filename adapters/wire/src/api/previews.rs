//! Previews: a pipeline applied to one sample.

use application::preview;
use domain::call::{Call, EmbedCall};
use domain::value::Value;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ExperimentDraft;
use crate::value::{Any, AnyMap, from_map};

/// A request to preview a pipeline for one sample.
#[derive(Debug, Clone, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The experiment, which need not be stored.
    pub document: ExperimentDraft,
    /// The sample, from 0.
    #[serde(default)]
    #[oai(default)]
    pub sample_index: u32,
    /// The point of the space; its first one where absent.
    #[serde(default)]
    pub values: Option<AnyMap>,
    /// Whether to make the calls.
    #[serde(default)]
    #[oai(default)]
    pub call: bool,
}

/// The requests of one stage.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct PreviewStage {
    /// Its name.
    pub stage: String,
    /// The model, if the stage calls one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The conversation, a list of `{role, content}`, if the stage calls a chat model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Any>,
    /// The texts for an embedding model: `{texts, input}`, their number and the first of them. Or what is sent to a
    /// service: `{method, url, headers, body}`, of whose headers only the names are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Any>,
    /// The inference parameters.
    pub parameters: AnyMap,
    /// Its output, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Any>,
}

/// The preview of a pipeline for one sample.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Preview {
    /// Its stages, up to the first that needs an unknown output.
    pub stages: Vec<PreviewStage>,
    /// Possible mistakes in the experiment.
    pub warnings: Vec<String>,
}

impl From<preview::Preview> for Preview {
    fn from(preview: preview::Preview) -> Self {
        let stages = preview.stages.into_iter().map(PreviewStage::from);
        Self { stages: stages.collect(), warnings: preview.warnings }
    }
}

/// The most texts for an embedding model that a preview shows.
const SHOWN_TEXTS: usize = 20;

impl From<preview::StagePreview> for PreviewStage {
    fn from(shown: preview::StagePreview) -> Self {
        let first = shown.calls.first().map(|call| &**call);
        let messages = match first {
            Some(Call::Chat(call)) => Some(Any(call.messages_value())),
            _ => None,
        };
        let embeds: Vec<&EmbedCall> = shown.calls.iter().filter_map(|call| call.as_embed()).collect();
        let texts = embeds.iter().take(SHOWN_TEXTS).map(|call| Value::from(call.text.as_str()));
        let embedding = || {
            let count = Value::from(embeds.len() as u64);
            Value::from([("texts", count), ("input", Value::List(texts.collect()))])
        };
        let request = match first {
            Some(Call::Http(call)) => Some(call.request_value()),
            _ => (!embeds.is_empty()).then(embedding),
        };
        Self {
            stage: shown.stage,
            model: first.and_then(|call| call.model()).map(str::to_owned),
            messages,
            request: request.map(Any),
            parameters: first.map(|call| from_map(&call.parameters())).unwrap_or_default(),
            output: shown.output.map(Any),
        }
    }
}
