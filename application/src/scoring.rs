//! Scores outputs with an experiment's scorers and with checks that samples bring.

mod extraction;
mod ready;
mod text_rules;

use std::sync::Arc;

use domain::experiment::Definition;
use domain::pipeline::{Pipeline, SampleProgress};
use domain::problem::Problem;
use domain::sample::{Expectations, Sample};
use domain::scoring::{
    Entry, EntryScorer, Judgement, Scorer, ScoringEntry, combined, sample_weights, weighted,
};

use self::ready::{ReadyEntry, ScorerOutcome, Subject};
use crate::form::{Form, MAX_PATTERN_UNITS};
use crate::ports::{FormatChecker, Offload};

/// The ports that scorers use.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    pub formats: Arc<dyn FormatChecker>,
    pub offload: Arc<dyn Offload>,
}

/// The scorers of an experiment, ready to judge.
pub struct Evaluator {
    ports: Ports,
    definition: Arc<Definition>,
    entries: Vec<ReadyEntry>,
    scorers: Vec<(String, f64)>,
    names: Vec<String>,
}

/// The scores of one repeat of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatScores {
    /// Results of the scorers that apply to the sample.
    pub entries: Vec<ScorerResult>,
    /// The weighted mean; `None` if no scorer gave a score.
    pub score: Option<f64>,
}

/// The result of one scorer: a score or an error.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorerResult {
    /// The scorer, by its place in [`Definition::scorers`].
    pub scorer: u32,
    /// The judgement, or why the scorer failed.
    pub judgement: Result<Judgement, String>,
}

impl Evaluator {
    /// The scorers of an experiment.
    #[must_use]
    pub fn new(definition: Arc<Definition>, ports: Ports) -> Self {
        let entries = definition.scoring().iter().map(|entry| ReadyEntry::new(entry.clone(), &definition));
        let (entries, scorers) = (entries.collect(), definition.scorers());
        let names = scorers.iter().map(|(name, _)| name.clone()).collect();
        Self { ports, definition, entries, scorers, names }
    }

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

    /// What scores are called, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Judges the outputs of one repetition of a sample; what takes long is done elsewhere.
    pub async fn judge(
        &self,
        pipeline: &Pipeline,
        progress: &SampleProgress,
        expected: &Expectations,
    ) -> RepeatScores {
        let scope = pipeline.scorer_scope(progress);
        let subject = Subject { scope, progress, references: &expected.references, ports: &self.ports };
        let mut entries = Vec::new();
        let weights = sample_weights(&self.scorers, &expected.checks);
        let mut counted = Vec::with_capacity(weights.len());
        for ((number, name), weight) in (0..).zip(&self.names).zip(weights) {
            let said = match self.own_checks(name, expected) {
                Some(checks) => combine(&checks, &subject).await,
                None => match self.entries.get(number as usize) {
                    Some(entry) => entry.judge(&subject).await,
                    None => Ok(None),
                },
            };
            counted.push((weight, entry_of(&said)));
            entries.extend(said.transpose().map(|judgement| ScorerResult { scorer: number, judgement }));
        }
        RepeatScores { entries, score: weighted(&counted) }
    }

    /// The checks of a sample that bear a name; `None` where there are none.
    fn own_checks(&self, name: &str, expected: &Expectations) -> Option<Vec<(f64, ReadyEntry)>> {
        let checks = expected.checks.iter().filter(|check| check.name() == name);
        let ready = checks.filter_map(|check| {
            let entry = ScoringEntry::try_new(check, self.definition.stages()).ok()?;
            Some((entry.weight, ReadyEntry::new(entry, &self.definition)))
        });
        let ready: Vec<_> = ready.collect();
        (!ready.is_empty()).then_some(ready)
    }
}

/// Judges with all checks of one name.
async fn combine(checks: &[(f64, ReadyEntry)], subject: &Subject<'_>) -> ScorerOutcome {
    let mut judgements = Vec::with_capacity(checks.len());
    for (weight, check) in checks {
        judgements.extend(check.judge(subject).await?.map(|judgement| (*weight, judgement)));
    }
    Ok(combined(judgements))
}

