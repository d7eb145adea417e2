//! Takes one repetition of a sample through the stages of a pipeline. It knows which calls a stage needs and what comes of
//! their answers; who answers them is up to the caller: the engine claims and makes them, an estimate looks them up, a
//! preview shows them.

use std::sync::Arc;

use domain::call::{Call, Digest, FailureKind, Reply};
use domain::experiment::Definition;
use domain::pipeline::{Corpus, Pipeline, SampleProgress, Search, StageOutput, Step};
use domain::run::{ErrorKind, StageError};
use domain::value::Value;

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
    fn new(call: Call) -> Self {
        let hash = sha256(&call.canonical());
        Self { call: Arc::new(call), hash }
    }
}

/// Answers the calls of stages.
pub(crate) trait Answers: Sync {
    /// Why a walk is aborted.
    type Stop: Send;

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
                    let calls = calls.into_iter().map(HashedCall::new).collect();
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

    /// What a stage comes to that searches a corpus.
    async fn search<A: Answers>(
        &self,
        stage: usize,
        Search { query, corpus }: Search,
        answers: &A,
        progress: &mut SampleProgress,
    ) -> Result<StageRecord, A::Stop> {
        let query = match answers.answer(stage, vec![HashedCall::new(query)]).await? {
            Replies::Complete(query) => Some(query),
            Replies::Failed(query, error) => return Ok(StageRecord::failed(query, error)),
            Replies::Unknown => None,
        };
        let (answers, corpus) = match (query, answers.index(stage, corpus, self.offload).await?) {
            (Some(query), IndexReply::Ready(corpus)) => (query, corpus),
            (query, IndexReply::Failed(found, error)) => {
                let answers = query.into_iter().flatten().chain(found).collect();
                return Ok(StageRecord::failed(answers, error));
            }
            _ => return Ok(StageRecord::ended(StageEnd::Unanswered)),
        };
        let record = match self.found(stage, &corpus, &answers).await {
            Ok(output) => self.passed(stage, answers, output.into(), progress),
            Err(error) => StageRecord::failed(answers, error),
        };
        Ok(StageRecord { corpus: Some(corpus), ..record })
    }

    /// What the answer to a query finds.
    async fn found(
        &self,
        stage: usize,
        corpus: &Arc<CorpusIndex>,
        answers: &[Arc<StoredAnswer>],
    ) -> Result<Value, StageError> {
        let missing = || StageError::new(ErrorKind::Internal, "the query was not answered");
        let query = answers.first().ok_or_else(missing)?;
        if !corpus.index.searches_slowly() {
            return self.pipeline.search(stage, &corpus.index, &query.reply);
        }
        let (pipeline, corpus, query) = (Arc::clone(self.pipeline), Arc::clone(corpus), Arc::clone(query));
        let search = move || pipeline.search(stage, &corpus.index, &query.reply);
        let found = offloaded(self.offload, search).await;
        found.unwrap_or_else(|| Err(StageError::new(ErrorKind::Internal, "searching broke down")))
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

impl StageRecord {
    const fn ended(end: StageEnd) -> Self {
        Self { answers: Vec::new(), corpus: None, end }
    }

    const fn failed(answers: Vec<Arc<StoredAnswer>>, error: StageError) -> Self {
        Self { answers, corpus: None, end: StageEnd::Failed(error) }
    }
}

/// Makes an index of the answers to all calls of a corpus.
pub(crate) async fn make_index<A: Answers>(
    answers: &A,
    stage: usize,
    corpus: Corpus,
    offload: &dyn Offload,
) -> Result<IndexReply, A::Stop> {
    let broke_down = || StageError::new(ErrorKind::Internal, "making the index broke down");
    let hash = move || (corpus.calls().into_iter().map(HashedCall::new).collect(), corpus);
    let Some((calls, corpus)) = offloaded(offload, hash).await else {
        return Ok(IndexReply::Failed(Vec::new(), broke_down()));
    };
    let found = match answers.answer(stage, calls).await? {
        Replies::Complete(found) => Arc::new(found),
        Replies::Failed(found, error) => return Ok(IndexReply::Failed(found, error)),
        Replies::Unknown => return Ok(IndexReply::Unknown),
    };
    let all = Arc::clone(&found);
    let index = move || {
        let replies: Vec<&Reply> = all.iter().map(|answer| &*answer.reply).collect();
        corpus.index(&replies).map(|index| CorpusIndex::new(index, &all))
    };
    Ok(match offloaded(offload, index).await.unwrap_or_else(|| Err(broke_down())) {
        Ok(index) => IndexReply::Ready(Arc::new(index)),
        Err(error) => IndexReply::Failed(found.to_vec(), error),
    })
}

#[cfg(test)]
mod tests;
