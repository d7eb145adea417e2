//! How good an output is, by its words.

use std::collections::{HashMap, HashSet};

use super::super::{meaning, words};

/// The quality of an output, from 0 to 1, and why.
pub(super) struct Grade {
    pub(super) quality: f64,
    pub(super) reason: String,
}

/// Words that a reason names.
const NAMED: usize = 3;
/// An output may have so many times the words of the reference, and this many more.
const TIMES: usize = 3;
const SPARE: usize = 10;

/// Compares the output with the reference, if there is one, else with the input and the criteria.
pub(super) fn grade(input: &str, output: &str, reference: Option<&str>, criteria: &str) -> Grade {
    if output.is_empty() {
        return Grade { quality: 0.0, reason: "The output is empty.".to_owned() };
    }
    match reference {
        Some(reference) => against_reference(output, reference),
        None => against_input(input, output, criteria),
    }
}

fn against_reference(output: &str, reference: &str) -> Grade {
    let (said, wanted) = (Content::of(output), Content::of(reference));
    let missing = wanted.missing_in(&said);
    let recall = 1.0 - missing.len() as f64 / wanted.count().max(1) as f64;
    let precision = said.share_in(&wanted);
    let quality = 0.75 * recall + 0.25 * precision;
    let (length, most) = (output.split_whitespace().count(), reference.split_whitespace().count());
    if length > TIMES * most + SPARE {
        let reason = format!("The output is too long: it has {length} words, the reference {most}.");
        return Grade { quality: 0.7 * quality, reason };
    }
    let reason = match missing.as_slice() {
        [] if quality > 0.9 => "The output agrees with the reference.".to_owned(),
        [] => "The output has all that the reference says, and more.".to_owned(),
        missing => format!("The output lacks what the reference says: {}.", first(missing)),
    };
    Grade { quality, reason }
}

fn against_input(input: &str, output: &str, criteria: &str) -> Grade {
    let (said, asked, wanted) = (Content::of(output), Content::of(input), Content::of(criteria));
    let missing = asked.missing_in(&said);
    let covered = 1.0 - missing.len() as f64 / asked.count().max(1) as f64;
    let grounded = said.share_in(&asked);
    let met = if wanted.count() == 0 { covered } else { wanted.share_in(&said) };
    let quality = (0.25 + 0.3 * covered.max(met) + 0.45 * grounded).min(1.0);
    let reason = if grounded >= 0.5 {
        "The output keeps to what the input says.".to_owned()
    } else if missing.is_empty() {
        "The output says more than the input.".to_owned()
    } else {
        format!("The output says little of: {}.", first(&missing))
    };
    Grade { quality, reason }
}

fn first(words: &[String]) -> String {
    let more = if words.len() > NAMED { " and more" } else { "" };
    words.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ") + more
}

/// The words of a text that say something, by stem, in the order of their first places.
struct Content {
    words: Vec<(String, String)>,
    stems: HashSet<String>,
}

impl Content {
    fn of(text: &str) -> Self {
        let mut seen = HashMap::new();
        for (place, word) in words::of(text).filter(|word| !meaning::is_stop(word)).enumerate() {
            seen.entry(meaning::stem(&word)).or_insert((place, word));
        }
        let mut words: Vec<(usize, String, String)> =
            seen.into_iter().map(|(stem, (place, word))| (place, stem, word)).collect();
        words.sort_unstable();
        let words: Vec<(String, String)> = words.into_iter().map(|(_, stem, word)| (stem, word)).collect();
        let stems = words.iter().map(|(stem, _)| stem.clone()).collect();
        Self { words, stems }
    }

    fn count(&self) -> usize {
        self.words.len()
    }

    /// The words that the other text has not.
    fn missing_in(&self, other: &Self) -> Vec<String> {
        let missing = self.words.iter().filter(|(stem, _)| !other.stems.contains(stem));
        missing.map(|(_, word)| word.clone()).collect()
    }

    /// The share of its words that the other text has.
    fn share_in(&self, other: &Self) -> f64 {
        1.0 - self.missing_in(other).len() as f64 / self.count().max(1) as f64
    }
}
