//! Gives the outputs of stages again from what is stored of them, without asking anybody.

use super::{CompiledKind, Pipeline, SampleProgress, StageOutput, Step};
use crate::call::Reply;
use crate::run::{ErrorKind, StageError};
use crate::value::Value;

/// What is stored of a stage's output.
#[derive(Debug, Clone, Copy, Default)]
pub struct Recollection<'a> {
    /// The answer to its only call.
    pub reply: Option<&'a Reply>,
    /// What [`Pipeline::recallable`] gave.
    pub recallable: Option<&'a Value>,
}

impl Pipeline {
    /// What is to be stored of an output that cannot be made from one answer; `None` where it can. Of retrieved texts these
    /// are their places and scores.
    #[must_use]
    pub fn recallable(&self, stage: usize, output: &Value) -> Option<Value> {
        match &self.stages.get(stage)?.kind {
            CompiledKind::Retrieve(_) => {
                let found = output.as_list()?.iter().map(|found| {
                    let field = |name: &str| found.as_map()?.get(name).cloned();
                    Some(Value::List(vec![field("index")?, field("score")?]))
                });
                found.collect::<Option<_>>().map(Value::List)
            }
            CompiledKind::Llm(_) | CompiledKind::Http(_) | CompiledKind::Chunk(_) => None,
        }
    }

    /// The output of a stage again; `None` where it cannot be made from what is stored.
    ///
    /// # Errors
    /// The stage fails, as it did before.
    ///
    /// # Panics
    /// Never for a stage index below the number of stages.
    pub fn recall(
        &self,
        stage: usize,
        progress: &SampleProgress,
        documents: &Value,
        stored: Recollection<'_>,
        read_json: impl Fn(&str) -> Option<Value>,
    ) -> Result<Option<StageOutput>, StageError> {
        match (&self.stages[stage].kind, stored) {
            (CompiledKind::Chunk(_), _) => match self.begin(stage, progress, documents, 1)? {
                Step::Output(output) => Ok(Some(output)),
                Step::Calls(_) | Step::Search(_) => {
                    Err(StageError::new(ErrorKind::Internal, "a chunk stage has no calls"))
                }
            },
            (CompiledKind::Retrieve(retrieve), Recollection { recallable: Some(found), .. }) => {
                Ok(retrieve.recall(progress, found)?.map(StageOutput::from))
            }
            (CompiledKind::Retrieve(_), _) => Ok(None),
            (CompiledKind::Llm(_) | CompiledKind::Http(_), Recollection { reply: Some(reply), .. }) => {
                self.finish(stage, progress, &[reply], read_json).map(|output| Some(output.into()))
            }
            (CompiledKind::Llm(_) | CompiledKind::Http(_), _) => Ok(None),
        }
    }
}
