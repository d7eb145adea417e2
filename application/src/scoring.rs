//! Scores outputs with an experiment's scorers.

use std::sync::Arc;

use domain::experiment::Definition;
use domain::pipeline::SampleProgress;
use domain::problem::Problem;
use domain::sample::Expectations;
use domain::scoring::{Entry, Judgement, Scorer, weighted};
use domain::value::Value;

use crate::form::{Effort, Form, MAX_PATTERN_UNITS};
use crate::ports::{FormatChecker, Offload, offloaded};

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
    judges: Vec<StageScorer>,
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
    /// The scoring entry, from 0.
    pub scorer: u32,
    /// The judgement, or why the scorer failed.
    pub judgement: Result<Judgement, String>,
}

struct StageScorer {
    stage: String,
    weight: f64,
    means: Arc<ReadyScorer>,
}

/// A scorer with its format compiled. A format that does not compile was stored by another release: every score
/// then fails with that error.
struct ReadyScorer {
    scorer: Scorer,
    form: Option<Result<Form, String>>,
}

type ScorerOutcome = Result<Option<Judgement>, String>;

impl Evaluator {
    /// The scorers of an experiment.
    #[must_use]
    pub fn new(definition: &Definition, ports: Ports) -> Self {
        let judges = definition.scoring().iter().map(|entry| StageScorer {
            stage: definition.stages()[definition.judged_stage(entry)].name.as_str().to_owned(),
            weight: entry.weight,
            means: Arc::new(ReadyScorer::new(&entry.scorer)),
        });
        let names = definition.scoring().iter().map(|entry| entry.name.clone());
        Self { ports, judges: judges.collect(), names: names.collect() }
    }

    /// What is wrong with schemas and patterns of scorers, each with its place in the document.
    #[must_use]
    pub fn check(definition: &Definition) -> Vec<Problem> {
        let mut pattern_units = 0;
        let entries = definition.scoring().iter().enumerate();
        let wrong = entries.filter_map(|(i, entry)| {
            let Scorer::Format(format) = &entry.scorer else { return None };
            let form = Form::compile(format).map(|form| pattern_units += form.pattern_units());
            let problem = match form {
                Err(problem) => problem,
                Ok(()) if pattern_units > MAX_PATTERN_UNITS => {
                    let detail =
                        "the patterns of all scorers together are too large: simplify or remove some";
                    Problem::new("", "too_large", detail)
                }
                Ok(()) => return None,
            };
            Some(problem.under(&format!("/scoring_config/{i}/options")))
        });
        wrong.collect()
    }

    /// The names of the scoring entries, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Judges the outputs of one repetition of a sample; what takes long is done elsewhere.
    pub async fn judge(&self, progress: &SampleProgress, expected: &Expectations) -> RepeatScores {
        let reference = expected.references.first();
        let mut entries = Vec::new();
        let mut counted = Vec::with_capacity(self.judges.len());
        for (scorer, judge) in (0..).zip(&self.judges) {
            let said = judge.judge(progress, reference, &self.ports).await;
            counted.push((judge.weight, entry_of(&said)));
            entries.extend(judged(scorer, said));
        }
        RepeatScores { entries, score: weighted(&counted) }
    }
}

fn entry_of(said: &ScorerOutcome) -> Entry {
    match said {
        Ok(Some(judgement)) => Entry::Value(judgement.value),
        Ok(None) => Entry::Absent,
        Err(_) => Entry::Failed,
    }
}

fn judged(scorer: u32, said: ScorerOutcome) -> Option<ScorerResult> {
    said.transpose().map(|judgement| ScorerResult { scorer, judgement })
}

impl StageScorer {
    async fn judge(
        &self,
        progress: &SampleProgress,
        reference: Option<&Value>,
        ports: &Ports,
    ) -> ScorerOutcome {
        let Some(output) = progress.output(&self.stage) else { return Ok(None) };
        let effort = self.means.effort(output, reference);
        match (effort, &self.means.scorer) {
            (Effort::Little, _) => self.means.judge(output, reference),
            (Effort::Unbounded, Scorer::Format(format)) => {
                ports.formats.check(format, &output.to_text()).await.map(Some)
            }
            _ => {
                let (means, output, reference) =
                    (Arc::clone(&self.means), output.clone(), reference.cloned());
                let judged =
                    offloaded(&*ports.offload, move || means.judge(&output, reference.as_ref())).await;
                judged.unwrap_or_else(|| Err("the scorer broke down".to_owned()))
            }
        }
    }
}

impl ReadyScorer {
    fn new(scorer: &Scorer) -> Self {
        let form = match scorer {
            Scorer::Format(format) => Some(Form::compile(format).map_err(|problem| problem.detail)),
            _ => None,
        };
        Self { scorer: scorer.clone(), form }
    }

    /// What judging an output takes.
    fn effort(&self, output: &Value, reference: Option<&Value>) -> Effort {
        let size = || output.to_text().len() + reference.map_or(0, |reference| reference.to_text().len());
        match &self.form {
            Some(Ok(form)) => form.effort(&output.to_text()),
            Some(Err(_)) => Effort::Little,
            None if self.scorer.is_heavy(size()) => Effort::Much,
            None => Effort::Little,
        }
    }

    fn judge(&self, output: &Value, reference: Option<&Value>) -> ScorerOutcome {
        match &self.form {
            None => self.scorer.evaluate(output, reference).map_err(|error| error.to_string()),
            Some(Ok(form)) => Ok(Some(form.judge(&output.to_text()))),
            Some(Err(error)) => Err(error.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use domain::experiment::{Draft, LlmDraft, StageDraft};
    use domain::scoring::Score;
    use domain::scoring::ScoringDraft;

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
        let evaluator = Evaluator::new(&definition(scoring), ports);
        let judged = futures::executor::block_on(evaluator.judge(&passed(output), &expecting("x")));
        (judged, here.0.load(std::sync::atomic::Ordering::Relaxed))
    }

    fn value(judged: &RepeatScores, scorer: usize) -> Option<f64> {
        judged.entries[scorer].judgement.as_ref().ok().map(|judgement| judgement.value.value())
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
        let evaluator = Evaluator::new(&definition(vec![scorer("similarity", "{}")]), ports);
        let expected = expecting(&"ba".repeat(500_001));
        let judged = futures::executor::block_on(evaluator.judge(&passed(&long), &expected));
        let told = judged.entries[0].judgement.as_ref().unwrap_err();
        assert!(told.contains("token_f1"), "{told}");
    }
}
