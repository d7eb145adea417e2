//! A scoring entry with its patterns compiled.

use std::sync::Arc;

use domain::experiment::Definition;
use domain::scoring::rating::{human_judgement, posted_judgement};
use domain::scoring::{EntryScorer, JudgeEvidence, Judgement, Score, Scorer, ScoringEntry};
use domain::stage::StageKind;
use domain::value::{Map, Value};

use super::asking::{Interviewer, ScorerAnswers};
use super::extraction::{Extraction, Part};
use super::text_rules::UnicodeRules;
use super::{Evidence, Ports};
use crate::form::{Effort, Form};
use crate::ports::offloaded;

/// The input of a sample without one.
static NOTHING: Value = Value::Null;

/// What a scorer said: a judgement, nothing about this sample, or why it failed.
pub(super) type ScorerOutcome = Result<Option<Judgement>, String>;

/// What there is to judge, and who answers the calls of scorers.
pub(super) struct Subject<'a, A> {
    pub(super) evidence: Evidence<'a>,
    pub(super) ports: &'a Ports,
    pub(super) interviewer: Interviewer<'a, A>,
}

/// An entry, ready to judge.
pub(super) struct ReadyEntry {
    entry: ScoringEntry,
    stage: String,
    /// The last stage before it that retrieves texts.
    context: Option<String>,
    extraction: Option<Extraction>,
    /// `None` where its options are rendered for each sample.
    scorer: Option<Arc<ReadyScorer>>,
}

/// A scorer with its format compiled. A format that does not compile was stored by another release, or came of a
/// template: every score then fails with that error.
struct ReadyScorer {
    scorer: Scorer,
    form: Option<Result<Form, String>>,
}

impl ReadyEntry {
    pub(super) fn new(entry: ScoringEntry, definition: &Definition) -> Self {
        let judged = definition.judged_stage(&entry);
        let stage = definition.stages()[judged].name.as_str().to_owned();
        let before = definition.stages()[..judged].iter().rev();
        let context = before.clone().find(|stage| matches!(stage.kind, StageKind::Retrieve(_)));
        let context = context.map(|stage| stage.name.as_str().to_owned());
        let extraction = entry.extract.clone().map(Extraction::new);
        let scorer = match &entry.scorer {
            EntryScorer::Fixed(scorer) => Some(Arc::new(ReadyScorer::new(scorer.clone()))),
            EntryScorer::Templated(_) => None,
        };
        Self { entry, stage, context, extraction, scorer }
    }

    pub(super) async fn judge<A: ScorerAnswers>(
        &self,
        subject: &Subject<'_, A>,
    ) -> Result<ScorerOutcome, A::Stop> {
        let Some(output) = subject.evidence.progress.output(&self.stage) else { return Ok(Ok(None)) };
        let part = match &self.extraction {
            None => None,
            Some(extraction) => match extraction.find(output, subject.ports).await {
                Ok(Part::Found(part)) => Some(part),
                Ok(Part::Missing(why)) => {
                    return Ok(Ok(Some(Judgement::new(Score::ZERO).with("error", Value::from(why)))));
                }
                Err(why) => return Ok(Err(why)),
            },
        };
        let output = part.as_ref().unwrap_or(output);
        let scorer = match self.scorer(output, subject) {
            Ok(scorer) => scorer,
            Err(why) => return Ok(Err(why)),
        };
        let judged = self.apply(&scorer, output, subject).await?;
        Ok(judged.map(|judged| judged.map(|judgement| self.entry.conclude(judgement))))
    }

    /// The scorer, with its options rendered.
    fn scorer<A>(&self, output: &Value, subject: &Subject<'_, A>) -> Result<Arc<ReadyScorer>, String> {
        match (&self.scorer, &self.entry.scorer) {
            (Some(scorer), _) => Ok(Arc::clone(scorer)),
            (None, EntryScorer::Templated(template)) => {
                let Evidence { pipeline, progress, .. } = subject.evidence;
                let scope = pipeline.scorer_scope(progress).with("output", output);
                template.render(&scope).map(ReadyScorer::new).map(Arc::new)
            }
            (None, EntryScorer::Fixed(scorer)) => Ok(Arc::new(ReadyScorer::new(scorer.clone()))),
        }
    }

