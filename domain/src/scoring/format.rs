//! Formats of outputs. They are only described here, and checked outside the domain.

use super::options::Options;
use crate::value::{Map, Value};

/// A format that an output should have.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// JSON.
    Json,
    /// JSON that is valid against this schema.
    JsonSchema(Value),
    /// Markdown with these headings, of any level.
    Markdown {
        /// The texts of the headings; at least one.
        headings: Vec<String>,
    },
    /// A text in which this regular expression matches.
    Regex(String),
    /// Well-formed XML.
    Xml,
    /// YAML.
    Yaml,
    /// CSV with a header that contains these columns, and rows as long as the header.
    Csv {
        /// Names that the header must have.
        columns: Vec<String>,
    },
}

const FORMATS: [&str; 7] = ["json", "json_schema", "markdown", "regex", "xml", "yaml", "csv"];

impl Format {
    /// The options of the `format` scorer that denote it.
    #[must_use]
    pub fn options(&self) -> Map {
        let texts = |texts: &[String]| Value::List(texts.iter().map(|text| text.as_str().into()).collect());
        let (kind, option) = match self {
            Self::Json => ("json", None),
            Self::JsonSchema(schema) => ("json_schema", Some(("schema", schema.clone()))),
            Self::Markdown { headings } => ("markdown", Some(("headings", texts(headings)))),
            Self::Regex(pattern) => ("regex", Some(("pattern", Value::from(pattern.as_str())))),
            Self::Xml => ("xml", None),
            Self::Yaml => ("yaml", None),
            Self::Csv { columns } => ("csv", Some(("columns", texts(columns)))),
        };
        let kind = ("type", Value::from(kind));
        std::iter::once(kind).chain(option).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        let kind = options.word("type", &FORMATS, None)?;
        match kind {
            "json" => Some(Self::Json),
            "json_schema" => options.required("schema").cloned().map(Self::JsonSchema),
            "markdown" => {
                let headings = options.texts("headings");
                if headings.is_empty() && !options.may_come(&["headings"]) {
                    options.wrong("headings", "missing", "name the headings that the markdown must have");
                }
                Some(Self::Markdown { headings })
            }
            "regex" => options.required_text("pattern").map(Self::Regex),
            "xml" => Some(Self::Xml),
            "yaml" => Some(Self::Yaml),
            _ => Some(Self::Csv { columns: options.texts("columns") }),
        }
    }
}
