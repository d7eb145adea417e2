//! Has outputs judged by an experiment's scorers.

use std::sync::Arc;

use domain::experiment::Definition;
use domain::pipeline::Progress;
use domain::problem::Problem;
use domain::scoring::{Entry, Judgement, Scorer, weighted};
use domain::value::{Map, Value};

use crate::form::Form;
use crate::ports::{Offload, offloaded};

/// The scorers of an experiment, ready to judge.
pub struct Evaluator {
    judges: Vec<Judge>,
    names: Vec<String>,
}

/// What scorers said of one repetition of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What each scorer said that had something to say.
    pub entries: Vec<JudgedEntry>,
    /// The weighted score; `None` where it cannot be said.
    pub score: Option<f64>,
}

/// What one scorer said.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedEntry {
    /// The scoring entry, from 0.
    pub scorer: u32,
    /// The score; `None` where the scorer failed.
    pub value: Option<f64>,
    /// What the scorer has to say beyond the number.
    pub metadata: Map,
    /// Why it failed.
    pub error: Option<String>,
}

struct Judge {
    stage: String,
    weight: f64,
    means: Arc<Means>,
}

/// What a judge needs. A form that could not be made ready was stored by another release: it fails each score.
struct Means {
    scorer: Scorer,
    form: Option<Result<Form, String>>,
}

type Said = Result<Option<Judgement>, String>;

impl Evaluator {
    /// The scorers of an experiment.
    #[must_use]
    pub fn new(definition: &Definition) -> Self {
        let judges = definition.scoring().iter().map(|entry| Judge {
            stage: definition.stages()[definition.judged_stage(entry)].name.as_str().to_owned(),
            weight: entry.weight,
            means: Arc::new(Means::new(&entry.scorer)),
        });
        let names = definition.scoring().iter().map(|entry| entry.name.clone());
        Self { judges: judges.collect(), names: names.collect() }
    }

    /// What is wrong with schemas and patterns of scorers, each with its place in the document.
    #[must_use]
    pub fn check(definition: &Definition) -> Vec<Problem> {
        let entries = definition.scoring().iter().enumerate();
        let wrong = entries.filter_map(|(i, entry)| {
            let Scorer::Format(format) = &entry.scorer else { return None };
            let (option, detail) = Form::compile(format).err()?;
            Some(Problem::new(format!("/scoring_config/{i}/options/{option}"), "wrong_value", detail))
        });
        wrong.collect()
    }

    /// The names of the scoring entries, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Judges the outputs of one repetition of a sample; what takes long is done elsewhere.
    pub async fn judge(
        &self,
        progress: &Progress,
        reference: Option<&Value>,
        offload: &dyn Offload,
    ) -> Judged {
        let mut entries = Vec::new();
        let mut counted = Vec::with_capacity(self.judges.len());
        for (scorer, judge) in (0..).zip(&self.judges) {
            let said = judge.judge(progress, reference, offload).await;
            counted.push((judge.weight, entry_of(&said)));
            entries.extend(judged(scorer, said));
        }
        Judged { entries, score: weighted(&counted) }
    }
}

fn entry_of(said: &Said) -> Entry {
    match said {
        Ok(Some(judgement)) => Entry::Value(judgement.value),
        Ok(None) => Entry::Absent,
        Err(_) => Entry::Failed,
    }
}

fn judged(scorer: u32, said: Said) -> Option<JudgedEntry> {
    match said {
        Ok(Some(Judgement { value, metadata })) => {
            Some(JudgedEntry { scorer, value: Some(value.value()), metadata, error: None })
        }
        Ok(None) => None,
        Err(error) => Some(JudgedEntry { scorer, value: None, metadata: Map::new(), error: Some(error) }),
    }
}

impl Judge {
    async fn judge(&self, progress: &Progress, reference: Option<&Value>, offload: &dyn Offload) -> Said {
        let Some(output) = progress.output(&self.stage) else { return Ok(None) };
        let size = output.to_text().len() + reference.map_or(0, |reference| reference.to_text().len());
        if !self.means.scorer.is_heavy(size) {
            return self.means.judge(output, reference);
        }
        let (means, output, reference) = (Arc::clone(&self.means), output.clone(), reference.cloned());
        let judged = offloaded(offload, move || means.judge(&output, reference.as_ref())).await;
        judged.unwrap_or_else(|| Err("the scorer broke down".to_owned()))
    }
}

impl Means {
    fn new(scorer: &Scorer) -> Self {
        let form = match scorer {
            Scorer::Format(format) => Some(Form::compile(format).map_err(|(_, detail)| detail)),
            _ => None,
        };
        Self { scorer: scorer.clone(), form }
    }

    fn judge(&self, output: &Value, reference: Option<&Value>) -> Said {
        match &self.form {
            None => Ok(self.scorer.evaluate(output, reference)),
            Some(Ok(form)) => Ok(Some(form.judge(&output.to_text()))),
            Some(Err(error)) => Err(error.clone()),
        }
    }
}
