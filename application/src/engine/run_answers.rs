//! Answers the calls of a run's stages through the engine's caller.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::call::{Call, CallFailure, FailureKind};
use domain::endpoint::Endpoint;
use domain::money::NanoDollars;
use domain::pipeline::Corpus;
use domain::pricing::Tokens;
use domain::run::{Asker, ErrorKind, Payer, RunError, StageError};

use super::caller::{Blocked, CallAnswer, CallRequest, Destination};
use super::examination::Examination;
use crate::indexes::{IndexReply, IndexScope};
use crate::list_prices::price_of;
use crate::ports::{Offload, Reservation};
use crate::walk::{Answers, HashedCall, Replies, make_index, run_owner};

/// Answers the calls of one repeat through the engine's caller; the run is the payer.
pub(super) struct RunAnswers<'a> {
    pub(super) examination: &'a Examination<'a>,
    pub(super) sample: u32,
    pub(super) repeat: u32,
}

impl RunAnswers<'_> {
    pub(super) const fn payer(&self, stage: u32) -> Payer {
        let (run, sample, repeat) = (self.examination.run.lease.run, self.sample, self.repeat);
        Payer { run, sample, repeat, asker: Asker::Stage(stage), call: 0 }
    }

    fn misconfigured(&self, stage: usize, failure: CallFailure) -> RunError {
        let stage = self.examination.loaded.stage_names().get(stage).map(|name| (*name).to_owned());
        RunError { kind: failure.kind.into(), message: failure.message, stage, sample: None }
    }

    /// The requests for calls of a stage; `None` if one needs an endpoint and the stage has none. What goes to a service
    /// uses up no budget.
    fn requests(&self, stage: usize, calls: Vec<HashedCall>) -> Option<Vec<CallRequest>> {
        let Examination { run, halt, endpoints, .. } = self.examination;
        let endpoint = endpoints.get(stage).and_then(Option::as_ref);
        let payer = self.payer(u32::try_from(stage).unwrap_or(u32::MAX));
        let request = |(number, call): (u32, HashedCall)| {
            let to = Destination::of(&call.call, endpoint)?;
            let reserve = to.endpoint().filter(|_| run.budgeted);
            Some(CallRequest {
                reserve: reserve.map(|endpoint| reservation(&call.call, endpoint)),
                call,
                to,
                payer: Some(Payer { call: number, ..payer }),
                sweep: run.sweep,
                halt: Arc::clone(halt),
            })
        };
        (0..).zip(calls).map(request).collect()
    }
}

impl Answers for RunAnswers<'_> {
    type Stop = Blocked;

    fn owner(&self) -> String {
        run_owner(self.examination.run.lease.run, self.sample, self.repeat)
    }

    async fn answer(&self, stage: usize, calls: Vec<HashedCall>) -> Result<Replies, Blocked> {
        let Examination { caller, halt, .. } = self.examination;
        if halt.load(Ordering::Relaxed) {
            return Err(Blocked::Stopping);
        }
        let Some(requests) = self.requests(stage, calls) else {
            let error = StageError::new(ErrorKind::Configuration, "this stage has no endpoint");
            return Ok(Replies::Failed(Vec::new(), error));
        };
        let (mut answers, mut failure) = (Vec::with_capacity(requests.len()), None);
        for answer in caller.answer_all(requests).await {
            match answer {
                CallAnswer::Stored(answer) => answers.push(answer),
                CallAnswer::Failed(failed) if failed.kind == FailureKind::Misconfigured => {
                    return Err(Blocked::Misconfigured(self.misconfigured(stage, failed)));
                }
                CallAnswer::Failed(failed) => failure = failure.or(Some(failed)),
                CallAnswer::Blocked(blocked) => return Err(blocked),
            }
        }
        Ok(Replies::of(answers, failure))
    }

    async fn index(
        &self,
        stage: usize,
        corpus: Corpus,
        offload: &dyn Offload,
    ) -> Result<IndexReply, Blocked> {
        let Examination { caller, run, .. } = self.examination;
        let scope = run.sweep.map_or(IndexScope::Run(run.lease.run), IndexScope::Sweep);
        let key = (scope, corpus.key().to_owned());
        caller.indexes().get_or_make(&key, make_index(self, stage, corpus, offload)).await
    }
}

/// The most that a call can use up. Sweeps with a budget start only where every stage has a bound.
pub(super) fn reservation(call: &Call, endpoint: &Endpoint) -> Reservation {
    let output = call.max_tokens().or(endpoint.max_output_tokens.map(u64::from)).unwrap_or(0);
    let tokens = call.token_bound(output);
    let most = Tokens { input: tokens.saturating_sub(output), output };
    let price = call.model().and_then(|model| price_of(endpoint, model));
    let cost = price.map_or(NanoDollars::ZERO, |price| price.most(most));
    Reservation { tokens, cost }
}
