//! Compares the meaning of an output with that of the reference, by their embeddings.

use super::model_choice::ModelChoice;
use super::options::Options;
use super::text_rules::text_of;
use super::{Judgement, Score, ScorerError};
use crate::call::{EmbedCall, Embedding};
use crate::configuration::Binding;
use crate::value::Value;

/// The cosine of the embeddings of output and reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingSimilarity {
    /// Which embedding model.
    pub model: ModelChoice,
}

impl EmbeddingSimilarity {
    pub(super) fn read(options: &mut Options<'_>) -> Self {
        Self { model: ModelChoice::read(options) }
    }

    /// The judgement without any call, where one is possible: an empty output is worth 0, and a sample without an
    /// accepted answer is skipped.
    ///
    /// # Errors
    /// An accepted answer is empty, so that there is nothing to compare.
    pub fn judged_early(
        output: &Value,
        references: &[Value],
    ) -> Result<Option<Option<Judgement>>, ScorerError> {
        let is_blank = |value: &Value| text_of(value).trim().is_empty();
        if references.iter().any(is_blank) {
            return Err(ScorerError::new("a reference is empty: there is nothing to compare"));
        }
        if references.is_empty() {
            return Ok(Some(None));
        }
        let nothing = || Judgement::new(Score::ZERO).with("error", Value::from("the output is empty"));
        Ok(is_blank(output).then(|| Some(nothing())))
    }

    /// The calls for the output and each accepted answer, in this order.
    #[must_use]
    pub fn calls(&self, binding: &Binding, output: &Value, references: &[Value]) -> Vec<EmbedCall> {
        let output = call(binding, output);
        std::iter::once(output).chain(self.reference_calls(binding, references)).collect()
    }

    /// The calls for the accepted answers, which are known before there is an output.
    #[must_use]
    pub fn reference_calls(&self, binding: &Binding, references: &[Value]) -> Vec<EmbedCall> {
        references.iter().map(|reference| call(binding, reference)).collect()
    }

    /// The largest cosine between the first vector and one of the others, at least 0.
    ///
    /// # Errors
    /// The vectors have different lengths, or one is zero.
    pub fn judgement(&self, vectors: &[&Embedding]) -> Result<Judgement, ScorerError> {
        let Some((output, references)) = vectors.split_first() else {
            return Err(ScorerError::new("there is no embedding"));
        };
        if references.iter().any(|vector| vector.numbers().len() != output.numbers().len()) {
            return Err(ScorerError::new("the embeddings have different lengths"));
        }
        if vectors.iter().any(|vector| vector.numbers().iter().all(|number| *number == 0.0)) {
            return Err(ScorerError::new("an embedding is zero: there is nothing to compare"));
        }
        let best = references.iter().map(|vector| output.cosine(vector)).fold(-1.0, f64::max);
        let value = Score::try_new(best.max(0.0)).unwrap_or(Score::ZERO);
        Ok(Judgement::new(value).with("cosine", Value::number(best)))
    }
}

fn call(binding: &Binding, value: &Value) -> EmbedCall {
    let (endpoint, model) = (binding.endpoint.clone(), binding.model.clone());
    EmbedCall { endpoint, model, text: text_of(value).into_owned() }
}