fn entry_of(said: &ScorerOutcome) -> Entry {
    match said {
        Ok(Some(judgement)) => Entry::Value(judgement.value),
        Ok(None) => Entry::Absent,
        Err(_) => Entry::Failed,
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

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use domain::configuration::Configuration;
    use domain::experiment::{Draft, LlmDraft, StageDraft};
    use domain::scoring::{Extract, Score, ScoringDraft};
    use domain::value::{Map, Value};

    use super::*;
    use crate::json;
    use crate::ports::mocks::MockFormatChecker;

    /// Runs jobs where it is asked, and counts them.
    #[derive(Default)]
    struct Here(std::sync::atomic::AtomicUsize);

    #[async_trait]
    impl Offload for Here {
        async fn run(&self, job: Box<dyn FnOnce() + Send>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            job();
        }
    }

    fn scorer(scorer: &str, options: &str) -> ScoringDraft {
        let Value::Map(options) = json::parse(options).unwrap() else { panic!("{options}") };
        let name = Some(format!("{scorer}{}", Value::Map(options.clone())));
        ScoringDraft { name, scorer: scorer.to_owned(), options, ..ScoringDraft::default() }
    }

    fn definition(scoring: Vec<ScoringDraft>) -> Definition {
        let stage = StageDraft::llm("s", LlmDraft { prompt: "p".into(), ..LlmDraft::default() });
        Draft { name: "e".into(), stages: vec![stage], scoring, repeats: 1, ..Draft::default() }
            .define()
            .unwrap()
    }

    fn judged(scoring: Vec<ScoringDraft>, formats: MockFormatChecker, output: &str) -> (RepeatScores, usize) {
        let here = Arc::new(Here::default());
        let ports = Ports { formats: Arc::new(formats), offload: here.clone() };
        let evaluator = Evaluator::new(Arc::new(definition(scoring)), ports);
        let judged =
            futures::executor::block_on(evaluator.judge(&pipeline(), &passed(output), &expecting("x")));
        (judged, here.0.load(std::sync::atomic::Ordering::Relaxed))
    }

    fn value(judged: &RepeatScores, scorer: usize) -> Option<f64> {
        judged.entries[scorer].judgement.as_ref().ok().map(|judgement| judgement.value.value())
    }

    fn pipeline() -> Pipeline {
        let params = Map::from([("tone".to_owned(), Value::from("dry"))]);
        let configuration = Configuration { stages: vec![], params, free: Map::new(), repeats: 1 };
        Pipeline::try_new(&configuration).unwrap()
    }

    fn expecting(reference: &str) -> Expectations {
        Expectations { references: vec![Value::from(reference)], ..Expectations::default() }
    }

    /// A sample that has passed the stage with an output.
    fn passed(output: &str) -> SampleProgress {
        let mut progress = SampleProgress::new(Value::default());
        progress.passed("s", Value::from(output));
        progress
    }

    const RECURSIVE: &str = r##"{"type": "json_schema", "schema": {"anyOf": [{"items": {"$ref": "#"}}]}}"##;

    #[test]
    fn a_check_that_was_ended_fails_its_score_and_no_other() {
        let mut formats = MockFormatChecker::new();
        formats.expect_check().times(1).returning(|_, _| Err("it took too long".to_owned()));
        let (judged, jobs) =
            judged(vec![scorer("format", RECURSIVE), scorer("contains", "{}")], formats, "[x]");
        assert_eq!(judged.entries[0].judgement, Err("it took too long".to_owned()));
        assert_eq!((value(&judged, 1), judged.score, jobs), (Some(1.0), None, 0));
    }

    #[test]
    fn what_is_bounded_never_goes_to_another_process() {
        let scoring =
            || vec![scorer("format", r#"{"type": "json"}"#), scorer("format", r#"{"type": "xml"}"#)];
        let mut formats = MockFormatChecker::new();
        formats.expect_check().never();
        let (judged, jobs) = judged(scoring(), formats, "[1]");
        assert_eq!((value(&judged, 0), value(&judged, 1), jobs), (Some(1.0), Some(0.0), 0));
    }

    #[test]
    fn what_takes_long_is_done_elsewhere() {
        let mut formats = MockFormatChecker::new();
        formats.expect_check().times(1).returning(|_, _| Ok(Judgement::new(Score::ONE)));
        let scoring = vec![scorer("format", r#"{"type": "xml"}"#), scorer("similarity", "{}")];
        let (judged, jobs) = judged(scoring, formats, &"x".repeat(50_000));
        assert_eq!((value(&judged, 0), jobs), (Some(1.0), 1));
    }

    #[test]
    fn texts_that_take_too_long_to_compare_have_no_score() {
        let long = "ab".repeat(500_000);
        let ports = Ports { formats: Arc::new(MockFormatChecker::new()), offload: Arc::new(Here::default()) };
        let evaluator = Evaluator::new(Arc::new(definition(vec![scorer("similarity", "{}")])), ports);
        let expected = expecting(&"ba".repeat(500_001));
        let judged = futures::executor::block_on(evaluator.judge(&pipeline(), &passed(&long), &expected));
        let told = judged.entries[0].judgement.as_ref().unwrap_err();
        assert!(told.contains("token_f1"), "{told}");
    }

    /// The scores by name, and the weighted score, of an output of a sample with these checks.
    fn scored(scoring: Vec<ScoringDraft>, checks: Vec<ScoringDraft>, output: &str) -> (String, Option<f64>) {
        let names =
            domain::experiment::check_names(&[Sample { checks: checks.clone(), ..Sample::default() }]);
        let stage = StageDraft::llm("s", LlmDraft { prompt: "p".into(), ..LlmDraft::default() });
        let draft = Draft {
            name: "e".into(),
            stages: vec![stage],
            scoring,
            check_names: names,
            repeats: 1,
            ..Draft::default()
        };
        let ports = Ports { formats: Arc::new(MockFormatChecker::new()), offload: Arc::new(Here::default()) };
        let evaluator = Evaluator::new(Arc::new(draft.define().unwrap()), ports);
        let expected = Expectations { references: vec![Value::from("x")], checks };
        let judged = futures::executor::block_on(evaluator.judge(&pipeline(), &passed(output), &expected));
        let told = judged.entries.iter().map(|entry| {
            let value = entry.judgement.as_ref().map(|judgement| judgement.value.value());
            format!("{}={value:?}", evaluator.names()[entry.scorer as usize])
        });
        (told.collect::<Vec<_>>().join(" "), judged.score)
    }

    fn check(name: Option<&str>, scorer: &str, options: &str, weight: f64) -> ScoringDraft {
        let Value::Map(options) = json::parse(options).unwrap() else { panic!("{options}") };
        let (name, weight) = (name.map(str::to_owned), Some(weight));
        ScoringDraft { name, scorer: scorer.to_owned(), options, weight, ..ScoringDraft::default() }
    }

    #[test]
    fn checks_count_beside_entries_and_stand_in_the_place_of_their_namesakes() {
        let entries = || {
            vec![check(Some("same"), "exact_match", "{}", 1.0), check(None, "length", r#"{"max": 5}"#, 1.0)]
        };
        assert_eq!(scored(entries(), vec![], "x"), ("same=Ok(1.0) length=Ok(1.0)".to_owned(), Some(1.0)));
        let checks = vec![
            check(Some("same"), "exact_match", r#"{"value": "y"}"#, 2.0),
            check(None, "contains", r#"{"value": "x"}"#, 1.0),
            check(None, "contains", r#"{"value": "z"}"#, 3.0),
        ];
        let told = "same=Ok(0.0) length=Ok(1.0) contains=Ok(0.25)".to_owned();
        assert_eq!(scored(entries(), checks, "x"), (told, Some((1.0 + 4.0 * 0.25) / 7.0)));
    }

    #[test]
    fn a_part_of_the_output_is_judged_and_a_missing_part_is_worth_nothing() {
        let entry = |extract: Extract| ScoringDraft {
            extract: Some(extract),
            negate: true,
            ..check(None, "exact_match", "{}", 1.0)
        };
        let after = Extract { after: Some("=".into()), ..Extract::default() };
        assert_eq!(scored(vec![entry(after.clone())], vec![], "a = y").1, Some(1.0));
        assert_eq!(scored(vec![entry(after.clone())], vec![], "a = x").1, Some(0.0));
        assert_eq!(scored(vec![entry(after)], vec![], "nothing").1, Some(0.0));
    }

    #[test]
    fn templates_among_options_see_the_parameters() {
        let entry = check(None, "contains", r#"{"value": "{{ params.tone }}"}"#, 1.0);
        assert_eq!(scored(vec![entry.clone()], vec![], "so dry").1, Some(1.0));
        assert_eq!(scored(vec![entry], vec![], "warm").1, Some(0.0));
    }
}
