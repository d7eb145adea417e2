//! Finds the texts most similar to a query, by the cosine of their embeddings.

use super::chunk::MAX_CHUNKS;
use super::{Render, SampleProgress, Step, parsed};
use crate::call::{Call, EmbedCall, Embedding, FailureKind, Reply};
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
}

impl CompiledRetrieve {
    pub(super) fn new(stage: &RetrieveStage, binding: Binding) -> Result<Self, StageError> {
        let (from, top_k) = (stage.from.as_str().to_owned(), stage.top_k as usize);
        Ok(Self { from, query: parsed(&stage.query)?, binding, top_k })
    }

    /// The call for the query, then one for each text. Without texts there are no calls.
    pub(super) fn begin(
        &self,
        progress: &SampleProgress,
        render: &impl Render,
    ) -> Option<Result<Step, StageError>> {
        let texts = match self.texts(progress) {
            Ok(texts) if texts.is_empty() => return Some(Ok(Step::Output(Value::List(Vec::new())))),
            Ok(texts) => texts,
            Err(error) => return Some(Err(error)),
        };
        if !render.takes(texts.iter().map(|text| text.len()).sum()) {
            return None;
        }
        let query = match render.render(&self.query)? {
            Ok(query) => query,
            Err(error) => return Some(Err(error)),
        };
        let all = std::iter::once(query.as_str()).chain(texts);
        Some(Ok(Step::Calls(all.map(|text| self.call(text)).collect())))
    }

    fn call(&self, text: &str) -> Call {
        let Binding { endpoint, model } = self.binding.clone();
        EmbedCall { endpoint, model, text: text.to_owned() }.into()
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

    /// The most similar texts, best first; among equals, the earlier one first.
    pub(super) fn finish(&self, progress: &SampleProgress, replies: &[&Reply]) -> Result<Value, StageError> {
        let texts = self.texts(progress)?;
        let vectors: Option<Vec<&Embedding>> = replies.iter().map(|reply| reply.embedding()).collect();
        let malformed = |what: &str| StageError::new(FailureKind::Malformed, what);
        let vectors = vectors.ok_or_else(|| malformed("an answer is not an embedding"))?;
        let Some((query, vectors)) = vectors.split_first().filter(|(_, rest)| rest.len() == texts.len())
        else {
            return Err(malformed("there are not as many embeddings as texts"));
        };
        if vectors.iter().any(|vector| vector.numbers().len() != query.numbers().len()) {
            return Err(malformed("the embeddings are vectors of different lengths"));
        }
        let mut found: Vec<(usize, f64)> =
            vectors.iter().map(|vector| query.cosine(vector)).enumerate().collect();
        found.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        found.truncate(self.top_k);
        Ok(listed(&texts, &found))
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
            (index < texts.len()).then_some((index, score.as_number()?.as_f64()))
        };
        let found: Option<Vec<_>> = found.as_list().and_then(|found| found.iter().map(place).collect());
        Ok(found.map(|found| listed(&texts, &found)))
    }
}

fn listed(texts: &[&str], found: &[(usize, f64)]) -> Value {
    let found = found.iter().map(|(index, score)| {
        Value::from([
            ("text", Value::from(texts[*index])),
            ("score", Value::number(*score)),
            ("index", Value::from(*index as u64)),
        ])
    });
    Value::List(found.collect())
}
