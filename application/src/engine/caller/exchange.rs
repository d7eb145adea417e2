//! One exchange with an endpoint or a service, under a permit.

use std::sync::Arc;

use domain::call::{
    Call, CallFailure, EmbedCall, FailureKind, Flags, HttpCall, Reply, ReplyBody, ServiceAnswer,
};
use domain::endpoint::Endpoint;

use super::pacing::used_tokens;
use super::{Blocked, CallRequest, Caller, Destination};
use crate::engine::gate::{Gate, Permit};
use crate::ports::{FetchRequest, FetchResponse};

/// The outcome of one exchange.
pub(super) enum Exchange {
    /// The replies, one for each call, or why there are none.
    Done(Result<Vec<Reply>, CallFailure>),
    /// No permits are given out.
    Shut,
    /// Nothing was sent, because another worker may have taken over the claim.
    Unclaimed,
}

impl Caller {
    /// One exchange under a permit: the given one, or one that it waits for.
    pub(super) async fn exchange(
        &self,
        gate: &Arc<Gate>,
        requests: &[&CallRequest],
        lapses: u64,
        permit: Option<Permit>,
    ) -> Exchange {
        let permit = match permit {
            None => self.permit(gate, requests).await,
            permit => permit,
        };
        let Some(mut permit) = permit else { return Exchange::Shut };
        if !self.still_holds(lapses) {
            return Exchange::Unclaimed;
        }
        let result = self.send(requests).await;
        permit.sent(used_tokens(&result));
        drop(permit);
        Exchange::Done(result)
    }

    /// One chat call, one call of a service, or embeddings of one model.
    async fn send(&self, requests: &[&CallRequest]) -> Result<Vec<Reply>, CallFailure> {
        let Some(first) = requests.first() else { return Ok(Vec::new()) };
        match (&*first.call.call, &first.to) {
            (Call::Http(call), _) => Ok(vec![self.fetch(call).await?]),
            (Call::Chat(call), Destination::Endpoint(endpoint)) => {
                Ok(vec![self.ports.servers.complete(endpoint, call).await?])
            }
            (Call::Embed(_), Destination::Endpoint(endpoint)) => self.embed(endpoint, requests).await,
            (Call::Chat(_) | Call::Embed(_), Destination::Service(_)) => {
                Err(CallFailure::new(FailureKind::Misconfigured, "a call of a model has no endpoint"))
            }
        }
    }

    async fn embed(&self, endpoint: &Endpoint, requests: &[&CallRequest]) -> Result<Vec<Reply>, CallFailure> {
        let calls: Vec<EmbedCall> =
            requests.iter().filter_map(|request| request.call.call.as_embed()).cloned().collect();
        let replies = self.ports.servers.embed(endpoint, &calls).await?;
        if replies.len() == requests.len() {
            return Ok(replies);
        }
        let detail = format!("{} embeddings came for {} texts", replies.len(), requests.len());
        Err(CallFailure { outcome_unknown: true, ..CallFailure::new(FailureKind::Malformed, detail) })
    }

    async fn fetch(&self, call: &HttpCall) -> Result<Reply, CallFailure> {
        let request = FetchRequest {
            url: call.url.clone(),
            headers: call.headers.clone(),
            body: call.body.to_text().into_owned(),
            timeout: call.timeout,
        };
        let FetchResponse { body, is_json, is_lossy, latency } = self.ports.fetch.post_json(&request).await?;
        Ok(Reply {
            latency,
            flags: Flags { lossy_text: is_lossy, ..Flags::default() },
            ..Reply::of(ReplyBody::Service(ServiceAnswer { text: body, is_json }))
        })
    }

    pub(super) fn why_shut(gate: &Gate) -> Blocked {
        gate.broken().map_or(Blocked::Stopping, Blocked::Endpoint)
    }
}
