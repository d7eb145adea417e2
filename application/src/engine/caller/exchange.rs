//! One exchange with an endpoint, under a permit.

use std::sync::Arc;

use domain::call::{Call, CallFailure, EmbedCall, FailureKind, Reply};

use super::pacing::used_tokens;
use super::{Blocked, CallRequest, Caller};
use crate::engine::gate::{Gate, Permit};

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

    /// One chat call, or embeddings of one model.
    async fn send(&self, requests: &[&CallRequest]) -> Result<Vec<Reply>, CallFailure> {
        let Some(first) = requests.first() else { return Ok(Vec::new()) };
        if let Call::Chat(call) = &*first.call.call {
            return Ok(vec![self.ports.servers.complete(&first.endpoint, call).await?]);
        }
        let calls: Vec<EmbedCall> =
            requests.iter().filter_map(|request| request.call.call.as_embed()).cloned().collect();
        let replies = self.ports.servers.embed(&first.endpoint, &calls).await?;
        if replies.len() == requests.len() {
            return Ok(replies);
        }
        let detail = format!("{} embeddings came for {} texts", replies.len(), requests.len());
        Err(CallFailure { outcome_unknown: true, ..CallFailure::new(FailureKind::Malformed, detail) })
    }

    pub(super) fn why_shut(gate: &Gate) -> Blocked {
        gate.broken().map_or(Blocked::Stopping, Blocked::Endpoint)
    }
}
