//! Says why samples, runs and scores failed: one line for each kind of error and stage, or for each scorer, with an example.

use std::collections::BTreeMap;

use domain::run::{ErrorKind, RunError};

use crate::ports::{SampleFailures, ScoreFailures};

/// What failed with one kind of error, at one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup {
    /// The kind of error.
    pub kind: ErrorKind,
    /// The stage, where one is to blame.
    pub stage: Option<String>,
    /// How many failed.
    pub count: u64,
    /// Whether whole runs are counted, rather than samples.
    pub of_runs: bool,
    /// What happened, as it was said most often.
    pub example: String,
}

impl FailureGroup {
    /// How many of what: "1 sample", "3 runs".
    #[must_use]
    pub fn counted(&self) -> String {
        let word = if self.of_runs { "run" } else { "sample" };
        format!("{} {word}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

/// The failed scores of one scorer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreFailureGroup {
    /// The scorer.
    pub scorer: String,
    /// How many failed.
    pub count: u64,
    /// What was said most often.
    pub example: String,
    /// Whether that was said of all of them.
    pub are_alike: bool,
}

impl ScoreFailureGroup {
    /// How many scores: "1 score".
    #[must_use]
    pub fn counted(&self) -> String {
        format!("{} score{}", self.count, if self.count == 1 { "" } else { "s" })
    }

    /// What stands between the number and the example, before a colon.
    #[must_use]
    pub const fn lead(&self) -> &'static str {
        if self.are_alike { "" } else { ", such as" }
    }
}

/// The failed scores by scorer, those of which most failed first.
pub(crate) fn of_scorers(failures: Vec<ScoreFailures>) -> Vec<ScoreFailureGroup> {
    let mut of: BTreeMap<String, Vec<ScoreFailures>> = BTreeMap::new();
    for failure in failures {
        of.entry(failure.scorer.clone()).or_default().push(failure);
    }
    let groups = of.into_iter().map(|(scorer, failures)| {
        let (count, are_alike) = (failures.iter().map(|each| each.scores).sum(), failures.len() == 1);
        let most = failures.into_iter().max_by_key(|each| each.scores);
        let example = most.map(|each| each.error).unwrap_or_default();
        ScoreFailureGroup { scorer, count, example, are_alike }
    });
    let mut groups: Vec<ScoreFailureGroup> = groups.collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

/// The groups, the largest first. A run that failed because its samples did counts with those.
pub(crate) fn grouped(
    stages: &[String],
    samples: Vec<SampleFailures>,
    runs: Vec<RunError>,
) -> Vec<FailureGroup> {
    let of_samples = samples.into_iter().map(|failures| {
        let stage = usize::try_from(failures.stage).ok().and_then(|stage| stages.get(stage));
        let stage = stage.cloned();
        (false, failures.error.kind, stage, failures.samples, failures.error.message)
    });
    let of_runs = runs.into_iter().map(|error| (true, error.kind, error.stage, 1, error.message));
    let mut messages: BTreeMap<_, BTreeMap<String, u64>> = BTreeMap::new();
    for (of_runs, kind, stage, count, message) in of_samples.chain(of_runs) {
        *messages.entry((of_runs, kind, stage)).or_default().entry(message).or_default() += count;
    }
    let mut groups: Vec<FailureGroup> = messages
        .into_iter()
        .map(|((of_runs, kind, stage), messages)| {
            let count = messages.values().sum();
            let most = messages.into_iter().max_by_key(|(_, count)| *count);
            let example = most.map(|(message, _)| message).unwrap_or_default();
            FailureGroup { kind, stage, count, of_runs, example }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

#[cfg(test)]
mod tests {
    use domain::call::FailureKind;
    use domain::run::StageError;

    use super::*;

    #[test]
    fn errors_of_a_kind_are_counted_together_with_the_most_frequent_message() {
        let failed = |stage, message, samples| SampleFailures {
            stage,
            error: StageError::new(FailureKind::Timeout, message),
            samples,
        };
        let samples = vec![failed(0, "after 5 s", 2), failed(1, "after 6 s", 1), failed(0, "after 7 s", 3)];
        let groups = grouped(&["a".to_owned(), "b".to_owned()], samples, vec![]);
        let shown: Vec<_> =
            groups.iter().map(|group| (group.counted(), group.stage.as_deref(), &*group.example)).collect();
        assert_eq!(
            shown,
            [
                ("5 samples".to_owned(), Some("a"), "after 7 s"),
                ("1 sample".to_owned(), Some("b"), "after 6 s")
            ]
        );
    }
    #[test]
    fn failed_scores_are_counted_by_scorer_with_the_most_frequent_reason() {
        let failed = |scorer: &str, error: &str, scores| {
            let (scorer, error) = (scorer.to_owned(), error.to_owned());
            ScoreFailures { scorer, error, scores }
        };
        let failures =
            vec![failed("cost", "no price", 2), failed("judge", "no JSON", 1), failed("judge", "was cut", 3)];
        let groups = of_scorers(failures);
        let shown: Vec<_> = groups
            .iter()
            .map(|group| (&*group.scorer, group.counted(), group.lead(), &*group.example))
            .collect();
        assert_eq!(
            shown,
            [
                ("judge", "4 scores".to_owned(), ", such as", "was cut"),
                ("cost", "2 scores".to_owned(), "", "no price")
            ]
        );
    }
}
