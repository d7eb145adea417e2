//! Takes a sample through the stages of a configuration: which calls a stage needs, and which output their answers
//! give. It makes no calls itself.

mod chunk;
mod http;
mod index;
mod llm;
mod progress;
mod recall;
mod render;
mod retrieve;

pub use recall::Recollection;

use self::chunk::CompiledChunk;
use self::http::CompiledHttp;
pub use self::index::{Corpus, Index, Search};
use self::llm::CompiledLlm;
pub use self::progress::{SampleProgress, StageOutput};
use self::render::{LITTLE, Quickly, Render, Wholly, parsed, template_error};
use self::retrieve::CompiledRetrieve;
use crate::call::{Call, Reply};
use crate::configuration::{Configuration, ConfiguredStage};
use crate::run::{ErrorKind, StageError};
use crate::stage::StageKind;
use crate::template::Scope;
use crate::value::{Map, Value};

/// A configuration whose templates are parsed.
#[derive(Debug, Clone)]
pub struct Pipeline {
    stages: Vec<CompiledStage>,
    params: Value,
}

/// A stage whose templates are parsed.
#[derive(Debug, Clone)]
pub struct CompiledStage {
    name: String,
    kind: CompiledKind,
}

#[derive(Debug, Clone)]
enum CompiledKind {
    Llm(CompiledLlm),
    Chunk(CompiledChunk),
    Retrieve(CompiledRetrieve),
    Http(CompiledHttp),
}

/// What a stage needs to produce its output.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing more: this is the output.
    Output(StageOutput),
    /// Answers to these calls, at least one: see [`Pipeline::finish`].
    Calls(Vec<Call>),
    /// The answer to a query, and the index of a corpus that all samples share: see [`Pipeline::search`].
    Search(Box<Search>),
}

impl Pipeline {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// The first stage that is invalid, by its index, and why.
    pub fn try_new(configuration: &Configuration) -> Result<Self, (usize, StageError)> {
        let mut stages: Vec<CompiledStage> = Vec::with_capacity(configuration.stages.len());
        for (i, stage) in configuration.stages.iter().enumerate() {
            let compiled = CompiledStage::new(stage, &stages).map_err(|error| (i, error))?;
            stages.push(compiled);
        }
        Ok(Self { stages, params: Value::Map(configuration.params.clone()) })
    }

    /// Its stages, in order.
    #[must_use]
    pub fn stages(&self) -> &[CompiledStage] {
        &self.stages
    }

    /// Whether some stage calls a service of the user's own.
    #[must_use]
    pub fn calls_services(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage.kind, CompiledKind::Http(_)))
    }

    /// Determines what a stage needs.
    ///
    /// # Errors
    /// A template uses a missing name, or an earlier output has the wrong type.
    ///
    /// # Panics
    /// Never for a stage index below the number of stages.
    pub fn begin(
        &self,
        stage: usize,
        progress: &SampleProgress,
        documents: &Value,
        repeat: u32,
    ) -> Result<Step, StageError> {
        let render = Wholly(self.scope(progress, documents));
        let begun = self.stages[stage].begin(progress, (&self.params, documents), repeat, &render);
        begun.unwrap_or_else(|| Err(StageError::new(ErrorKind::Internal, "the stage was not worked out")))
    }

    /// The same if it takes little time; `None` if it takes more.
    #[must_use]
    pub fn begin_quickly(
        &self,
        stage: usize,
        progress: &SampleProgress,
        documents: &Value,
        repeat: u32,
    ) -> Option<Step> {
        let render = Quickly(self.scope(progress, documents));
        self.stages.get(stage)?.begin(progress, (&self.params, documents), repeat, &render)?.ok()
    }

    /// The output of a stage, given the answers to its calls in their order. `read_json` returns `None` for a text
    /// that is not JSON.
    ///
    /// # Errors
    /// The answers do not match the stage's calls, or are not what the stage has to answer.
    ///
    /// # Panics
    /// Never for a stage index below the number of stages.
    pub fn finish(
        &self,
        stage: usize,
        progress: &SampleProgress,
        replies: &[&Reply],
        read_json: impl Fn(&str) -> Option<Value>,
    ) -> Result<Value, StageError> {
        let CompiledStage { name, kind } = &self.stages[stage];
        match kind {
            CompiledKind::Llm(llm) => llm.finish(name, replies, read_json),
            CompiledKind::Http(http) => http.finish(name, replies, read_json),
            CompiledKind::Chunk(_) => Err(StageError::new(ErrorKind::Internal, "a chunk stage has no calls")),
            CompiledKind::Retrieve(retrieve) => retrieve.finish(progress, replies),
        }
    }

    /// The output of a stage that searches a corpus, given its index and the answer to its query.
    ///
    /// # Errors
    /// The answer is no vector of the index's length.
    ///
    /// # Panics
    /// Never for a stage index below the number of stages.
    pub fn search(&self, stage: usize, index: &Index, query: &Reply) -> Result<Value, StageError> {
        match &self.stages[stage].kind {
            CompiledKind::Retrieve(retrieve) => retrieve.search(index, query),
            CompiledKind::Llm(_) | CompiledKind::Http(_) | CompiledKind::Chunk(_) => {
                Err(StageError::new(ErrorKind::Internal, "this stage searches nothing"))
            }
        }
    }

    /// What services that score are told beside the output: `vars` is the sample's input.
    #[must_use]
    pub fn scorer_context(&self, progress: &SampleProgress) -> Map {
        let of_sample = |name, field| Some((name, progress.sample().as_map()?.get(field)?.clone()));
        let sample =
            [("vars", "input"), ("reference", "reference"), ("meta", "meta"), ("sample_index", "index")];
        let sample = sample.into_iter().filter_map(|(name, field)| of_sample(name, field));
        let run = [("params", self.params.clone()), ("stages", progress.stages_value())];
        sample.chain(run).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The scope of templates in the options of scorers.
    #[must_use]
    pub fn scorer_scope<'a>(&'a self, progress: &'a SampleProgress) -> Scope<'a> {
        Scope::new()
            .with("sample", progress.sample())
            .with("params", &self.params)
            .with_map("stages", progress.stages())
    }

    fn scope<'a>(&'a self, progress: &'a SampleProgress, documents: &'a Value) -> Scope<'a> {
        let scope = self.scorer_scope(progress).with("documents", documents);
        match progress.previous() {
            Some(previous) => scope.with("previous", previous),
            None => scope,
        }
    }
}

