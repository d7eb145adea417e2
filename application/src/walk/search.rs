//! Stages that search texts which all samples share.

use std::sync::Arc;

use domain::call::Reply;
use domain::pipeline::{Corpus, SampleProgress, Search};
use domain::run::{ErrorKind, StageError};
use domain::value::Value;

use super::{Answers, HashedCall, Replies, StageEnd, StageRecord, Walk};
use crate::indexes::{CorpusIndex, IndexReply};
use crate::ports::{Offload, StoredAnswer, offloaded};

impl Walk<'_> {
    /// What a stage comes to that searches a corpus.
    pub(super) async fn search<A: Answers>(
        &self,
        stage: usize,
        Search { query, corpus }: Search,
        answers: &A,
        progress: &mut SampleProgress,
    ) -> Result<StageRecord, A::Stop> {
        let query = match answers.answer(stage, vec![HashedCall::shared(query)]).await? {
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
}

/// Makes an index of the answers to all calls of a corpus.
pub(crate) async fn make_index<A: Answers>(
    answers: &A,
    stage: usize,
    corpus: Corpus,
    offload: &dyn Offload,
) -> Result<IndexReply, A::Stop> {
    let broke_down = || StageError::new(ErrorKind::Internal, "making the index broke down");
    let hash = move || (corpus.calls().into_iter().map(HashedCall::shared).collect(), corpus);
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
