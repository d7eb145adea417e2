//! Finds problems of scoring entries, and of what they need from samples.

use std::collections::BTreeSet;

use super::check::place;
use super::{Definition, limits, templates};
use crate::problem::{Problem, is_full};
use crate::sample::Sample;
use crate::scoring::{ScoringDraft, ScoringEntry};
use crate::stage::Stage;

/// Common names of references in data sets.
const REFERENCE_NAMES: [&str; 12] = [
    "reference",
    "references",
    "expected",
    "expected_output",
    "expectedoutput",
    "ideal",
    "target",
    "answer",
    "ground_truth",
    "output",
    "completion",
    "label",
];

/// Checks the entries of an experiment.
pub(super) fn check(
    drafts: &[ScoringDraft],
    check_names: &[String],
    stages: &[Stage],
    problems: &mut Vec<Problem>,
) -> Vec<ScoringEntry> {
    let mut entries: Vec<ScoringEntry> = Vec::new();
    let mut names = BTreeSet::new();
    for (i, draft) in drafts.iter().enumerate() {
        let found = problems.len();
        match ScoringEntry::try_new(draft, stages) {
            Ok(entry) if names.insert(entry.name.clone()) => entries.push(entry),
            Ok(entry) => {
                let detail =
                    format!("two scoring entries are called `{}`: give one another name", entry.name);
                problems.push(Problem::new("/name", "duplicate", detail));
            }
            Err(wrong) => problems.extend(wrong),
        }
        place(problems, found, &format!("/scoring_config/{i}"));
    }
    let of_experiment = |code, detail: &str| Problem::new("/scoring_config", code, detail);
    if drafts.is_empty() && check_names.is_empty() {
        let detail = "give at least one scorer: without a score no configuration is better than another";
        problems.push(of_experiment("empty", detail));
    }
    let all_read = !drafts.is_empty() && entries.len() == drafts.len();
    if all_read && check_names.is_empty() && entries.iter().all(|entry| entry.weight == 0.0) {
        problems.push(of_experiment("no_weight", "at least one scorer needs a weight above 0"));
    }
    entries
}

/// The names of the samples' own checks, sorted.
#[must_use]
pub fn check_names(samples: &[Sample]) -> Vec<String> {
    let names: BTreeSet<&str> =
        samples.iter().flat_map(|sample| &sample.checks).map(ScoringDraft::name).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Checks the samples' own checks, the templates of entries, and whether there are references for the entries that
/// need them.
pub(super) fn check_samples(definition: &Definition, samples: &[Sample], problems: &mut Vec<Problem>) {
    for (i, sample) in samples.iter().enumerate().filter(|(_, sample)| !sample.checks.is_empty()) {
        if is_full(problems) {
            return;
        }
        let found = problems.len();
        own_checks(definition, sample, problems);
        place(problems, found, &format!("/sample_data/{i}"));
    }
    templates::check_entries(
        &definition.scoring,
        "/scoring_config",
        &definition.stages,
        &definition.space,
        problems,
    );
    if samples.iter().all(|sample| sample.accepted().is_empty()) {
        problems.extend(without_references(definition, samples));
    }
}

fn own_checks(definition: &Definition, sample: &Sample, problems: &mut Vec<Problem>) {
    if sample.checks.len() > limits::MAX_SCORERS {
        let detail = format!("a sample has at most {} checks", limits::MAX_SCORERS);
        problems.push(Problem::new("/checks", "too_many", detail));
        return;
    }
    let mut entries = Vec::new();
    for (i, check) in sample.checks.iter().enumerate() {
        let found = problems.len();
        if check.clone().secrets_mut().next().is_some() {
            let detail = "samples are stored and shown as they are: give a scorer with headers an entry in `scoring_config`";
            problems.push(Problem::new("/options/headers", "not_here", detail));
        }
        match ScoringEntry::try_new(check, &definition.stages) {
            Ok(entry) if entry.scorer.needs_reference() && sample.accepted().is_empty() => {
                problems.push(Problem::new("/scorer", "no_reference", needs_reference(&entry.name)));
            }
            Ok(entry) => entries.push(entry),
            Err(wrong) => problems.extend(wrong),
        }
        place(problems, found, &format!("/checks/{i}"));
    }
    templates::check_entries(&entries, "/checks", &definition.stages, &definition.space, problems);
    templates::check_own(&entries, sample, problems);
}

fn needs_reference(name: &str) -> String {
    format!(
        "`{name}` compares with a reference, and the sample has none: give it a `reference`, or the option `value`"
    )
}

/// Entries that would skip every sample.
fn without_references(definition: &Definition, samples: &[Sample]) -> Vec<Problem> {
    let likely = samples.first().and_then(|sample| {
        sample.meta.keys().find(|name| REFERENCE_NAMES.contains(&name.trim().to_lowercase().as_str()))
    });
    let advice = likely.map_or_else(
        || "give samples a `reference`".to_owned(),
        |name| format!("`{name}` looks like one: map it with columns: {{reference: \"{name}\"}}"),
    );
    let entries = definition.scoring.iter().enumerate().filter(|(_, entry)| entry.scorer.needs_reference());
    let wrong = entries.map(|(i, entry)| {
        let detail = format!("`{}` compares with a reference, and no sample has one: {advice}", entry.name);
        Problem::new(format!("/scoring_config/{i}/scorer"), "no_reference", detail)
    });
    wrong.collect()
}