impl CompiledStage {
    fn new(configured: &ConfiguredStage, earlier: &[Self]) -> Result<Self, StageError> {
        let stage = &configured.stage;
        let bound = || {
            let missing = || StageError::new(ErrorKind::Configuration, "the stage has no endpoint");
            configured.binding.clone().ok_or_else(missing)
        };
        let kind = match &stage.kind {
            StageKind::Llm(llm) => CompiledKind::Llm(CompiledLlm::new(llm, bound()?)?),
            StageKind::Chunk(chunk) => CompiledKind::Chunk(CompiledChunk::new(chunk)?),
            StageKind::Http(http) => CompiledKind::Http(CompiledHttp::new(http)?),
            StageKind::Retrieve(retrieve) => {
                let from = earlier.iter().find(|stage| stage.name == retrieve.from.as_str());
                let shared = from.and_then(Self::shared_key);
                CompiledKind::Retrieve(CompiledRetrieve::new(retrieve, bound()?, shared)?)
            }
        };
        Ok(Self { name: stage.name.as_str().to_owned(), kind })
    }

    /// The key of its output, where that is the same for every sample.
    fn shared_key(&self) -> Option<&str> {
        match &self.kind {
            CompiledKind::Chunk(chunk) => chunk.shared_key(),
            CompiledKind::Llm(_) | CompiledKind::Http(_) | CompiledKind::Retrieve(_) => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether reading answers of this size takes long.
    #[must_use]
    pub const fn reads_slowly(&self, bytes: usize) -> bool {
        match &self.kind {
            CompiledKind::Llm(llm) => llm.answers_json() && bytes > LITTLE,
            CompiledKind::Chunk(_) | CompiledKind::Retrieve(_) | CompiledKind::Http(_) => bytes > LITTLE,
        }
    }

    /// The limit of output tokens for each of its calls, or 0 for calls without output.
    #[must_use]
    pub fn max_tokens(&self) -> Option<u64> {
        match &self.kind {
            CompiledKind::Llm(llm) => llm.max_tokens(),
            CompiledKind::Chunk(_) | CompiledKind::Retrieve(_) | CompiledKind::Http(_) => Some(0),
        }
    }

    fn begin(
        &self,
        progress: &SampleProgress,
        (params, documents): (&Value, &Value),
        repeat: u32,
        render: &impl Render,
    ) -> Option<Result<Step, StageError>> {
        match &self.kind {
            CompiledKind::Http(http) => http.begin(progress, params, repeat, render),
            CompiledKind::Llm(llm) => llm.begin(repeat, render),
            CompiledKind::Chunk(chunk) => chunk.begin(documents, render),
            CompiledKind::Retrieve(retrieve) => retrieve.begin(progress, render),
        }
    }
}

#[cfg(test)]
mod tests;
