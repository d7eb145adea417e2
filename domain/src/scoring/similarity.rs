//! How alike an output and the reference are.

use std::collections::BTreeMap;

use super::options::Options;
use super::{Judgement, Score, TooMuchWork};
use crate::edits::{TooLong, edit_distance};

/// How likeness is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One minus the edit distance (Levenshtein 1966) over the longer length, in characters.
    Levenshtein,
    /// The harmonic mean of precision and recall over lower-case words, each as often as it is there (Rajpurkar et al.,
    /// `SQuAD`, 2016, section 6.1).
    TokenF1,
}

/// Likeness to the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Similarity {
    /// How it is measured.
    pub method: Method,
}

impl Similarity {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        let method = options.word("method", &["levenshtein", "token_f1"], Some("levenshtein"))?;
        Some(Self { method: if method == "token_f1" { Method::TokenF1 } else { Method::Levenshtein } })
    }

    pub(super) fn evaluate(&self, output: &str, reference: &str) -> Result<Judgement, TooMuchWork> {
        Ok(Judgement::new(match self.method {
            Method::Levenshtein => edit_similarity(output, reference)?,
            Method::TokenF1 => token_f1(output, reference),
        }))
    }
}

fn edit_similarity(a: &str, b: &str) -> Result<Score, TooMuchWork> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longer = a.len().max(b.len());
    let edits = edit_distance(&a, &b).map_err(|TooLong(a, b)| {
        TooMuchWork(format!(
            "comparing texts that differ over {a} and {b} characters takes too many steps: use the method token_f1"
        ))
    })?;
    Ok(Score::share(longer - edits, longer))
}

fn token_f1(a: &str, b: &str) -> Score {
    let (a, b) = (words(a), words(b));
    let (of_a, of_b): (usize, usize) = (a.values().sum(), b.values().sum());
    let common: usize = a.iter().map(|(word, n)| (*n).min(b.get(word).copied().unwrap_or(0))).sum();
    Score::share(2 * common, of_a + of_b)
}

fn words(text: &str) -> BTreeMap<String, usize> {
    let mut words = BTreeMap::new();
    let lower = text.to_lowercase();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *words.entry(word.to_owned()).or_insert(0) += 1;
    }
    words
}
