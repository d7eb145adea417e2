//! Texts with their vectors, among which those most similar to a query are found.

use super::StageOutput;
use crate::call::{Call, EmbedCall, Embedding, FailureKind, Reply, dot, norm};
use crate::configuration::Binding;
use crate::run::StageError;
use crate::value::Value;

/// Texts that are the same for every sample of a configuration, to be embedded by one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    pub(super) key: String,
    pub(super) texts: StageOutput,
    pub(super) binding: Binding,
}

/// A query, and what is searched for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The call for the vector of the query.
    pub query: Call,
    /// What is searched.
    pub corpus: Corpus,
}

/// Texts with their vectors.
#[derive(Debug)]
pub struct Index {
    texts: StageOutput,
    /// The vectors, one behind the other.
    numbers: Vec<f32>,
    norms: Vec<f64>,
}

impl Corpus {
    /// Tells it from others of its experiment: equal for equal texts and models.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How many texts it has; at least one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list().len()
    }

    /// Whether it has no texts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// The calls whose answers are the vectors of its texts, in their order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.list().iter().map(|text| embed(&self.binding, &text.to_text())).collect()
    }

    /// Its index, given the answers to its calls in their order.
    ///
    /// # Errors
    /// The answers are not as many vectors of one length.
    pub fn index(&self, replies: &[&Reply]) -> Result<Index, StageError> {
        Index::try_new(self.texts.clone(), &vectors(replies)?)
    }

    fn list(&self) -> &[Value] {
        self.texts.value().as_list().unwrap_or_default()
    }
}

impl Index {
    pub(super) fn try_new(texts: StageOutput, vectors: &[&Embedding]) -> Result<Self, StageError> {
        if texts.value().as_list().is_none_or(|list| list.len() != vectors.len()) {
            return Err(malformed("there are not as many embeddings as texts"));
        }
        let dimensions = vectors.first().map_or(0, |vector| vector.numbers().len());
        let mut numbers = Vec::with_capacity(dimensions * vectors.len());
        let mut norms = Vec::with_capacity(vectors.len());
        for vector in vectors {
            if vector.numbers().len() != dimensions {
                return Err(malformed(DIFFERENT_LENGTHS));
            }
            numbers.extend_from_slice(vector.numbers());
            norms.push(norm(vector.numbers()));
        }
        Ok(Self { texts, numbers, norms })
    }

    /// About the bytes of memory that it uses.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of_val(&*self.numbers) + size_of_val(&*self.norms) + self.texts.value().size()
    }

    /// Whether a search takes long.
    #[must_use]
    pub const fn searches_slowly(&self) -> bool {
        self.numbers.len() > MANY_NUMBERS
    }

    /// The most similar texts, best first; among equals, the earlier one first.
    pub(super) fn search(&self, query: &Embedding, top_k: usize) -> Result<Value, StageError> {
        let texts = self.texts.value().as_list().unwrap_or_default();
        let dimensions = self.numbers.len().checked_div(texts.len()).unwrap_or_default();
        if query.numbers().len() != dimensions {
            return Err(malformed(DIFFERENT_LENGTHS));
        }
        let query_norm = norm(query.numbers());
        let vectors = self.numbers.chunks_exact(dimensions).zip(&self.norms);
        let cosine = |(vector, norm): (&[f32], &f64)| {
            crate::call::cosine(dot(query.numbers(), vector), query_norm * norm)
        };
        let mut found: Vec<(usize, f64)> = vectors.map(cosine).enumerate().collect();
        let best_first =
            |(i, one): &(usize, f64), (j, other): &(usize, f64)| other.total_cmp(one).then(i.cmp(j));
        if top_k < found.len() {
            found.select_nth_unstable_by(top_k, best_first);
            found.truncate(top_k);
        }
        found.sort_unstable_by(best_first);
        let found = found.into_iter().map(|(index, score)| found_text(index, texts[index].clone(), score));
        Ok(Value::List(found.collect()))
    }
}

/// The most numbers that are compared with a query at once, so that nothing else is delayed.
const MANY_NUMBERS: usize = 1 << 18;

const DIFFERENT_LENGTHS: &str = "the embeddings are vectors of different lengths";

/// A text that was found, as stages give it.
pub(super) fn found_text(index: usize, text: Value, score: f64) -> Value {
    Value::from([("text", text), ("score", Value::number(score)), ("index", Value::from(index as u64))])
}

/// The call for the vector of a text.
pub(super) fn embed(Binding { endpoint, model }: &Binding, text: &str) -> Call {
    EmbedCall { endpoint: endpoint.clone(), model: model.clone(), text: text.to_owned() }.into()
}

/// The vectors in answers.
pub(super) fn vectors<'a>(replies: &[&'a Reply]) -> Result<Vec<&'a Embedding>, StageError> {
    let vectors: Option<Vec<&Embedding>> = replies.iter().map(|reply| reply.embedding()).collect();
    vectors.ok_or_else(|| malformed("an answer is not an embedding"))
}

pub(super) fn malformed(what: &str) -> StageError {
    StageError::new(FailureKind::Malformed, what)
}
