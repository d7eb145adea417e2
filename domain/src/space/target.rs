use std::fmt;

use crate::name::Name;

/// An inference parameter of chat completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// The randomness of token selection.
    Temperature,
    /// The share of probability from which tokens are selected.
    TopP,
    /// The limit of output tokens.
    MaxTokens,
    /// Texts that end the answer.
    Stop,
    /// The server's seed.
    Seed,
    /// The penalty for frequent tokens.
    FrequencyPenalty,
    /// The penalty for repeated tokens.
    PresencePenalty,
    /// How much the model reasons.
    ReasoningEffort,
    /// How long the answer is.
    Verbosity,
}

impl Parameter {
    /// Every parameter there is.
    pub const ALL: [Self; 9] = [
        Self::Temperature,
        Self::TopP,
        Self::MaxTokens,
        Self::Stop,
        Self::Seed,
        Self::FrequencyPenalty,
        Self::PresencePenalty,
        Self::ReasoningEffort,
        Self::Verbosity,
    ];

    /// Its name in requests and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::MaxTokens => "max_tokens",
            Self::Stop => "stop",
            Self::Seed => "seed",
            Self::FrequencyPenalty => "frequency_penalty",
            Self::PresencePenalty => "presence_penalty",
            Self::ReasoningEffort => "reasoning_effort",
            Self::Verbosity => "verbosity",
        }
    }

    /// The parameter with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.as_str() == name)
    }
}

/// A field of a stage that a dimension can set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The endpoint, by its label.
    Endpoint,
    /// The model.
    Model,
    /// The system prompt.
    System,
    /// The prompt.
    Prompt,
    /// The few-shot messages.
    Messages,
    /// The requested form of the answer.
    ResponseFormat,
    /// An inference parameter.
    Parameter(Parameter),
    /// A further field of the request.
    Extra(String),
    /// The length of a chunk.
    ChunkSize,
    /// The overlap of consecutive chunks.
    ChunkOverlap,
    /// The number of texts that a retrieval keeps.
    TopK,
    /// The URL of a service.
    Url,
}

/// The target of a dimension: a field of a stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The stage.
    pub stage: Name,
    /// The field.
    pub field: Field,
}

/// A text that does not name a field of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTarget(String);

impl Target {
    /// Reads `STAGE.FIELD`, or `STAGE.extra.KEY`.
    ///
    /// # Errors
    /// [`InvalidTarget`], which lists the existing fields.
    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        let wrong = || InvalidTarget(text.to_owned());
        let (stage, field) = text.split_once('.').ok_or_else(wrong)?;
        let stage = Name::try_new(stage).map_err(|_| wrong())?;
        Ok(Self { stage, field: Field::parse(field).ok_or_else(wrong)? })
    }
}

impl Field {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "endpoint" => Self::Endpoint,
            "model" => Self::Model,
            "system" => Self::System,
            "prompt" => Self::Prompt,
            "messages" => Self::Messages,
            "response_format" => Self::ResponseFormat,
            "chunk_size" => Self::ChunkSize,
            "chunk_overlap" => Self::ChunkOverlap,
            "top_k" => Self::TopK,
            "url" => Self::Url,
            _ => match text.split_once('.') {
                Some(("extra", key)) if !key.is_empty() => Self::Extra(key.to_owned()),
                Some(_) => return None,
                None => Self::Parameter(Parameter::parse(text)?),
            },
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.stage.as_str(), self.field)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "endpoint",
            Self::Model => "model",
            Self::System => "system",
            Self::Prompt => "prompt",
            Self::Messages => "messages",
            Self::ResponseFormat => "response_format",
            Self::ChunkSize => "chunk_size",
            Self::ChunkOverlap => "chunk_overlap",
            Self::TopK => "top_k",
            Self::Url => "url",
            Self::Parameter(parameter) => parameter.as_str(),
            Self::Extra(key) => return write!(f, "extra.{key}"),
        })
    }
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<_> = Parameter::ALL.iter().map(|parameter| parameter.as_str()).collect();
        write!(
            f,
            "unknown target `{}`. Use STAGE.FIELD, where FIELD is one of endpoint, model, system, prompt, messages, \
             response_format, {}, extra.KEY, chunk_size, chunk_overlap, top_k or url",
            self.0.escape_debug(),
            parameters.join(", ")
        )
    }
}

impl std::error::Error for InvalidTarget {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_a_field_of_a_stage() {
        let field = |text| Target::parse(text).map(|target| target.field).ok();
        assert_eq!(field("a.temperature"), Some(Field::Parameter(Parameter::Temperature)));
        assert_eq!(field("a.extra.top_k"), Some(Field::Extra("top_k".into())));
        assert_eq!(field("a.prompt"), Some(Field::Prompt));
        for text in [
            "a.temperature",
            "a.extra.top.k",
            "a.response_format",
            "a.chunk_size",
            "a.chunk_overlap",
            "a.top_k",
            "a.url",
        ] {
            assert_eq!(Target::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "a", "a.", ".prompt", "a.extra.", "a.prompt.x", "1a.prompt"] {
            assert_eq!(field(wrong), None, "{wrong}");
        }
    }
}
