//! The experiment file of the command line: the experiment, what it needs, and the sweep that it starts.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use application::sweeps::SweepRequest;
use domain::endpoint::{Endpoint, EndpointIdentity, EndpointKind, Limits, MaxTokensField};
use domain::experiment::Draft;
use domain::id::EndpointId;
use domain::money::NanoDollars;
use domain::pricing::Price;
use domain::problem::{Problem, segment};
use domain::sample;
use domain::secret::Secret;
use domain::sweep::{SweepKind, SweepLimits};
use poem_openapi::{Enum, Object};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::experiment::{DimensionDocument, Parts, SampleDocument, ScoringDocument, StageDocument};
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

/// Where samples come from.
#[derive(Debug, Clone)]
pub enum SampleSource {
    /// They stand in the document.
    Inline(Vec<SampleDocument>),
    /// They stand in a file of their own.
    File(SampleFile),
}

/// A file of samples.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleFile {
    /// The file, relative to the document.
    pub file: PathBuf,
    /// csv, json or jsonl; by its suffix where absent.
    pub format: Option<String>,
    /// What its columns are.
    #[serde(default)]
    pub columns: ColumnsDocument,
}

/// Which columns of a file are what.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnsDocument {
    /// The input's column.
    pub input: Option<String>,
    /// The reference's column.
    pub reference: Option<String>,
    /// Columns that go to `meta`; all that are left where absent.
    pub meta: Option<Vec<String>>,
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

/// The kinds of endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "EndpointKind", rename_all = "snake_case")]
pub enum KindDocument {
    /// A server that speaks chat completions.
    Openai,
    /// The built-in simulation.
    Simulated,
}

/// An endpoint that a file needs.
#[derive(Debug, Clone, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(rename = "EndpointDraft", deny_unknown_fields)]
#[expect(missing_docs, reason = "fields are those of the domain's endpoint")]
pub struct EndpointDocument {
    pub label: String,
    pub kind: KindDocument,
    pub url: Option<String>,
    pub api_key: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub prices: BTreeMap<String, PriceDocument>,
    #[serde(default)]
    #[oai(default)]
    pub limits: LimitsDocument,
    pub max_tokens_field: Option<MaxTokensFieldDocument>,
    pub max_output_tokens: Option<u32>,
    pub timeout_s: Option<f64>,
}

/// What a model costs, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Price", deny_unknown_fields)]
#[expect(missing_docs, reason = "fields are those of the domain's price")]
pub struct PriceDocument {
    pub input_per_million: f64,
    pub output_per_million: f64,
}

/// How much an endpoint bears.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(rename = "EndpointLimits", deny_unknown_fields)]
pub struct LimitsDocument {
    /// Calls in flight at once, from 1; 8 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(validator(minimum(value = "1")))]
    pub concurrency: Option<u32>,
}

/// Which field of a request carries the limit of output tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "MaxTokensField", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the fields")]
pub enum MaxTokensFieldDocument {
    MaxTokens,
    MaxCompletionTokens,
}

/// The kinds of sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "SweepRequestKind", rename_all = "snake_case")]
pub enum SweepKindDocument {
    /// Every combination.
    #[default]
    Grid,
    /// Seeded sampling.
    Random,
}

/// The sweep that a file starts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "fields are those of the sweep")]
pub struct SweepDocument {
    #[serde(default)]
    pub kind: SweepKindDocument,
    pub seed: Option<u64>,
    pub max_runs: Option<u64>,
    pub max_tokens: Option<u64>,
    pub max_cost: Option<f64>,
    #[serde(default)]
    pub strategy: StrategyDocument,
}

/// How a sweep's kind behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(rename = "SweepStrategy", deny_unknown_fields)]
pub struct StrategyDocument {
    /// Take a grid in a seeded order.
    pub shuffle: Option<bool>,
}