    async fn apply<A: ScorerAnswers>(
        &self,
        ready: &Arc<ReadyScorer>,
        output: &Value,
        subject: &Subject<'_, A>,
    ) -> Result<ScorerOutcome, A::Stop> {
        let Evidence { expected, measured, ratings, place: (sample, _), .. } = subject.evidence;
        Ok(match &ready.scorer {
            Scorer::LlmJudge(judge) => {
                let evidence = self.judge_evidence(output, subject);
                return subject.interviewer.judge(judge, &evidence).await;
            }
            Scorer::EmbeddingSimilarity(scorer) => {
                return subject.interviewer.compare(scorer, output, &expected.references).await;
            }
            Scorer::Service(scorer) => {
                return subject.interviewer.consult(scorer, output, context(subject.evidence)).await;
            }
            Scorer::Latency(target) => Ok(target.evaluate(measured)),
            Scorer::Cost(target) => target.evaluate(measured).map_err(|error| error.to_string()),
            Scorer::HumanRating => Ok(human_judgement(ratings, sample)),
            Scorer::External => Ok(posted_judgement(ratings, &self.entry.name, sample)),
            _ => ready.judge_bounded(output, &expected.references, subject.ports).await,
        })
    }

    fn judge_evidence<'a, A>(&self, output: &'a Value, subject: &'a Subject<'_, A>) -> JudgeEvidence<'a> {
        let Evidence { progress, expected, .. } = subject.evidence;
        let field = |name: &str| progress.sample().as_map().and_then(|sample| sample.get(name));
        let retrieved = self.context.as_ref().and_then(|stage| progress.output(stage));
        let given = || field("meta").and_then(Value::as_map).and_then(|meta| meta.get("context"));
        JudgeEvidence {
            input: field("input").unwrap_or(&NOTHING),
            output,
            references: &expected.references,
            context: retrieved.or_else(given),
        }
    }
}

/// What a service is told beside the output.
fn context(evidence: Evidence<'_>) -> Map {
    let Evidence { pipeline, progress, place: (_, repeat), measured, .. } = evidence;
    let latency = measured.latency.map(|latency| ("latency_ms", Value::number(latency.as_secs_f64() * 1e3)));
    let cost = measured.cost.map(|cost| ("cost", Value::number(cost.dollars())));
    let known = [("repeat", Value::from(repeat))].into_iter().chain(latency).chain(cost);
    let mut context = pipeline.scorer_context(progress);
    context.extend(known.map(|(name, value)| (name.to_owned(), value)));
    context
}

impl ReadyScorer {
    fn new(scorer: Scorer) -> Self {
        let form = match &scorer {
            Scorer::Format(format) => Some(Form::compile(format).map_err(|problem| problem.detail)),
            _ => None,
        };
        Self { scorer, form }
    }

    /// Judges an output here, in a thread for long work, or in a process that can be ended, after the work that it takes.
    async fn judge_bounded(
        self: &Arc<Self>,
        output: &Value,
        references: &[Value],
        ports: &Ports,
    ) -> ScorerOutcome {
        match (self.effort(output, references), &self.scorer) {
            (Effort::Little, _) => self.judge(output, references),
            (Effort::Unbounded, Scorer::Format(format)) => {
                ports.formats.check(format, &output.to_text()).await.map(Some)
            }
            _ => {
                let (scorer, output, references) = (Arc::clone(self), output.clone(), references.to_vec());
                let judged = offloaded(&*ports.offload, move || scorer.judge(&output, &references)).await;
                judged.unwrap_or_else(|| Err("the scorer broke down".to_owned()))
            }
        }
    }

    /// What judging an output takes.
    fn effort(&self, output: &Value, references: &[Value]) -> Effort {
        let size = || {
            let references = references.iter().map(|reference| reference.to_text().len());
            output.to_text().len() + references.sum::<usize>()
        };
        match &self.form {
            Some(Ok(form)) => form.effort(&output.to_text()),
            Some(Err(_)) => Effort::Little,
            None if self.scorer.is_heavy(size()) => Effort::Much,
            None => Effort::Little,
        }
    }

    fn judge(&self, output: &Value, references: &[Value]) -> ScorerOutcome {
        match &self.form {
            None => {
                self.scorer.evaluate(output, references, &UnicodeRules).map_err(|error| error.to_string())
            }
            Some(Ok(form)) => Ok(Some(form.judge(&output.to_text()))),
            Some(Err(error)) => Err(error.clone()),
        }
    }
}
