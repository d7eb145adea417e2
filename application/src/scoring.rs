//! Scores outputs with an experiment's scorers and with checks that samples bring.

mod asking;
mod check;
mod extraction;
mod ready;
mod text_rules;

use std::sync::Arc;

use domain::experiment::Definition;
use domain::pipeline::{Pipeline, SampleProgress};
use domain::sample::Expectations;
use domain::scoring::rating::{HUMAN_RATING, Rating};
use domain::scoring::{Entry, Judgement, Measured, Scorer, ScoringEntry, combined, sample_weights, weighted};
use futures::future::join_all;

use self::asking::Interviewer;
pub(crate) use self::asking::{ScorerAnswers, ScorerModel, ScorerQuestion};
use self::ready::{ReadyEntry, ScorerOutcome, Subject};
use crate::ports::{EnginePorts, FormatChecker, Offload};

/// The ports that scorers use.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    pub formats: Arc<dyn FormatChecker>,
    pub offload: Arc<dyn Offload>,
}

impl Ports {
    /// Those of the engine.
    #[must_use]
    pub fn of_engine(ports: &EnginePorts) -> Self {
        Self { formats: Arc::clone(&ports.formats), offload: Arc::clone(&ports.offload) }
    }
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

/// What scorers judge: one repetition of a sample that has passed every stage.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// The stages that it went through.
    pub(crate) pipeline: &'a Pipeline,
    /// The sample, and the outputs of the stages.
    pub(crate) progress: &'a SampleProgress,
    /// What is expected of it.
    pub(crate) expected: &'a Expectations,
    /// The sample, by its index in the set, and the repetition, from 1.
    pub(crate) place: (u32, u32),
    /// What its calls took.
    pub(crate) measured: Measured,
    /// What people and other programs think of its run.
    pub(crate) ratings: &'a [Rating],
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

    /// What scores are called, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All scorers with their weights, by number.
    pub(crate) fn scorers(&self) -> &[(String, f64)] {
        &self.scorers
    }

    /// The scorers, by number, that go by ratings of people, or by scores that are posted under this name. Checks that only
    /// samples bring may do so too.
    pub(crate) fn rated(&self, name: &str) -> Vec<u32> {
        let entries = self.definition.scoring();
        let rated = |number: usize| match entries.get(number) {
            Some(entry) => match entry.scorer.outline() {
                Scorer::HumanRating => name == HUMAN_RATING,
                Scorer::External => entry.name == name,
                _ => false,
            },
            None => true,
        };
        (0_u32..).zip(0..self.names.len()).filter(|(_, i)| rated(*i)).map(|(number, _)| number).collect()
    }

    /// The experiment's own scorers that ask models or services; templates stand where their values will be.
    pub(crate) fn asking(&self) -> impl Iterator<Item = &Scorer> {
        let scorers = self.definition.scoring().iter().map(|entry| entry.scorer.outline());
        scorers.filter(|scorer| scorer.asks())
    }

    /// Whether there are any.
    pub(crate) fn asks(&self) -> bool {
        self.asking().next().is_some()
    }

    /// Judges the outputs of one repetition of a sample; what takes long is done elsewhere.
    ///
    /// # Errors
    /// What stops whoever answers the calls of scorers.
    pub(crate) async fn judge<A: ScorerAnswers>(
        &self,
        evidence: Evidence<'_>,
        answers: &A,
    ) -> Result<RepeatScores, A::Stop> {
        let weights = sample_weights(&self.scorers, &evidence.expected.checks);
        let outcomes = self.outcomes(evidence, answers).await;
        let mut entries = Vec::new();
        let mut counted = Vec::with_capacity(weights.len());
        for ((number, outcome), weight) in (0..).zip(outcomes).zip(weights) {
            let outcome = outcome?;
            counted.push((weight, entry_of(&outcome)));
            entries.extend(outcome.transpose().map(|judgement| ScorerResult { scorer: number, judgement }));
        }
        Ok(RepeatScores { entries, score: weighted(&counted) })
    }

    /// The same by some of the scorers only.
    ///
    /// # Errors
    /// What stops whoever answers the calls of scorers.
    pub(crate) async fn judge_by<A: ScorerAnswers>(
        &self,
        only: &[u32],
        evidence: Evidence<'_>,
        answers: &A,
    ) -> Result<Vec<ScorerResult>, A::Stop> {
        let mut results = Vec::new();
        for (number, name) in (0..).zip(&self.names).filter(|(number, _)| only.contains(number)) {
            let outcome = self.outcome(number, name, evidence, answers).await?;
            results.extend(outcome.transpose().map(|judgement| ScorerResult { scorer: number, judgement }));
        }
        Ok(results)
    }

    /// Has the scorers judge that ask models, for the sake of their calls.
    ///
    /// # Errors
    /// What stops whoever answers them.
    pub(crate) async fn ask<A: ScorerAnswers>(
        &self,
        evidence: Evidence<'_>,
        answers: &A,
    ) -> Result<(), A::Stop> {
        for ((number, name), entry) in (0..).zip(&self.names).zip(self.definition.scoring()) {
            if entry.scorer.outline().asked_model().is_some() {
                self.outcome(number, name, evidence, answers).await?.ok();
            }
        }
        Ok(())
    }

    /// What each scorer says. Scorers that ask others do so side by side, and each is waited for, because its calls are
    /// paid.
    async fn outcomes<A: ScorerAnswers>(
        &self,
        evidence: Evidence<'_>,
        answers: &A,
    ) -> Vec<Result<ScorerOutcome, A::Stop>> {
        let scorers = (0..).zip(&self.names);
        let judging = scorers.map(|(number, name)| self.outcome(number, name, evidence, answers));
        if self.asks() {
            return join_all(judging).await;
        }
        let mut outcomes = Vec::with_capacity(self.names.len());
        for outcome in judging {
            outcomes.push(outcome.await);
        }
        outcomes
    }

    async fn outcome<A: ScorerAnswers>(
        &self,
        number: u32,
        name: &str,
        evidence: Evidence<'_>,
        answers: &A,
    ) -> Result<ScorerOutcome, A::Stop> {
        let subject =
            Subject { evidence, ports: &self.ports, interviewer: Interviewer::new(answers, number) };
        match self.own_checks(name, evidence.expected) {
            Some(checks) => combine(&checks, &subject).await,
            None => match self.entries.get(number as usize) {
                Some(entry) => entry.judge(&subject).await,
                None => Ok(Ok(None)),
            },
        }
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
async fn combine<A: ScorerAnswers>(
    checks: &[(f64, ReadyEntry)],
    subject: &Subject<'_, A>,
) -> Result<ScorerOutcome, A::Stop> {
    let mut judgements = Vec::with_capacity(checks.len());
    for (weight, check) in checks {
        match check.judge(subject).await? {
            Ok(judgement) => judgements.extend(judgement.map(|judgement| (*weight, judgement))),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(combined(judgements)))
}

fn entry_of(said: &ScorerOutcome) -> Entry {
    match said {
        Ok(Some(judgement)) => Entry::Value(judgement.value),
        Ok(None) => Entry::Absent,
        Err(_) => Entry::Failed,
    }
}

#[cfg(test)]
mod tests;
