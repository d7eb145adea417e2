//! Stores what came of a call, and gives back what was claimed for nothing.

use std::sync::Arc;

use domain::call::{CallFailure, Completion, FailureKind};

use super::{Answer, Blocked, CallRequest, Caller, FIRST_LOOK, LONGEST_LOOK, blocked};
use crate::engine::gate::Gate;
use crate::ports::{Breaker, FailedCall, Fill, Settlement, StoreError, StoredAnswer};

impl Caller {
    /// Stores an answer, which has been paid for: the journal keeps it until the database takes it.
    pub(super) async fn store(&self, request: &CallRequest, completion: Completion) -> Answer {
        let call = Arc::clone(&request.call.call);
        let price = request.endpoint.prices.get(&call.model);
        let cost = price.map(|price| price.cost(completion.tokens));
        let (completion, paid_by) = (Arc::new(completion), request.payer);
        let fill = Fill {
            hash: request.hash(),
            endpoint: request.endpoint.id,
            call,
            completion: Arc::clone(&completion),
            cost,
            paid_by,
            sweep: request.sweep,
        };
        match self.ports.journal.settle(Settlement { fills: vec![fill], failures: vec![] }).await {
            Ok(ids) => match ids.first() {
                Some(id) => Answer::Stored(Arc::new(StoredAnswer { id: *id, completion, cost, paid_by })),
                None => blocked(StoreError::Corrupt("a stored answer has no number".to_owned())),
            },
            Err(error @ StoreError::Unavailable(_)) => blocked(error),
            Err(StoreError::Corrupt(reason)) => self.unstorable(request, reason).await,
        }
    }

    /// The database refuses this very answer: asking again would only be paid for again.
    async fn unstorable(&self, request: &CallRequest, reason: String) -> Answer {
        self.charge(request).await;
        let message = format!("its answer cannot be stored: {reason}");
        self.give_up(request, CallFailure::new(FailureKind::Unstorable, message)).await
    }

    pub(super) async fn give_up(&self, request: &CallRequest, failure: CallFailure) -> Answer {
        let failed = FailedCall {
            hash: request.hash(),
            by: self.worker,
            sweep: request.sweep,
            failure: failure.clone(),
        };
        let settled = self.ports.journal.settle(Settlement { fills: vec![], failures: vec![failed] }).await;
        settled.map_or_else(blocked, |_| Answer::Failed(failure))
    }

    pub(super) async fn give_back(&self, request: &CallRequest, why: Blocked) -> Answer {
        if let Err(error) = self.ports.calls.release(&[request.hash()], self.worker).await {
            tracing::warn!(%error, "a claim could not be released; it will be tried again");
            self.left_over().push(request.hash());
        }
        Answer::Blocked(why)
    }

    pub(super) async fn broken(&self, gate: &Gate, request: &CallRequest, failure: &CallFailure) -> Answer {
        let breaker = Breaker { kind: failure.kind, reason: failure.to_string() };
        if let Err(error) = self.ports.endpoints.set_breaker(request.endpoint.id, Some(breaker.clone())).await
        {
            tracing::warn!(%error, "other processes do not learn that an endpoint refuses every call");
        }
        gate.set_broken(Some(breaker.clone()));
        self.give_back(request, Blocked::Endpoint(breaker)).await
    }

    /// Charges a call whose outcome is unknown to its sweep's budget, before anything else is made in its place.
    pub(super) async fn charge(&self, request: &CallRequest) {
        let mut wait = FIRST_LOOK;
        while let Err(error) = self.ports.calls.charge(request.hash(), self.worker).await {
            tracing::warn!(%error, "a call of unknown outcome could not be charged; it will be tried again");
            if self.is_stopping() {
                return;
            }
            self.ports.timer.sleep(wait).await;
            wait = (wait * 2).min(LONGEST_LOOK);
        }
    }
}
