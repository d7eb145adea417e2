//! Finds what is wrong with the patterns and schemas of scorers.

use domain::experiment::Definition;
use domain::problem::Problem;
use domain::sample::Sample;
use domain::scoring::{EntryScorer, Scorer, ScoringEntry};

use super::{Evaluator, extraction};
use crate::form::{Form, MAX_PATTERN_UNITS};

impl Evaluator {
    /// What is wrong with schemas and patterns of scorers, each with its place in the document.
    #[must_use]
    pub fn check(definition: &Definition, samples: &[Sample]) -> Vec<Problem> {
        let mut units = 0;
        let entries = definition.scoring().iter().enumerate();
        let wrong = entries.flat_map(|(i, entry)| {
            check_entry(entry, &mut units)
                .into_iter()
                .map(move |problem| problem.under(&format!("/scoring_config/{i}")))
        });
        let mut problems: Vec<Problem> = wrong.collect();
        for (i, sample) in samples.iter().enumerate().filter(|(_, sample)| !sample.checks.is_empty()) {
            let mut units = 0;
            for (j, check) in sample.checks.iter().enumerate() {
                let entry = ScoringEntry::try_new(check, definition.stages());
                let found = entry.map_or_else(|found| found, |entry| check_entry(&entry, &mut units));
                problems.extend(
                    found.into_iter().map(|problem| problem.under(&format!("/sample_data/{i}/checks/{j}"))),
                );
            }
        }
        problems
    }
}

/// What is wrong with an entry's patterns and schema, each with its place in the entry.
fn check_entry(entry: &ScoringEntry, units: &mut usize) -> Vec<Problem> {
    let pattern = entry.extract.as_ref().and_then(|extract| extraction::pattern(extract).err());
    let mut problems: Vec<Problem> = pattern.into_iter().collect();
    if let EntryScorer::Fixed(Scorer::Format(format)) = &entry.scorer {
        match Form::compile(format).map(|form| *units += form.pattern_units()) {
            Err(problem) => problems.push(problem.under("/options")),
            Ok(()) if *units > MAX_PATTERN_UNITS => {
                let detail = "the patterns of all scorers together are too large: simplify or remove some";
                problems.push(Problem::new("/options", "too_large", detail));
            }
            Ok(()) => {}
        }
    }
    problems
}
