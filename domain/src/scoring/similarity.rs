//! How alike an output and the reference are.

use std::collections::BTreeMap;

use super::options::Options;
use super::{Judgement, Score};
use crate::value::Value;

/// How likeness is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One minus the edit distance (Levenshtein 1966) over the longer length, in characters. Texts above 16 KiB are
    /// compared by tokens instead.
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

/// The longest text whose edit distance is computed, in bytes.
const LONGEST: usize = 16 << 10;

impl Similarity {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        let method = options.word("method", &["levenshtein", "token_f1"], Some("levenshtein"))?;
        Some(Self { method: if method == "token_f1" { Method::TokenF1 } else { Method::Levenshtein } })
    }

    pub(super) fn evaluate(&self, output: &str, reference: &str) -> Judgement {
        let short = output.len() <= LONGEST && reference.len() <= LONGEST;
        match self.method {
            Method::Levenshtein if short => Judgement::new(edit_similarity(output, reference)),
            Method::Levenshtein => {
                Judgement::new(token_f1(output, reference)).with("method", Value::from("token_f1"))
            }
            Method::TokenF1 => Judgement::new(token_f1(output, reference)),
        }
    }
}

fn edit_similarity(a: &str, b: &str) -> Score {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longer = a.len().max(b.len());
    Score::share(longer - edit_distance(&a, &b), longer)
}

/// The fewest insertions, deletions and substitutions that make one text the other (Wagner and Fischer 1974), with what
/// both begin and end with left out.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let begin = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[begin..], &b[begin..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distance(a: &str, b: &str) -> usize {
        edit_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
    }

    #[test]
    fn edits_are_counted_in_characters() {
        for (a, b, edits) in
            [("", "", 0), ("kitten", "sitting", 3), ("abc", "", 3), ("über", "uber", 1), ("ab", "ba", 2)]
        {
            assert_eq!(distance(a, b), edits, "{a} → {b}");
        }
    }

    proptest! {
        #[test]
        fn edit_distance_is_a_metric(a in "[abc]{0,8}", b in "[abc]{0,8}", c in "[abc]{0,8}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
            prop_assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c));
            prop_assert!(distance(&a, &b) >= a.len().abs_diff(b.len()));
        }
    }
}