impl FileDocument {
    /// The experiment, with samples that were read from wherever they are.
    ///
    /// # Errors
    /// Fields that do not go together, each with its place.
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

/// One spelling of an experiment, for telling whether a file still describes the same one.
///
/// # Errors
/// Where serde cannot write it, which no draft meets.
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

impl EndpointDocument {
    /// The endpoint, under this id where it is new. `fill` puts values in the place of `${NAME}`.
    ///
    /// # Errors
    /// What is wrong with a field, each with its place in the endpoint.
    pub fn into_endpoint(
        self,
        id: EndpointId,
        fill: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Endpoint, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut filled = |field: &str, text: &str| {
            fill(text)
                .map_err(|e| problems.push(Problem::new(format!("/{field}"), "unset", e)))
                .unwrap_or_default()
        };
        let label = filled("label", &self.label);
        let key = self.api_key.as_deref().map(|key| filled("api_key", key));
        let url = self.url.as_deref().map(|url| filled("url", url));
        let identity = identity(self.kind, url.as_deref(), &mut problems);
        if label.trim().is_empty() || label.contains(char::is_control) {
            problems.push(Problem::new("/label", "invalid_name", "give the endpoint a label on one line"));
        }
        let prices = prices(self.prices, &mut problems);
        let timeout = timeout(self.timeout_s, &mut problems);
        let concurrency = positive("limits/concurrency", self.limits.concurrency, &mut problems);
        let max_output = positive("max_output_tokens", self.max_output_tokens, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Endpoint {
            id,
            label,
            identity,
            api_key: key.filter(|key| !key.is_empty()).map(Secret::new),
            prices,
            limits: concurrency.map_or_else(Limits::default, |concurrency| Limits { concurrency }),
            max_tokens_field: match self.max_tokens_field {
                Some(MaxTokensFieldDocument::MaxCompletionTokens) => MaxTokensField::MaxCompletionTokens,
                _ => MaxTokensField::MaxTokens,
            },
            max_output_tokens: max_output.map(NonZeroU32::get),
            timeout,
        })
    }
}

/// The address of the built-in simulation, which is none.
pub const SIMULATED_URL: &str = "simulated://built-in";

fn identity(kind: KindDocument, url: Option<&str>, problems: &mut Vec<Problem>) -> EndpointIdentity {
    let kind = match kind {
        KindDocument::Simulated => return EndpointIdentity::new(EndpointKind::Simulated, SIMULATED_URL),
        KindDocument::Openai => EndpointKind::OpenAi,
    };
    let url = url.unwrap_or_default();
    let is_http = url.split_once("://").is_some_and(|(scheme, rest)| {
        ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) && !rest.is_empty()
    });
    if !is_http || url.contains(char::is_whitespace) {
        let detail = format!(
            "an endpoint needs the base URL of its API, such as http://127.0.0.1:8000/v1, not `{url}`"
        );
        problems.push(Problem::new("/url", "invalid_url", detail));
    }
    EndpointIdentity::new(kind, url)
}

fn prices(prices: BTreeMap<String, PriceDocument>, problems: &mut Vec<Problem>) -> BTreeMap<String, Price> {
    let dollars =
        |amount: f64| NanoDollars::from_dollars(amount).filter(|amount| *amount >= NanoDollars::ZERO);
    let mut known = BTreeMap::new();
    for (model, price) in prices {
        match (dollars(price.input_per_million), dollars(price.output_per_million)) {
            (Some(input_per_million), Some(output_per_million)) => {
                known.insert(model, Price { input_per_million, output_per_million });
            }
            _ => {
                let pointer = format!("/prices/{}", segment(&model));
                problems.push(Problem::new(pointer, "out_of_range", "prices are US dollars from 0 up"));
            }
        }
    }
    known
}

fn positive(field: &str, number: Option<u32>, problems: &mut Vec<Problem>) -> Option<NonZeroU32> {
    let fits = number.map(NonZeroU32::new);
    if fits == Some(None) {
        let detail = format!("{} takes a whole number from 1 up", field.replace('/', "."));
        problems.push(Problem::new(format!("/{field}"), "out_of_range", detail));
    }
    fits.flatten()
}

/// The longest that an exchange may be allowed to take, in seconds.
const LONGEST_TIMEOUT: f64 = 86_400.0;

