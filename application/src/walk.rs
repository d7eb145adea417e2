//! Takes one repetition of a sample through the stages of a pipeline. It knows which calls a stage needs and what comes of
//! their answers; who answers them is up to the caller: the engine claims and makes them, an estimate looks them up, a
//! preview shows them.

mod known;
mod search;

use std::sync::Arc;
use std::time::Duration;

use domain::call::{Call, CallFailure, Digest, FailureKind, Reply};
use domain::experiment::Definition;
use domain::id::RunId;
use domain::money::NanoDollars;
use domain::pipeline::{Corpus, Pipeline, SampleProgress, StageOutput, Step};
use domain::run::{ErrorKind, StageError};
use domain::scoring::Measured;
use domain::value::Value;

pub(crate) use self::known::{AskedCalls, KnownAnswers, KnownIndexes};
pub(crate) use self::search::make_index;
use crate::digest::sha256;
use crate::indexes::{CorpusIndex, IndexReply};
use crate::json;
use crate::ports::{Offload, StoredAnswer, offloaded};

/// A call with the hash that caches go by.
#[derive(Debug, Clone)]
pub(crate) struct HashedCall {
    pub(crate) call: Arc<Call>,
    pub(crate) hash: Digest,
}

impl HashedCall {
    /// A call whose answer is shared by all who make it.
    pub(crate) fn shared(call: Call) -> Self {
        Self::new(call, String::new)
    }

    /// A call for this owner, who has its answer alone where the call is not shared.
    pub(crate) fn new(call: Call, owner: impl FnOnce() -> String) -> Self {
        let hash = sha256(&call.canonical(sha256, owner));
        Self { call: Arc::new(call), hash }
    }
}

/// Names the walk of a run's sample: see [`Answers::owner`].
pub(crate) fn run_owner(run: RunId, sample: u32, repeat: u32) -> String {
    format!("run {run}/{sample}/{repeat}")
}

/// Answers the calls of stages.
pub(crate) trait Answers: Sync {
    /// Why a walk is aborted.
    type Stop: Send;

    /// Names the walk, for calls whose answers are not shared. A walk that is taken again after an interruption has the same
    /// name, so that it finds the answers that were stored; no other walk has it.
    fn owner(&self) -> String;

    /// The answers to the calls of a stage, in their order.
    fn answer(
        &self,
        stage: usize,
        calls: Vec<HashedCall>,
    ) -> impl Future<Output = Result<Replies, Self::Stop>> + Send;

    /// The index of a corpus that a stage searches, made of the answers to its calls.
    fn index(
        &self,
        stage: usize,
        corpus: Corpus,
        offload: &dyn Offload,
    ) -> impl Future<Output = Result<IndexReply, Self::Stop>> + Send
    where
        Self: Sized,
    {
        make_index(self, stage, corpus, offload)
    }
}

/// The outcome of a stage's calls.
#[derive(Debug)]
pub(crate) enum Replies {
    /// Each has been answered.
    Complete(Vec<Arc<StoredAnswer>>),
    /// One has failed for good; the others' answers.
    Failed(Vec<Arc<StoredAnswer>>, StageError),
    /// They have not been made.
    Unknown,
}

impl Replies {
    /// The answers that calls got, and the first failure among them.
    pub(crate) fn of(answers: Vec<Arc<StoredAnswer>>, failure: Option<CallFailure>) -> Self {
        match failure {
            None => Self::Complete(answers),
            Some(failure) => Self::Failed(answers, StageError::new(failure.kind, failure.message)),
        }
    }
}

/// How a stage ended.
#[derive(Debug)]
pub(crate) enum StageEnd {
    /// It has an output.
    Passed,
    /// The stage failed, and with it the sample.
    Failed(StageError),
    /// Its calls have no answers yet.
    Unanswered,
    /// Its calls rest on an output that is not known yet.
    Undetermined(StageError),
}

/// The result of a stage.
#[derive(Debug)]
pub(crate) struct StageRecord {
    pub(crate) answers: Vec<Arc<StoredAnswer>>,
    /// What it searched, whose answers count for it too.
    pub(crate) corpus: Option<Arc<CorpusIndex>>,
    pub(crate) end: StageEnd,
}

/// The stages that a repetition of a sample went through, in order, and the outputs of those that it passed.
#[derive(Debug)]
pub(crate) struct WalkRecord {
    pub(crate) progress: SampleProgress,
    pub(crate) stages: Vec<StageRecord>,
}

/// A pipeline that samples are taken through. Long computations go through the offload port.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub(crate) pipeline: &'a Arc<Pipeline>,
    pub(crate) definition: &'a Arc<Definition>,
    pub(crate) offload: &'a dyn Offload,
}

