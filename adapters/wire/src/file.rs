//! Experiment files of the command line: an experiment, its endpoints, and the sweep to start.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use application::samples::{Columns, Reading};
use domain::experiment::Draft;
use domain::problem::Problem;
use domain::sample;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::dimension::DimensionDocument;
use crate::endpoint::EndpointDocument;
use crate::experiment::{Parts, SampleDocument, ScoringDocument, checks};
use crate::stage::StageDocument;
use crate::sweep::SweepDocument;
use crate::value::Any;

/// An experiment file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "fields are those of the experiment document")]
pub struct FileDocument {
    pub name: String,
    pub description: Option<String>,
    #[serde(default)]
    pub endpoints: Vec<EndpointDocument>,
    pub sample_data: SampleSource,
    #[serde(default)]
    pub documents: Vec<Any>,
    pub pipeline_stages: Vec<StageDocument>,
    pub scoring_config: Vec<ScoringDocument>,
    #[serde(default)]
    pub parameter_space: BTreeMap<String, DimensionDocument>,
    #[serde(default = "once")]
    pub repeats: u32,
    #[serde(default)]
    pub holdout: f64,
    #[serde(default)]
    pub sweep: SweepDocument,
}

const fn once() -> u32 {
    1
}

/// The source of samples.
#[derive(Debug, Clone)]
pub enum SampleSource {
    /// Inside the document.
    Inline(Vec<SampleDocument>),
    /// A separate file.
    File(SampleFile),
}

/// A file of samples.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleFile {
    /// The file, relative to the document.
    pub file: PathBuf,
    /// Its format; detected from its suffix and content where absent.
    pub format: Option<String>,
    /// The meaning of its columns.
    #[serde(default)]
    pub columns: ColumnsDocument,
}

/// The meaning of a file's columns. Columns without a given name are found by their usual names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnsDocument {
    /// The input's column.
    pub input: Option<String>,
    /// The reference's column.
    pub reference: Option<String>,
    /// The column with lists of accepted answers, or one column for each answer.
    pub references: Option<ColumnNames>,
    /// Columns for `meta`; all others where absent.
    pub meta: Option<Vec<String>>,
}

/// One column, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum ColumnNames {
    /// One column.
    One(String),
    /// Several columns.
    Many(Vec<String>),
}

impl SampleFile {
    /// How to read the file.
    #[must_use]
    pub fn into_reading(self) -> Reading {
        let name = self.file.to_string_lossy().into_owned();
        Reading { name, format: self.format, columns: self.columns.into_columns(), checks }
    }
}

impl ColumnsDocument {
    /// The named columns.
    #[must_use]
    pub fn into_columns(self) -> Columns {
        let references = self.references.map(|names| match names {
            ColumnNames::One(name) => vec![name],
            ColumnNames::Many(names) => names,
        });
        Columns { input: self.input, reference: self.reference, references, meta: self.meta }
    }
}

impl<'de> Deserialize<'de> for SampleSource {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SampleSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of samples, or {file: …}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<SampleSource, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(items)).map(SampleSource::Inline)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<SampleSource, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(fields)).map(SampleSource::File)
    }
}

impl FileDocument {
    /// The experiment, with samples that the caller has read.
    ///
    /// # Errors
    /// Fields that exclude each other, with their places.
    pub fn into_draft(self, samples: Vec<sample::Sample>) -> Result<Draft, Vec<Problem>> {
        let parts = Parts {
            documents: self.documents,
            pipeline_stages: self.pipeline_stages,
            scoring_config: self.scoring_config,
            parameter_space: self.parameter_space,
        };
        Ok(Draft {
            name: self.name,
            description: self.description,
            samples,
            repeats: self.repeats,
            holdout: self.holdout,
            ..parts.into_draft()?
        })
    }
}

/// The canonical text of an experiment, to detect whether a file still describes the same one.
///
/// # Errors
/// serde cannot write it, which does not happen for drafts.
pub fn spelling(draft: &Draft) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Whole<'a> {
        name: &'a str,
        description: Option<&'a str>,
        documents: Vec<Any>,
        stages: Vec<StageDocument>,
        scoring: Vec<ScoringDocument>,
        space: BTreeMap<String, DimensionDocument>,
        repeats: u32,
        holdout: f64,
        samples: String,
    }
    let parts = Parts::of_draft(draft);
    serde_json::to_string(&Whole {
        name: &draft.name,
        description: draft.description.as_deref(),
        documents: parts.documents,
        stages: parts.pipeline_stages,
        scoring: parts.scoring_config,
        space: parts.parameter_space,
        repeats: draft.repeats,
        holdout: draft.holdout,
        samples: sample::canonical(&draft.samples),
    })
}

#[cfg(test)]
mod tests {
    use domain::id::EndpointId;
    use domain::money::NanoDollars;
    use domain::sweep::SweepKind;

    use super::*;

    const FILE: &str = r#"
        name: triage
        endpoints: [{label: local, kind: openai, url: "http://${HOST}/v1", api_key: "${KEY}",
                     prices: {m: {input_per_million: 0.15, output_per_million: 0.6}}}]
        sample_data: {file: tickets.csv, columns: {input: text, reference: label}}
        pipeline_stages: [{name: classify, kind: llm, endpoint: local, model: m, prompt: "{{ sample.input }}"}]
        scoring_config: [{scorer: exact_match}]
        sweep: {kind: random, max_runs: 5, seed: 18446744073709551615}
    "#;

    fn document(text: &str) -> FileDocument {
        serde_saphyr::from_str(text).unwrap()
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands for one that may fail")]
    fn fill(text: &str) -> Result<String, String> {
        Ok(text.replace("${HOST}", "127.0.0.1:8000").replace("${KEY}", "secret"))
    }

    #[test]
    fn a_file_says_what_it_needs() {
        let document = document(FILE);
        let SampleSource::File(file) = &document.sample_data else { panic!("{document:?}") };
        assert_eq!(file.columns.input.as_deref(), Some("text"));
        let request = document.sweep.clone().into_request().unwrap();
        assert_eq!((request.kind, request.seed), (SweepKind::Random, Some(u64::MAX)));
        let endpoint = document.endpoints[0].clone().into_endpoint(EndpointId::new(1), fill).unwrap();
        assert_eq!(endpoint.identity.url, "http://127.0.0.1:8000/v1");
        assert_eq!(endpoint.api_key.unwrap().expose(), "secret");
        assert_eq!(endpoint.prices["m"].rates.input, NanoDollars::new(150_000_000));
    }

    #[test]
    fn the_spelling_tells_experiments_apart_and_nothing_else() {
        let spelled = |text: &str| spelling(&document(text).into_draft(vec![]).unwrap()).unwrap();
        let same = FILE.replace("max_runs: 5", "max_runs: 9").replace("label: local", "label: other");
        assert_eq!(spelled(FILE), spelled(&same));
        assert_ne!(spelled(FILE), spelled(&FILE.replace("sample.input", "sample.meta")));
    }
}