fn timeout(seconds: Option<f64>, problems: &mut Vec<Problem>) -> Duration {
    let Some(seconds) = seconds else { return Endpoint::DEFAULT_TIMEOUT };
    if seconds > 0.0 && seconds <= LONGEST_TIMEOUT {
        return Duration::from_secs_f64(seconds);
    }
    let detail = format!("timeout_s takes seconds above 0 and up to {LONGEST_TIMEOUT}, not {seconds}");
    problems.push(Problem::new("/timeout_s", "out_of_range", detail));
    Endpoint::DEFAULT_TIMEOUT
}

impl SweepDocument {
    /// The sweep to start.
    ///
    /// # Errors
    /// Limits that make no sense, each with its place in the sweep.
    pub fn into_request(self) -> Result<SweepRequest, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut positive = |field: &str, limit: Option<u64>| {
            if limit == Some(0) {
                let detail = format!("{field} takes a whole number from 1 up; leave it out for no limit");
                problems.push(Problem::new(format!("/{field}"), "out_of_range", detail));
            }
            limit
        };
        let (max_runs, max_tokens) =
            (positive("max_runs", self.max_runs), positive("max_tokens", self.max_tokens));
        let max_cost = self.max_cost.map(|dollars| {
            NanoDollars::from_dollars(dollars).filter(|cost| *cost > NanoDollars::ZERO).unwrap_or_else(|| {
                problems.push(Problem::new("/max_cost", "out_of_range", "max_cost takes US dollars above 0"));
                NanoDollars::ZERO
            })
        });
        let kind = match (self.kind, self.strategy.shuffle) {
            (SweepKindDocument::Grid, shuffle) => SweepKind::Grid { shuffle: shuffle.unwrap_or(false) },
            (SweepKindDocument::Random, None) => SweepKind::Random,
            (SweepKindDocument::Random, Some(_)) => {
                let detail = "shuffle is for grids: a random sweep has no order to shuffle";
                problems.push(Problem::new("/strategy/shuffle", "unexpected_field", detail));
                SweepKind::Random
            }
        };
        let limits = SweepLimits { max_runs, max_tokens, max_cost };
        if problems.is_empty() { Ok(SweepRequest { kind, seed: self.seed, limits }) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(endpoint.prices["m"].input_per_million, NanoDollars::new(150_000_000));
    }

    #[test]
    fn the_spelling_tells_experiments_apart_and_nothing_else() {
        let spelled = |text: &str| spelling(&document(text).into_draft(vec![]).unwrap()).unwrap();
        let same = FILE.replace("max_runs: 5", "max_runs: 9").replace("label: local", "label: other");
        assert_eq!(spelled(FILE), spelled(&same));
        assert_ne!(spelled(FILE), spelled(&FILE.replace("sample.input", "sample.meta")));
    }

    #[test]
    fn what_makes_no_sense_has_its_place() {
        for (endpoint, pointer) in [
            ("{label: a, kind: openai}", "/url"),
            ("{label: a, kind: openai, url: localhost}", "/url"),
            ("{label: ' ', kind: simulated}", "/label"),
            ("{label: a, kind: simulated, timeout_s: -1}", "/timeout_s"),
            (
                "{label: a, kind: simulated, prices: {m: {input_per_million: -1, output_per_million: 0}}}",
                "/prices/m",
            ),
        ] {
            let document: EndpointDocument = serde_saphyr::from_str(endpoint).unwrap();
            let problems = document.into_endpoint(EndpointId::new(1), fill).unwrap_err();
            assert_eq!(problems[0].pointer, pointer, "{endpoint}");
        }
        for (sweep, pointer) in [
            ("{max_runs: 0}", "/max_runs"),
            ("{max_cost: 0}", "/max_cost"),
            ("{kind: random, strategy: {shuffle: true}}", "/strategy/shuffle"),
        ] {
            let document: SweepDocument = serde_saphyr::from_str(sweep).unwrap();
            assert_eq!(document.into_request().unwrap_err()[0].pointer, pointer, "{sweep}");
        }
    }
}
