//! Reads the body of a successful answer.

use std::time::Duration;

use domain::call::{CallFailure, ChatCall, Completion, FailureKind, Flags, Reply, ReplyBody, thinking_apart};
use domain::pricing::{Tokens, estimated_tokens};
use serde_json::Value;

use super::chat_response::{Choice, Choices, choices, error};
use super::usage::{count, dollars};
use super::{excerpt, failure, json};

/// The completion within `body`, or the failure it tells of.
pub(super) fn read(body: &[u8], call: &ChatCall, latency: Duration) -> Result<Reply, CallFailure> {
    let json::Parsed { value: answer, lossy } = json::tree(body).ok_or_else(|| malformed(body))?;
    if let Some(error) = error(&answer) {
        return refused_or_failed(error, call, latency);
    }
    match choices(&answer) {
        Choices::First(choice) => match (choice.error(), choice.failed()) {
            (Some(error), _) => refused_or_failed(error, call, latency),
            (None, Some(reason)) => {
                let message = format!("the answer ended with finish_reason `{reason}`");
                Err(CallFailure::new(FailureKind::Upstream5xx, message))
            }
            (None, None) => completion(&answer, &choice, call, lossy, latency).ok_or_else(|| malformed(body)),
        },
        Choices::Empty => Err(CallFailure::new(FailureKind::NoChoices, "the answer has no choices")),
        Choices::Missing => Err(malformed(body)),
    }
}

fn refused_or_failed(error: &Value, call: &ChatCall, latency: Duration) -> Result<Reply, CallFailure> {
    if failure::is_refusal(error) { Ok(refusal(call, latency)) } else { Err(failure::of_error_inside(error)) }
}

/// The empty answer of a server that declined to let the model answer.
pub(super) fn refusal(call: &ChatCall, latency: Duration) -> Reply {
    let flags = Flags { refused: true, tokens_estimated: true, ..Flags::default() };
    let finish_reason = Some("content_filter".to_owned());
    Reply {
        body: ReplyBody::Completion(Completion { finish_reason, ..Completion::default() }),
        model_returned: None,
        provider: None,
        tokens: Tokens { input: estimated_input(call), output: 0 },
        stated_cost: None,
        latency,
        flags,
    }
}

fn malformed(body: &[u8]) -> CallFailure {
    CallFailure {
        kind: FailureKind::Malformed,
        message: format!("the response is not a chat completion: {}", excerpt::of_bytes(body)),
        outcome_unknown: true,
        should_retry: None,
    }
}

fn completion(
    answer: &Value,
    choice: &Choice<'_>,
    call: &ChatCall,
    mut lossy: bool,
    latency: Duration,
) -> Option<Reply> {
    let text = json::without_nul(choice.text()?, &mut lossy);
    let reasoning = choice.reasoning().map(|text| json::without_nul(text, &mut lossy));
    let finish_reason = choice.finish_reason().map(|word| json::without_nul(word, &mut lossy));
    let tool_calls = choice.tool_calls().map(|calls| json::to_value(calls.clone(), &mut lossy));
    let mut named =
        |name: &str| answer.get(name)?.as_str().map(|text| json::without_nul(text.to_owned(), &mut lossy));
    let model_returned = named("model").filter(|model| *model != call.model);
    let provider = named("provider");
    let usage = answer.get("usage").unwrap_or(&Value::Null);
    let (tokens, tokens_estimated) = tokens(usage, call, &text, reasoning.as_deref());
    let refused = choice.is_refusal() || finish_reason.as_deref() == Some("content_filter");
    let flags = Flags {
        truncated: finish_reason.as_deref() == Some("length"),
        refused,
        no_output: thinking_apart(&text).1.is_empty() && tool_calls.is_none() && !refused,
        context_cut: false,
        tokens_estimated,
        lossy_text: lossy,
    };
    let flags = Flags { context_cut: !tokens_estimated && is_cut(call, tokens.input), ..flags };
    let body = ReplyBody::Completion(Completion { text, reasoning, finish_reason, tool_calls });
    let stated_cost = dollars(usage, "cost");
    Some(Reply { body, model_returned, provider, tokens, stated_cost, latency, flags })
}

/// The tokens of an exchange, and whether any had to be estimated.
fn tokens(usage: &Value, call: &ChatCall, text: &str, reasoning: Option<&str>) -> (Tokens, bool) {
    let (input, output) = (count(usage, "prompt_tokens"), count(usage, "completion_tokens"));
    let written = || estimated_tokens(text) + reasoning.map_or(0, estimated_tokens);
    let tokens = Tokens {
        input: input.unwrap_or_else(|| estimated_input(call)),
        output: output.unwrap_or_else(written),
    };
    (tokens, input.is_none() || output.is_none())
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

#[cfg(test)]
mod tests;
