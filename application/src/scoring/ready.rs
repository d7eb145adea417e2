//! A scoring entry with its patterns compiled.

use std::sync::Arc;

use domain::experiment::Definition;
use domain::pipeline::SampleProgress;
use domain::scoring::{EntryScorer, Judgement, Score, Scorer, ScoringEntry};
use domain::template::Scope;
use domain::value::Value;

use super::Ports;
use super::extraction::{Extraction, Part};
use super::text_rules::UnicodeRules;
use crate::form::{Effort, Form};
use crate::ports::offloaded;

/// What a scorer said: a judgement, nothing about this sample, or why it failed.
pub(super) type ScorerOutcome = Result<Option<Judgement>, String>;

/// What there is to judge.
pub(super) struct Subject<'a> {
    /// What templates among options see.
    pub(super) scope: Scope<'a>,
    pub(super) progress: &'a SampleProgress,
    pub(super) references: &'a [Value],
    pub(super) ports: &'a Ports,
}

/// An entry, ready to judge.
pub(super) struct ReadyEntry {
    entry: ScoringEntry,
    stage: String,
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
        let stage = definition.stages()[definition.judged_stage(&entry)].name.as_str().to_owned();
        let extraction = entry.extract.clone().map(Extraction::new);
        let scorer = match &entry.scorer {
            EntryScorer::Fixed(scorer) => Some(Arc::new(ReadyScorer::new(scorer.clone()))),
            EntryScorer::Templated(_) => None,
        };
        Self { entry, stage, extraction, scorer }
    }

    pub(super) async fn judge(&self, subject: &Subject<'_>) -> ScorerOutcome {
        let Some(output) = subject.progress.output(&self.stage) else { return Ok(None) };
        let part = match &self.extraction {
            None => None,
            Some(extraction) => match extraction.find(output, subject.ports).await? {
                Part::Found(part) => Some(part),
                Part::Missing(why) => {
                    return Ok(Some(Judgement::new(Score::ZERO).with("error", Value::from(why))));
                }
            },
        };
        let rendered;
        let scorer = match (&self.scorer, &self.entry.scorer) {
            (Some(scorer), _) => scorer,
            (None, EntryScorer::Templated(template)) => {
                rendered = Arc::new(ReadyScorer::new(template.render(&subject.scope)?));
                &rendered
            }
            (None, EntryScorer::Fixed(_)) => return Ok(None),
        };
        let judged = scorer.judge_bounded(part.as_ref().unwrap_or(output), subject).await?;
        Ok(judged.map(|judgement| self.entry.conclude(judgement)))
    }
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
    async fn judge_bounded(self: &Arc<Self>, output: &Value, subject: &Subject<'_>) -> ScorerOutcome {
        let Subject { references, ports, .. } = subject;
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
