//! Scorers that ask others: a judge, embeddings, a service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::call::Call;
use domain::configuration::Binding;
use domain::endpoint::Endpoint;
use domain::scoring::{AskedModel, EmbeddingSimilarity, Judge, JudgeEvidence, Judgement, ServiceScorer};
use domain::value::{Map, Value};

use super::extraction::first_json;
use super::ready::ScorerOutcome;
use crate::json;
use crate::ports::StoredAnswer;
use crate::walk::Replies;

/// Answers the calls of scorers.
pub(crate) trait ScorerAnswers: Sync {
    /// Why scoring is aborted.
    type Stop: Send;

    /// The endpoint and the model that a scorer asks, or why there is none.
    fn model(&self, asked: AskedModel<'_>) -> Result<ScorerModel, String>;

    /// The answers to calls of a scorer, in their order.
    fn answer(&self, question: ScorerQuestion) -> impl Future<Output = Result<Replies, Self::Stop>> + Send;
}

/// Where a scorer's calls go.
#[derive(Debug, Clone)]
pub(crate) struct ScorerModel {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) model: String,
}

/// Calls of a scorer.
#[derive(Debug)]
pub(crate) struct ScorerQuestion {
    /// The scorer, by its place in [`Definition::scorers`](domain::experiment::Definition::scorers).
    pub(crate) scorer: u32,
    /// The number of the first call among those of the scorer.
    pub(crate) first: u32,
    /// The endpoint that they go to; `None` for those of services.
    pub(crate) endpoint: Option<Arc<Endpoint>>,
    /// At least one.
    pub(crate) calls: Vec<Call>,
}

/// Asks on behalf of one scorer, which may be several checks of a sample under one name.
pub(super) struct Interviewer<'a, A> {
    pub(super) answers: &'a A,
    scorer: u32,
    calls: AtomicU32,
}

impl<'a, A: ScorerAnswers> Interviewer<'a, A> {
    pub(super) const fn new(answers: &'a A, scorer: u32) -> Self {
        Self { answers, scorer, calls: AtomicU32::new(0) }
    }

    /// The score that a judge gives.
    pub(super) async fn judge(
        &self,
        judge: &Judge,
        evidence: &JudgeEvidence<'_>,
    ) -> Result<ScorerOutcome, A::Stop> {
        if judge.needs_context() && evidence.context.is_none() {
            let detail = "there is no context to compare with: it needs a `retrieve` stage before the output, or \
                          `meta.context` of the sample";
            return Ok(Err(detail.to_owned()));
        }
        let model = match self.answers.model(AskedModel::Judge(&judge.model)) {
            Ok(model) => model,
            Err(why) => return Ok(Err(why)),
        };
        let call = judge.call(&model.binding(), evidence);
        let answered = self.ask(&model, vec![call.into()]).await?;
        Ok(answered.and_then(|answers| judgement(judge, &answers)).map(Some))
    }

    /// The similarity of the embeddings of an output and its accepted answers.
    pub(super) async fn compare(
        &self,
        scorer: &EmbeddingSimilarity,
        output: &Value,
        references: &[Value],
    ) -> Result<ScorerOutcome, A::Stop> {
        match EmbeddingSimilarity::judged_early(output, references) {
            Ok(Some(judged)) => return Ok(Ok(judged)),
            Ok(None) => {}
            Err(error) => return Ok(Err(error.to_string())),
        }
        let model = match self.answers.model(AskedModel::Embedding(&scorer.model)) {
            Ok(model) => model,
            Err(why) => return Ok(Err(why)),
        };
        let calls = scorer.calls(&model.binding(), output, references);
        let answered = self.ask(&model, calls.into_iter().map(Call::from).collect()).await?;
        Ok(answered.and_then(|answers| {
            let vectors: Vec<_> = answers.iter().filter_map(|answer| answer.reply.embedding()).collect();
            scorer.judgement(&vectors).map(Some).map_err(|error| error.to_string())
        }))
    }

    /// The score that a service gives.
    pub(super) async fn consult(
        &self,
        scorer: &ServiceScorer,
        output: &Value,
        context: Map,
    ) -> Result<ScorerOutcome, A::Stop> {
        let call = match scorer.call(output, context) {
            Ok(call) => call,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let answered = self.put(None, vec![call.into()]).await?;
        Ok(answered.map_err(|error| format!("the service did not answer: {error}")).and_then(|answers| {
            let answer = answers.first().and_then(|answer| answer.reply.service_answer());
            let answer = answer.and_then(|answer| json::parse(&answer.text).ok());
            scorer.judgement(answer).map(Some).map_err(|error| error.to_string())
        }))
    }

    /// The answers to calls of a model, or which model failed and why.
    async fn ask(
        &self,
        model: &ScorerModel,
        calls: Vec<Call>,
    ) -> Result<Result<Vec<Arc<StoredAnswer>>, String>, A::Stop> {
        let answered = self.put(Some(&model.endpoint), calls).await?;
        let ScorerModel { endpoint, model } = model;
        Ok(answered.map_err(|error| format!("`{model}` at `{}`: {error}", endpoint.label)))
    }

    async fn put(
        &self,
        endpoint: Option<&Arc<Endpoint>>,
        calls: Vec<Call>,
    ) -> Result<Result<Vec<Arc<StoredAnswer>>, String>, A::Stop> {
        let count = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        let first = self.calls.fetch_add(count, Ordering::Relaxed);
        let question = ScorerQuestion { scorer: self.scorer, first, endpoint: endpoint.cloned(), calls };
        Ok(match self.answers.answer(question).await? {
            Replies::Complete(answers) => Ok(answers),
            Replies::Failed(_, error) => Err(format!("{}: {}", error.kind.as_str(), error.message)),
            Replies::Unknown => Err("its calls were not answered".to_owned()),
        })
    }
}

impl ScorerModel {
    /// The same as calls have it.
    pub(crate) fn binding(&self) -> Binding {
        Binding { endpoint: self.endpoint.identity.clone(), model: self.model.clone() }
    }
}

/// What a judge's answer is worth. An answer that was cut might have gone on to say something else.
fn judgement(judge: &Judge, answers: &[Arc<StoredAnswer>]) -> Result<Judgement, String> {
    let answer = answers.first().ok_or("the judge's call was not answered")?;
    let (completion, flags) = (answer.reply.completion(), answer.reply.flags);
    let completion = completion.ok_or("the judge's answer is no text")?;
    if flags.truncated || flags.no_output {
        let max = judge.max_tokens;
        return Err(format!("the judge's answer was cut at its max_tokens of {max}: raise it"));
    }
    if flags.refused {
        return Err("the judge refused to answer".to_owned());
    }
    let read_json = |text: &str| first_json(text).ok().flatten();
    judge.judgement(completion, read_json).map_err(|error| error.to_string())
}
