//! Judges how similar an output and the reference are.

use std::collections::BTreeMap;

use super::options::Options;
use super::text_rules::{comparable, normal, text_of};
use super::{Judgement, Score, ScorerError, TextRules, Token};
use crate::edits::{TooLong, common_subsequence, edit_distance};
use crate::value::Value;

/// A measure of similarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One minus the edit distance (Levenshtein 1966) divided by the longer length, in characters.
    Levenshtein,
    /// The harmonic mean of precision and recall of words, ignoring case and counting repetitions (Rajpurkar et al.,
    /// `SQuAD`, 2016, section 6.1).
    TokenF1,
    /// The harmonic mean of precision and recall of the longest common subsequence of words, ignoring case (Lin,
    /// `ROUGE`, 2004, section 3.1, with β = 1).
    RougeL,
}

/// Similarity to the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Similarity {
    /// The measure.
    pub method: Method,
}

/// The penalty for differences in punctuation or order between texts with the same words, in words.
const SMALL_DIFFERENCE: f64 = 0.1;

impl Similarity {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        let method = options.word("method", &["levenshtein", "token_f1", "rouge_l"], Some("levenshtein"))?;
        let method = match method {
            "token_f1" => Method::TokenF1,
            "rouge_l" => Method::RougeL,
            _ => Method::Levenshtein,
        };
        Some(Self { method })
    }

    /// The best score over all references.
    pub(super) fn evaluate(
        &self,
        output: &Value,
        references: &[Value],
        rules: &dyn TextRules,
    ) -> Result<Option<Judgement>, ScorerError> {
        let output = text_of(output);
        let mut best: Option<Score> = None;
        for reference in references {
            let score = self.compare(&output, &text_of(reference), rules)?;
            best = Some(best.map_or(score, |best| if score > best { score } else { best }));
        }
        Ok(best.map(Judgement::new))
    }

    fn compare(&self, output: &str, reference: &str, rules: &dyn TextRules) -> Result<Score, ScorerError> {
        if self.method == Method::Levenshtein {
            return edit_similarity(&normal(output, rules), &normal(reference, rules));
        }
        let (a, b) = (comparable(output, true, rules), comparable(reference, true, rules));
        let (a, b) = (Tokens::of(&a, rules), Tokens::of(&b, rules));
        if a.words.is_empty() && b.words.is_empty() {
            return Ok(Score::from(a.marks == b.marks));
        }
        let common = match self.method {
            Method::RougeL => common_subsequence(&a.words, &b.words).map_err(too_long)?,
            Method::TokenF1 | Method::Levenshtein => common_count(&a.words, &b.words),
        };
        let all = a.words.len() + b.words.len();
        if 2 * common == all && a != b {
            return Ok(almost_one(&a, &b));
        }
        Ok(Score::share(2 * common, all))
    }
}

/// The tokens of a text.
#[derive(Debug, PartialEq, Eq)]
struct Tokens<'a> {
    words: Vec<&'a str>,
    marks: Vec<&'a str>,
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str, rules: &dyn TextRules) -> Self {
        let mut tokens = Self { words: Vec::new(), marks: Vec::new() };
        for token in rules.tokens(text) {
            match token {
                Token::Word(word) => tokens.words.push(word),
                Token::Mark(mark) => tokens.marks.push(mark),
            }
        }
        tokens
    }
}

/// The score of texts with the same words that differ in punctuation or order.
fn almost_one(a: &Tokens<'_>, b: &Tokens<'_>) -> Score {
    let marks = a.marks.len() + b.marks.len() - 2 * common_count(&a.marks, &b.marks);
    let words = (a.words.len() + b.words.len()) as f64;
    let share = words / (words + SMALL_DIFFERENCE * marks.max(1) as f64);
    Score::try_new(share).unwrap_or(Score::ZERO)
}

/// How many items two lists have in common, counting repetitions.
fn common_count(a: &[&str], b: &[&str]) -> usize {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in a {
        *counts.entry(item).or_default() += 1;
    }
    let take = |item: &&&str| {
        counts.get_mut(**item).is_some_and(|left| {
            left.checked_sub(1).is_some_and(|rest| {
                *left = rest;
                true
            })
        })
    };
    b.iter().filter(take).count()
}

fn edit_similarity(a: &str, b: &str) -> Result<Score, ScorerError> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longer = a.len().max(b.len());
    let edits = edit_distance(&a, &b).map_err(too_long)?;
    Ok(if longer == 0 { Score::ONE } else { Score::share(longer - edits, longer) })
}

fn too_long(TooLong(a, b): TooLong) -> ScorerError {
    ScorerError::new(format!(
        "comparing texts that differ over {a} and {b} characters or words takes too many steps: use the method token_f1"
    ))
}
