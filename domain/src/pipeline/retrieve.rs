//! Finds the texts most similar to a query, by the cosine of their embeddings.

use super::chunk::MAX_CHUNKS;
use super::index::{Corpus, Index, Search, embed, found_text, malformed, vectors};
use super::{Render, SampleProgress, StageOutput, Step, parsed};
use crate::call::Reply;
use crate::configuration::Binding;
use crate::run::{ErrorKind, StageError};
use crate::stage::RetrieveStage;
use crate::template::Template;
use crate::value::Value;

/// A `retrieve` stage whose template is parsed.
#[derive(Debug, Clone)]
pub(super) struct CompiledRetrieve {
    from: String,
    query: Template,
    binding: Binding,
    top_k: usize,
    /// The key of its corpus, where its texts are the same for every sample.
    corpus: Option<String>,
}

impl CompiledRetrieve {
    /// A stage whose texts come from a stage with this key, where they are the same for every sample.
    pub(super) fn new(
        stage: &RetrieveStage,
        binding: Binding,
        shared: Option<&str>,
    ) -> Result<Self, StageError> {
        let (from, top_k) = (stage.from.as_str().to_owned(), stage.top_k as usize);
        let corpus = shared.map(|texts| {
            let endpoint = &binding.endpoint;
            let parts = [endpoint.kind.as_str(), &endpoint.url, &binding.model, texts];
            Value::List(parts.map(Value::from).to_vec()).canonical()
        });
        Ok(Self { from, query: parsed(&stage.query)?, binding, top_k, corpus })
    }

    /// The call for the query, then one for each text, unless all samples share them. Without texts there are no calls.
    pub(super) fn begin(
        &self,
        progress: &SampleProgress,
        render: &impl Render,
    ) -> Option<Result<Step, StageError>> {
        let begun = match self.shared_texts(progress) {
            Some((key, texts)) => self.begin_search(key, texts, render)?,
            None => self.begin_calls(progress, render)?,
        };
        Some(begun)
    }

    fn begin_search(
        &self,
        key: &str,
        texts: StageOutput,
        render: &impl Render,
    ) -> Option<Result<Step, StageError>> {
        if texts.value().as_list().is_none_or(<[Value]>::is_empty) {
            return Some(Ok(nothing()));
        }
        Some(render.render(&self.query)?.map(|query| {
            let corpus = Corpus { key: key.to_owned(), texts, binding: self.binding.clone() };
            Step::Search(Box::new(Search { query: embed(&self.binding, &query), corpus }))
        }))
    }

    fn begin_calls(
        &self,
        progress: &SampleProgress,
        render: &impl Render,
    ) -> Option<Result<Step, StageError>> {
        let texts = match self.texts(progress) {
            Ok(texts) if texts.is_empty() => return Some(Ok(nothing())),
            Ok(texts) => texts,
            Err(error) => return Some(Err(error)),
        };
        if !render.takes(texts.iter().map(|text| text.len()).sum()) {
            return None;
        }
        Some(render.render(&self.query)?.map(|query| {
            let all = std::iter::once(query.as_str()).chain(texts);
            Step::Calls(all.map(|text| embed(&self.binding, text)).collect())
        }))
    }

    /// The texts that all samples share, with the key of their corpus.
    fn shared_texts(&self, progress: &SampleProgress) -> Option<(&str, StageOutput)> {
        Some((self.corpus.as_deref()?, progress.stage_output(&self.from)?))
    }

    /// The texts from the earlier stage.
    fn texts<'a>(&self, progress: &'a SampleProgress) -> Result<Vec<&'a str>, StageError> {
        let from = &self.from;
        let wrong = |what: &str| {
            StageError::new(ErrorKind::WrongInput, format!("the output of stage `{from}` {what}"))
        };
        let output = progress.output(from).ok_or_else(|| wrong("is not there"))?;
        let texts = output.as_list().ok_or_else(|| wrong("is not a list of texts"))?;
        if texts.len() > MAX_CHUNKS {
            return Err(wrong(&format!("has more than {MAX_CHUNKS} texts")));
        }
        texts.iter().map(|text| text.as_text().ok_or_else(|| wrong("is not a list of texts"))).collect()
    }

    /// The most similar of the sample's own texts.
    pub(super) fn finish(&self, progress: &SampleProgress, replies: &[&Reply]) -> Result<Value, StageError> {
        self.texts(progress)?;
        let vectors = vectors(replies)?;
        let split = vectors.split_first();
        let (query, vectors) = split.ok_or_else(|| malformed("there is no embedding of the query"))?;
        let texts = progress.stage_output(&self.from).unwrap_or_default();
        Index::try_new(texts, vectors)?.search(query, self.top_k)
    }

    /// The texts at these places again, with their scores; `None` where the places are none of the texts'.
    pub(super) fn recall(
        &self,
        progress: &SampleProgress,
        found: &Value,
    ) -> Result<Option<Value>, StageError> {
        let texts = self.texts(progress)?;
        let place = |found: &Value| {
            let [index, score] = found.as_list()? else { return None };
            let index = usize::try_from(index.as_number()?.as_u64()?).ok()?;
            Some((index, *texts.get(index)?, score.as_number()?.as_f64()))
        };
        let found: Option<Vec<_>> = found.as_list().and_then(|found| found.iter().map(place).collect());
        let listed = |(index, text, score)| found_text(index, Value::from(text), score);
        Ok(found.map(|found| Value::List(found.into_iter().map(listed).collect())))
    }

    /// The most similar texts of its corpus.
    pub(super) fn search(&self, index: &Index, query: &Reply) -> Result<Value, StageError> {
        let query = query.embedding().ok_or_else(|| malformed("an answer is not an embedding"))?;
        index.search(query, self.top_k)
    }
}

fn nothing() -> Step {
    Step::Output(Value::List(Vec::new()).into())
}
