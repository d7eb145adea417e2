//! Size limits of experiments. Documents of these sizes are checked within seconds.

use super::{DimensionDraft, Draft};
use crate::problem::{Problem, segment};
use crate::space::Levels;

/// The most values of a choice, and of a condition.
pub const MAX_VALUES: usize = 100_000;
/// The most dimensions.
pub const MAX_DIMENSIONS: usize = 1_000;
/// The most stages.
pub const MAX_STAGES: usize = 100;
/// The most few-shot messages of a stage.
pub const MAX_MESSAGES: usize = 1_000;
/// The most scoring entries.
pub const MAX_SCORERS: usize = 100;
/// The most entries of a list among a scorer's options.
pub const MAX_OPTION_ENTRIES: usize = 1_000;
/// The most documents of a corpus.
pub const MAX_DOCUMENTS: usize = 100_000;
/// The most samples.
pub const MAX_SAMPLES: usize = 1_000_000;

/// Finds everything that exceeds its limit.
pub(super) fn check(draft: &Draft, problems: &mut Vec<Problem>) {
    let counts = [
        ("/sample_data", draft.samples.len(), MAX_SAMPLES, "samples"),
        ("/documents", draft.documents.len(), MAX_DOCUMENTS, "documents"),
        ("/pipeline_stages", draft.stages.len(), MAX_STAGES, "stages"),
        ("/scoring_config", draft.scoring.len(), MAX_SCORERS, "scoring entries"),
        ("/parameter_space", draft.space.len(), MAX_DIMENSIONS, "dimensions"),
    ];
    for (pointer, count, limit, what) in counts {
        at_most(pointer.to_owned(), count, limit, what, problems);
    }
    for (i, stage) in draft.stages.iter().enumerate() {
        let at = format!("/pipeline_stages/{i}/messages");
        at_most(
            at,
            stage.as_llm().map_or(0, |stage| stage.messages.len()),
            MAX_MESSAGES,
            "messages",
            problems,
        );
    }
    for (i, entry) in draft.scoring.iter().enumerate() {
        for (name, value) in &entry.options {
            let count = value.as_list().map_or(0, <[_]>::len);
            let at = format!("/scoring_config/{i}/options/{}", segment(name));
            at_most(at, count, MAX_OPTION_ENTRIES, "entries", problems);
        }
    }
    for (name, dimension) in &draft.space {
        values(name, dimension, problems);
    }
}

fn values(name: &str, dimension: &DimensionDraft, problems: &mut Vec<Problem>) {
    let at = format!("/parameter_space/{}", segment(name));
    if let Levels::Choice(values) = &dimension.levels {
        at_most(format!("{at}/values"), values.len(), MAX_VALUES, "values", problems);
    }
    for (other, values) in &dimension.when {
        at_most(format!("{at}/when/{}", segment(other)), values.len(), MAX_VALUES, "values", problems);
    }
}

fn at_most(pointer: String, count: usize, limit: usize, what: &str, problems: &mut Vec<Problem>) {
    if count > limit {
        let detail = format!("there are {count} {what} here, and there can be at most {limit}");
        problems.push(Problem::new(pointer, "too_many", detail));
    }
}
