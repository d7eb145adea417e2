//! Counts the calls of scorers.

use domain::call::Call;
use domain::pipeline::Pipeline;
use domain::sample::Expectations;
use domain::scoring::{AskedModel, Measured, Scorer};

use crate::catalog::Catalog;
use crate::ports::{CallStore, StoreError};
use crate::scoring::{Evaluator, Evidence, ScorerAnswers, ScorerModel, ScorerQuestion};
use crate::walk::{Answers as _, AskedCalls, HashedCall, KnownAnswers, KnownIndexes, Replies, WalkRecord};

/// The scorers of an experiment, and the models that they can ask.
pub(super) struct AskingScorers<'a> {
    pub(super) evaluator: &'a Evaluator,
    pub(super) catalog: &'a Catalog,
    pub(super) calls: &'a dyn CallStore,
}

/// The calls of scorers for one output: those that are determined, and how many others there are by the limit of their
/// output tokens.
#[derive(Default)]
pub(super) struct ScorerCensus {
    pub(super) asked: AskedCalls,
    pub(super) undetermined: Vec<u64>,
}

impl AskingScorers<'_> {
    /// The calls for what one repetition of a sample came to.
    pub(super) async fn count(
        &self,
        pipeline: &Pipeline,
        record: &WalkRecord,
        expected: &Expectations,
    ) -> Result<ScorerCensus, StoreError> {
        if !self.evaluator.asks() {
            return Ok(ScorerCensus::default());
        }
        let indexes = KnownIndexes::default();
        let known = KnownAnswers::new(self.calls, &indexes, String::new());
        let known = KnownScorerAnswers { catalog: self.catalog, known };
        let undetermined = if record.is_complete(pipeline.stages().len()) {
            let (progress, measured) = (&record.progress, Measured::default());
            let evidence = Evidence { pipeline, progress, expected, place: (0, 1), measured, ratings: &[] };
            self.evaluator.ask(evidence, &known).await?;
            self.of_services().collect()
        } else {
            self.undetermined(expected, &known).await?
        };
        Ok(ScorerCensus { asked: known.known.into_asked(), undetermined })
    }

    /// One call for each scorer that asks a service: none of them is ever cached.
    fn of_services(&self) -> impl Iterator<Item = u64> {
        self.evaluator.asking().filter(|scorer| matches!(scorer, Scorer::Service(_))).map(|_| 0)
    }

    /// The calls for an output that is not known yet. The accepted answers are known.
    async fn undetermined(
        &self,
        expected: &Expectations,
        known: &KnownScorerAnswers<'_>,
    ) -> Result<Vec<u64>, StoreError> {
        let mut undetermined: Vec<u64> = self.of_services().collect();
        for scorer in self.evaluator.asking() {
            match scorer {
                Scorer::LlmJudge(judge) => undetermined.push(judge.max_tokens),
                Scorer::EmbeddingSimilarity(scorer) if !expected.references.is_empty() => {
                    undetermined.push(0);
                    let Ok(model) = known.model(AskedModel::Embedding(&scorer.model)) else { continue };
                    let calls = scorer.reference_calls(&model.binding(), &expected.references);
                    let calls = calls.into_iter().map(|call| HashedCall::shared(Call::from(call)));
                    known.known.answer(0, calls.collect()).await?;
                }
                _ => {}
            }
        }
        Ok(undetermined)
    }
}

/// Answers with what the cache knows, and notes the calls that it does not.
struct KnownScorerAnswers<'a> {
    catalog: &'a Catalog,
    known: KnownAnswers<'a>,
}

impl ScorerAnswers for KnownScorerAnswers<'_> {
    type Stop = StoreError;

    fn model(&self, asked: AskedModel<'_>) -> Result<ScorerModel, String> {
        self.catalog.scorer_model(asked)
    }

    async fn answer(&self, question: ScorerQuestion) -> Result<Replies, StoreError> {
        let calls = question.calls.into_iter().map(HashedCall::shared).collect();
        self.known.answer(0, calls).await
    }
}
