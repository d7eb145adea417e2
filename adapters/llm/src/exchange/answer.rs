//! What an answer comes to, in whichever protocol it was written.

use std::time::Duration;

use domain::call::{CallFailure, ChatCall, Completion, FailureKind, Flags, Reply, ReplyBody, thinking_apart};
use domain::money::NanoDollars;
use domain::pricing::{CacheUse, Tokens, estimated_tokens};
use serde_json::Value;

use super::{excerpt, failure, json};

/// A completion as its protocol tells it.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) text: String,
    /// What the model thought before it answered, where that is told apart.
    pub(crate) reasoning: Option<String>,
    pub(crate) tool_calls: Option<Value>,
    /// It was cut at the limit of output tokens, or at the end of the context.
    pub(crate) truncated: bool,
    pub(crate) refused: bool,
    pub(crate) finish_reason: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) system_fingerprint: Option<String>,
    pub(crate) service_tier: Option<String>,
    /// Tokens read, where the server counts them.
    pub(crate) input: Option<u64>,
    /// Tokens written, where the server counts them.
    pub(crate) output: Option<u64>,
    /// What of the prompt went through the server's cache.
    pub(crate) cache: CacheUse,
    pub(crate) stated_cost: Option<NanoDollars>,
}

impl Answer {
    /// The reply to `call`; `lossy` where bytes of the body that are no text were replaced.
    pub(crate) fn into_reply(self, call: &ChatCall, mut lossy: bool, latency: Duration) -> Reply {
        let mut clean = |text: String| json::without_nul(text, &mut lossy);
        let text = clean(self.text);
        let reasoning = self.reasoning.map(&mut clean);
        let finish_reason = self.finish_reason.map(&mut clean);
        let model_returned = self.model.map(&mut clean).filter(|model| *model != call.model);
        let provider = self.provider.map(&mut clean);
        let system_fingerprint = self.system_fingerprint.map(&mut clean);
        let service_tier = self.service_tier.map(&mut clean);
        let tool_calls = self.tool_calls.map(|calls| json::to_value(calls, &mut lossy));
        let written = || estimated_tokens(&text) + reasoning.as_deref().map_or(0, estimated_tokens);
        let tokens = Tokens {
            input: self.input.unwrap_or_else(|| estimated_input(call)),
            output: self.output.unwrap_or_else(written),
        };
        let tokens_estimated = self.input.is_none() || self.output.is_none();
        let flags = Flags {
            truncated: self.truncated,
            refused: self.refused,
            no_output: thinking_apart(&text).1.is_empty() && tool_calls.is_none() && !self.refused,
            context_cut: !tokens_estimated && is_cut(call, tokens.input),
            tokens_estimated,
            lossy_text: lossy,
        };
        let body = ReplyBody::Completion(Completion { text, reasoning, finish_reason, tool_calls });
        let Self { cache, stated_cost, .. } = self;
        Reply {
            body,
            model_returned,
            provider,
            system_fingerprint,
            service_tier,
            tokens,
            cache,
            stated_cost,
            latency,
            flags,
        }
    }
}

/// What comes of an error inside a successful answer: a refusal where the prompt was filtered, else a failure.
pub(crate) fn refused_or_failed(
    error: &Value,
    call: &ChatCall,
    latency: Duration,
) -> Result<Reply, CallFailure> {
    if failure::is_refusal(error) { Ok(refusal(call, latency)) } else { Err(failure::of_error_inside(error)) }
}

/// The empty answer of a server that declined to let the model answer.
pub(crate) fn refusal(call: &ChatCall, latency: Duration) -> Reply {
    let finish_reason = Some("content_filter".to_owned());
    let declined = Answer { refused: true, output: Some(0), finish_reason, ..Answer::default() };
    declined.into_reply(call, false, latency)
}

/// The failure of an answer that is not `wanted`.
pub(crate) fn malformed(wanted: &str, body: &[u8]) -> CallFailure {
    let message = format!("the response is not {wanted}: {}", excerpt::of_bytes(body));
    CallFailure { outcome_unknown: true, ..CallFailure::new(FailureKind::Malformed, message) }
}

fn estimated_input(call: &ChatCall) -> u64 {
    call.messages.iter().map(|message| estimated_tokens(&message.content)).sum()
}

/// Estimates of input that are long enough to be told from what a server counts.
const MIN_COMPARABLE: u64 = 1_000;
/// Bytes of a token, on average, beyond which a count tells that the server cut the prompt.
const MAX_BYTES_PER_TOKEN: u64 = 7;

/// Whether a server counted far fewer prompt tokens than were sent.
fn is_cut(call: &ChatCall, counted: u64) -> bool {
    let estimated = estimated_input(call);
    estimated >= MIN_COMPARABLE && counted > 0 && counted.saturating_mul(MAX_BYTES_PER_TOKEN) < estimated * 4
}
