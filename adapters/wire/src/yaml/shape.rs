//! Determines where a document allows texts, and where only numbers.

use super::tree::Node;

/// The shape of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// An experiment file.
    File,
    /// Values that may be texts at every place.
    Texts,
}

/// How to read a plain scalar whose canonical notation differs from what is written, such as `12.50`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As the text that is written.
    Text,
    /// As the number or boolean, because a text is not allowed here.
    Value,
    /// As an error, because both are possible.
    Refuse,
}

/// A position in a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Position<'a> {
    File,
    Samples,
    Sample,
    Stages,
    Stage,
    Parameters,
    Entries,
    Entry,
    Options,
    /// The parameter space, with its node.
    Space(&'a Node),
    /// A dimension: the node of its space, and its own.
    Dimension(&'a Node, &'a Node),
    /// The conditions of a dimension of this space.
    When(&'a Node),
    /// A part in which all scalars are read the same way.
    All(Reading),
}

/// Inference parameters and other fields of stages with numbers.
const NUMBERS: [&str; 9] = [
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "chunk_size",
    "chunk_overlap",
    "top_k",
];

/// Options of scorers, and fields of their parts, with numbers or booleans.
const OPTION_VALUES: [&str; 14] = [
    "min",
    "max",
    "max_tokens",
    "target_ms",
    "target",
    "timeout_ms",
    "timeout_s",
    "scale",
    "labels",
    "weight",
    "ignore_case",
    "whole_word",
    "trim",
    "find",
];

impl Shape {
    pub(super) const fn root<'a>(self) -> Position<'a> {
        match self {
            Self::File => Position::File,
            Self::Texts => Position::All(Reading::Text),
        }
    }
}

impl<'a> Position<'a> {
    /// The position of a field, given the node of its value.
    pub(super) fn field(self, name: &str, node: &'a Node) -> Self {
        match self {
            Self::File => match name {
                "sample_data" => Self::Samples,
                "documents" => Self::All(Reading::Text),
                "pipeline_stages" => Self::Stages,
                "scoring_config" => Self::Entries,
                "parameter_space" => Self::Space(node),
                _ => Self::All(Reading::Value),
            },
            Self::Sample if name == "checks" => Self::Entries,
            Self::Stage => match name {
                "parameters" => Self::Parameters,
                "extra" | "response_format" | "body" => Self::All(Reading::Refuse),
                _ => Self::All(Reading::Text),
            },
            Self::Parameters if NUMBERS.contains(&name) => Self::All(Reading::Value),
            Self::Entry if name == "options" => Self::Options,
            Self::Options if OPTION_VALUES.contains(&name) => Self::All(Reading::Value),
            Self::Options if name == "criteria" => Self::Options,
            Self::Options if name == "schema" => Self::All(Reading::Refuse),
            Self::Space(space) => Self::Dimension(space, node),
            Self::Dimension(space, _) if name == "when" => Self::When(space),
            Self::Dimension(_, dimension) => Self::All(of_dimension(dimension)),
            Self::When(space) => {
                Self::All(space.field(name).map_or(Reading::Text, |dimension| of_dimension(dimension)))
            }
            Self::All(_) => self,
            _ => Self::All(Reading::Text),
        }
    }

    /// The position of an item of a list.
    pub(super) const fn item(self) -> Self {
        match self {
            Self::Samples => Self::Sample,
            Self::Stages => Self::Stage,
            Self::Entries => Self::Entry,
            other => other,
        }
    }

    pub(super) const fn reading(self) -> Reading {
        if let Self::All(reading) = self { reading } else { Reading::Text }
    }
}

/// How the values of a dimension are read.
fn of_dimension(dimension: &Node) -> Reading {
    let text = |name: &str| dimension.field(name).and_then(|node| node.text());
    if matches!(text("type"), Some("int" | "float")) {
        return Reading::Value;
    }
    let target = text("target").and_then(|target| target.split_once('.'));
    match target {
        Some((_, field)) if NUMBERS.contains(&field) => Reading::Value,
        Some((_, field)) if field == "response_format" || field.starts_with("extra.") => Reading::Refuse,
        _ => Reading::Text,
    }
}