impl Walk<'_> {
    /// Takes one repetition of a sample through the stages: to the last one, or to the first that fails. Past a stage
    /// without answers it goes on, as far as later stages do not rest on its output.
    pub(crate) async fn through<A: Answers>(
        &self,
        mut progress: SampleProgress,
        repeat: u32,
        answers: &A,
    ) -> Result<WalkRecord, A::Stop> {
        let mut stages = Vec::with_capacity(self.pipeline.stages().len());
        let mut unanswered = false;
        for stage in 0..self.pipeline.stages().len() {
            let record = match self.begin(stage, &progress, repeat).await {
                Ok(Step::Output(output)) => self.passed(stage, Vec::new(), output, &mut progress),
                Ok(Step::Calls(calls)) => {
                    let owner = || format!("{}/{stage}", answers.owner());
                    let calls = calls.into_iter().map(|call| HashedCall::new(call, owner)).collect();
                    self.finish(stage, answers.answer(stage, calls).await?, &mut progress).await
                }
                Ok(Step::Search(search)) => self.search(stage, *search, answers, &mut progress).await?,
                Err(error) if unanswered => StageRecord::ended(StageEnd::Undetermined(error)),
                Err(error) => StageRecord::ended(StageEnd::Failed(error)),
            };
            unanswered |= matches!(record.end, StageEnd::Unanswered | StageEnd::Undetermined(_));
            let failed = matches!(record.end, StageEnd::Failed(_));
            stages.push(record);
            if failed {
                break;
            }
        }
        Ok(WalkRecord { progress, stages })
    }

    /// What a stage needs.
    async fn begin(&self, stage: usize, progress: &SampleProgress, repeat: u32) -> Result<Step, StageError> {
        let documents = self.definition.documents();
        if let Some(step) = self.pipeline.begin_quickly(stage, progress, documents, repeat) {
            return Ok(step);
        }
        let (pipeline, definition) = (Arc::clone(self.pipeline), Arc::clone(self.definition));
        let progress = progress.clone();
        let begin = move || pipeline.begin(stage, &progress, definition.documents(), repeat);
        let begun = offloaded(self.offload, begin).await;
        begun.unwrap_or_else(|| Err(StageError::new(ErrorKind::Template, "rendering broke down")))
    }

    /// What a stage comes to with these replies.
    async fn finish(&self, stage: usize, replies: Replies, progress: &mut SampleProgress) -> StageRecord {
        let answers = match replies {
            Replies::Complete(answers) => answers,
            Replies::Failed(answers, error) => return StageRecord::failed(answers, error),
            Replies::Unknown => return StageRecord::ended(StageEnd::Unanswered),
        };
        match self.output(stage, progress, &answers).await {
            Ok(output) => self.passed(stage, answers, output.into(), progress),
            Err(error) => StageRecord::failed(answers, error),
        }
    }

    fn passed(
        &self,
        stage: usize,
        answers: Vec<Arc<StoredAnswer>>,
        output: StageOutput,
        progress: &mut SampleProgress,
    ) -> StageRecord {
        progress.passed(self.pipeline.stages()[stage].name(), output);
        StageRecord { answers, ..StageRecord::ended(StageEnd::Passed) }
    }

    /// The output of a stage whose calls were answered.
    async fn output(
        &self,
        stage: usize,
        progress: &SampleProgress,
        answers: &[Arc<StoredAnswer>],
    ) -> Result<Value, StageError> {
        let bytes = answers.iter().map(|answer| answer.reply.size()).sum();
        if !self.pipeline.stages()[stage].reads_slowly(bytes) {
            return read(self.pipeline, stage, progress, answers);
        }
        let (pipeline, progress) = (Arc::clone(self.pipeline), progress.clone());
        let answers = answers.to_vec();
        let read = offloaded(self.offload, move || read(&pipeline, stage, &progress, &answers)).await;
        read.unwrap_or_else(|| Err(StageError::new(FailureKind::Malformed, "reading the answer broke down")))
    }
}

fn read(
    pipeline: &Pipeline,
    stage: usize,
    progress: &SampleProgress,
    answers: &[Arc<StoredAnswer>],
) -> Result<Value, StageError> {
    let replies: Vec<&Reply> = answers.iter().map(|answer| &*answer.reply).collect();
    pipeline.finish(stage, progress, &replies, |text| json::parse(text).ok())
}

impl WalkRecord {
    /// Whether all of so many stages have been passed.
    pub(crate) fn is_complete(&self, stages: usize) -> bool {
        let passed = self.stages.iter().filter(|stage| matches!(stage.end, StageEnd::Passed));
        passed.count() == stages
    }

    /// What the calls of the stages took when they were made.
    pub(crate) fn measured(&self) -> Measured {
        let made = self.stages.iter().filter(|stage| !stage.answers.is_empty());
        let latency = made.map(|stage| stage.taken().0).reduce(Duration::saturating_add);
        Measured { latency, cost: self.stages.iter().map(|stage| stage.taken().1).sum() }
    }
}

impl StageRecord {
    /// The latency of all its calls together, and their cost where that is known.
    pub(crate) fn taken(&self) -> (Duration, Option<NanoDollars>) {
        let own = self.answers.iter().map(|answer| (answer.reply.latency, answer.cost));
        let corpus = self.corpus.iter().map(|corpus| corpus.taken());
        let none = (Duration::ZERO, Some(NanoDollars::ZERO));
        let add = |(latency, cost): (Duration, Option<NanoDollars>), (other, more): (_, Option<_>)| {
            (latency.saturating_add(other), cost.zip(more).map(|(cost, more)| cost + more))
        };
        own.chain(corpus).fold(none, add)
    }

    const fn ended(end: StageEnd) -> Self {
        Self { answers: Vec::new(), corpus: None, end }
    }

    const fn failed(answers: Vec<Arc<StoredAnswer>>, error: StageError) -> Self {
        Self { answers, corpus: None, end: StageEnd::Failed(error) }
    }
}

#[cfg(test)]
mod tests;
