//! Answers the calls of scorers through the engine's caller, for a run that pays for them.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use domain::call::Call;
use domain::endpoint::Endpoint;
use domain::id::{RunId, SweepId};
use domain::run::{Asker, Payer, StageError};
use domain::scoring::AskedModel;

use super::caller::{Blocked, CallAnswer, CallRequest, Caller, Destination};
use super::run_answers::reservation;
use crate::catalog::Catalog;
use crate::ports::{AnswerId, StoredAnswer, Usage};
use crate::scoring::{ScorerAnswers, ScorerModel, ScorerQuestion};
use crate::walk::{HashedCall, Replies};

/// Who asks: one repetition of a sample of a run.
#[derive(Clone, Copy)]
pub(super) struct ScorerPayer<'a> {
    pub(super) run: RunId,
    pub(super) sample: u32,
    pub(super) repeat: u32,
    /// The sweep whose budget the calls come out of, and which waits for a broken endpoint. Without one, a score fails
    /// that needs such an endpoint.
    pub(super) sweep: Option<SweepId>,
    pub(super) budgeted: bool,
    /// The scoring that the calls are made for: those of services are made anew for each.
    pub(super) scoring: i64,
    pub(super) halt: &'a Arc<AtomicBool>,
}

/// The calls of the scorers for one output.
pub(super) struct ScorerCalls<'a> {
    caller: &'a Arc<Caller>,
    catalog: &'a Catalog,
    payer: ScorerPayer<'a>,
    answers: Mutex<Vec<(Payer, Arc<StoredAnswer>)>>,
}

impl<'a> ScorerCalls<'a> {
    pub(super) const fn new(caller: &'a Arc<Caller>, catalog: &'a Catalog, payer: ScorerPayer<'a>) -> Self {
        Self { caller, catalog, payer, answers: Mutex::new(Vec::new()) }
    }

    /// What the calls took. They are part of what a run paid, but not of what its configuration takes.
    pub(super) fn usage(self, paid: impl Fn(&StoredAnswer, Payer) -> bool) -> Usage {
        let mut seen: HashSet<AnswerId> = HashSet::new();
        let mut usage = Usage::NONE;
        for (payer, answer) in self.answers.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let own = paid(&answer, payer) && seen.insert(answer.id);
            usage = usage.and(Usage::of_scorer(&answer, own));
        }
        usage
    }

    /// The request for a call; `None` if it needs an endpoint and there is none.
    fn request(&self, call: Call, endpoint: Option<&Arc<Endpoint>>, payer: Payer) -> Option<CallRequest> {
        let to = Destination::of(&call, endpoint)?;
        let reserve = to.endpoint().filter(|_| self.payer.budgeted);
        Some(CallRequest {
            reserve: reserve.map(|endpoint| reservation(&call, endpoint)),
            call: HashedCall::new(call, || self.owner(payer)),
            to,
            payer: Some(payer),
            sweep: self.payer.sweep,
            halt: Arc::clone(self.payer.halt),
        })
    }

    /// Names a call that is not shared: once the run is scored again, it is another.
    fn owner(&self, Payer { run, sample, repeat, asker, call }: Payer) -> String {
        format!("score {} of run {run}/{sample}/{repeat}: {asker:?}/{call}", self.payer.scoring)
    }
}

/// Whether a payer is the one who paid for an answer; the number of the call does not matter.
pub(super) fn is_paid_by(answer: &StoredAnswer, payer: Payer) -> bool {
    answer.paid_by.is_some_and(|paid| Payer { call: payer.call, ..paid } == payer)
}

impl ScorerAnswers for ScorerCalls<'_> {
    type Stop = Blocked;

    fn model(&self, asked: AskedModel<'_>) -> Result<ScorerModel, String> {
        self.catalog.scorer_model(asked)
    }

    async fn answer(&self, question: ScorerQuestion) -> Result<Replies, Blocked> {
        let ScorerQuestion { scorer, first, endpoint, calls } = question;
        let ScorerPayer { run, sample, repeat, .. } = self.payer;
        let payer = Payer { run, sample, repeat, asker: Asker::Scorer(scorer), call: first };
        let numbered = |number: u32| Payer { call: first.saturating_add(number), ..payer };
        let requests = (0..).zip(calls);
        let requests =
            requests.filter_map(|(number, call)| self.request(call, endpoint.as_ref(), numbered(number)));
        let (mut answers, mut failure) = (Vec::new(), None);
        for answer in self.caller.answer_all(requests.collect()).await {
            match answer {
                CallAnswer::Stored(answer) => answers.push(answer),
                CallAnswer::Failed(failed) => failure = failure.or(Some(failed)),
                CallAnswer::Blocked(Blocked::Endpoint(breaker)) if self.payer.sweep.is_none() => {
                    let error = StageError::new(breaker.kind, breaker.reason);
                    return Ok(Replies::Failed(answers, error));
                }
                CallAnswer::Blocked(blocked) => return Err(blocked),
            }
        }
        let mut kept = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(answers.iter().map(|answer| (payer, Arc::clone(answer))));
        drop(kept);
        Ok(Replies::of(answers, failure))
    }
}
