//! Stores the outcomes of calls, and releases claims that were not used.

use std::sync::Arc;

use domain::call::{CallFailure, FailureKind, Reply};
use domain::id::EndpointId;
use domain::money::NanoDollars;
use domain::pricing::CostSource;

use super::destination::GateKey;
use super::making::CallAttempt;
use super::settling::{MAX_STORE_RETRY_DELAY, MIN_STORE_RETRY_DELAY};
use super::{Blocked, CallAnswer, CallRequest, Caller, blocked};
use crate::engine::gate::Gate;
use crate::list_prices::{self, price_of};
use crate::ports::{Breaker, FailedCall, Fill, Settlement, StoreError, StoredAnswer};

impl Caller {
    /// Stores answers, which have been paid for: the journal keeps them until the database takes them.
    pub(super) async fn store(&self, requests: &[&CallRequest], replies: Vec<Reply>) -> Vec<CallAnswer> {
        let fills: Vec<Fill> =
            requests.iter().zip(replies).map(|(request, reply)| request.fill(reply)).collect();
        let settlement = Settlement { fills: fills.clone(), failures: vec![] };
        match self.ports.journal.settle(settlement).await {
            Ok(ids) if ids.len() == fills.len() => {
                let stored = ids.into_iter().zip(fills).map(|(id, Fill { reply, cost, paid_by, .. })| {
                    CallAnswer::Stored(Arc::new(StoredAnswer { id, reply, cost, paid_by }))
                });
                stored.collect()
            }
            Ok(_) => {
                let error = StoreError::Corrupt("a stored answer has no number".to_owned());
                vec![blocked(error); requests.len()]
            }
            Err(error @ StoreError::Unavailable(_)) => vec![blocked(error); requests.len()],
            Err(StoreError::Corrupt(reason)) => self.store_apart(requests, fills, &reason).await,
        }
    }

    /// The database refuses one of the answers: the others are stored without it.
    async fn store_apart(
        &self,
        requests: &[&CallRequest],
        fills: Vec<Fill>,
        reason: &str,
    ) -> Vec<CallAnswer> {
        if let [request] = requests {
            return vec![self.unstorable(request, reason).await];
        }
        let mut answers = Vec::with_capacity(requests.len());
        for (request, fill) in requests.iter().zip(fills) {
            let reply = Reply::clone(&fill.reply);
            answers.extend(Box::pin(self.store(&[request], vec![reply])).await);
        }
        answers
    }

    /// The database refuses this answer. The call fails: making it again would only be paid for again.
    async fn unstorable(&self, request: &CallRequest, reason: &str) -> CallAnswer {
        self.charge(&[request]).await;
        let message = format!("its answer cannot be stored: {reason}");
        let failure = CallFailure::new(FailureKind::Unstorable, message);
        self.fail(&[request], &failure).await
    }

    pub(super) async fn give_up(&self, requests: &[&CallRequest], failure: &CallFailure) -> Vec<CallAttempt> {
        vec![CallAttempt::Settled(self.fail(requests, failure).await); requests.len()]
    }

    async fn fail(&self, requests: &[&CallRequest], failure: &CallFailure) -> CallAnswer {
        let failed = |request: &&CallRequest| FailedCall {
            hash: request.hash(),
            by: self.worker,
            sweep: request.sweep,
            failure: failure.clone(),
        };
        let failures = requests.iter().map(failed).collect();
        let settled = self.ports.journal.settle(Settlement { fills: vec![], failures }).await;
        settled.map_or_else(blocked, |_| CallAnswer::Failed(failure.clone()))
    }

    pub(super) async fn give_back(&self, requests: &[&CallRequest], why: &Blocked) -> Vec<CallAttempt> {
        self.release(requests).await;
        vec![CallAttempt::Settled(CallAnswer::Blocked(why.clone())); requests.len()]
    }

    pub(super) async fn release(&self, requests: &[&CallRequest]) {
        let hashes: Vec<_> = requests.iter().map(|request| request.hash()).collect();
        if let Err(error) = self.ports.calls.release(&hashes, self.worker).await {
            tracing::warn!(%error, "claims could not be released; it will be tried again");
            self.left_over().extend(hashes);
        }
    }

    /// Opens or closes an endpoint's gate as its stored breaker says.
    pub(in crate::engine) async fn read_breaker(&self, endpoint: EndpointId) -> Result<(), StoreError> {
        let gate = self.gate(GateKey::Endpoint(endpoint));
        let seen = gate.breaks();
        let conditions = self.ports.endpoints.conditions(&[endpoint]).await?;
        gate.apply_stored(seen, conditions.into_iter().find_map(|condition| condition.breaker));
        Ok(())
    }

    pub(super) async fn broken(
        &self,
        gate: &Gate,
        requests: &[&CallRequest],
        failure: &CallFailure,
    ) -> Vec<CallAttempt> {
        let breaker = Breaker { kind: failure.kind, reason: failure.to_string() };
        if let Some(endpoint) = requests.first().and_then(|request| request.to.endpoint())
            && let Err(error) =
                self.ports.endpoints.open_breaker(endpoint.id, breaker.clone(), failure.retry_after).await
        {
            tracing::warn!(%error, "other processes do not learn that an endpoint refuses every call");
        }
        gate.break_open(breaker.clone());
        self.give_back(requests, &Blocked::Endpoint(breaker)).await
    }

    /// Charges calls of unknown outcome to their sweep's budget, before they are made again.
    pub(super) async fn charge(&self, requests: &[&CallRequest]) {
        for request in requests {
            let mut wait = MIN_STORE_RETRY_DELAY;
            while let Err(error) = self.ports.calls.charge(request.hash(), self.worker).await {
                tracing::warn!(%error, "a call of unknown outcome could not be charged; it will be tried again");
                if self.is_stopping() {
                    return;
                }
                self.ports.timer.sleep(wait).await;
                wait = (wait * 2).min(MAX_STORE_RETRY_DELAY);
            }
        }
    }
}

impl CallRequest {
    pub(super) fn fill(&self, reply: Reply) -> Fill {
        let call = Arc::clone(&self.call.call);
        let endpoint = self.to.endpoint();
        let price = endpoint.zip(call.model()).filter(|_| reply.stated_cost.is_none());
        let price = price.and_then(|(endpoint, model)| price_of(endpoint, model));
        // A service is not paid for by the token: nothing of its cost is unknown.
        let known = endpoint.is_none().then_some(NanoDollars::ZERO).or(reply.stated_cost);
        let cost = known.or_else(|| price.as_ref().map(|price| price.cost(reply.token_use())));
        let is_listed = price.is_some_and(|price| price.source() == CostSource::List);
        Fill {
            hash: self.hash(),
            endpoint: endpoint.map(|endpoint| endpoint.id),
            call,
            reply: Arc::new(reply),
            cost,
            price_day: is_listed.then(list_prices::day),
            paid_by: self.payer,
            sweep: self.sweep,
        }
    }
}
