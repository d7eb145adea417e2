//! Reads the body of a successful answer.

use std::time::Duration;

use domain::call::{CallFailure, ChatCall, Completion, FailureKind, Flags, Reply, ReplyBody};
use domain::pricing::{Tokens, estimated_tokens};
use domain::value::Value;

use super::chat_response::{ChatResponse, Choice, Content};
use super::json::{self, Parsed};
use super::usage::count;
use super::{excerpt, failure};

/// The completion within `body`, or the failure it tells of.
pub(super) fn read(body: &[u8], call: &ChatCall, latency: Duration) -> Result<Reply, CallFailure> {
    let mut parsed = json::read::<ChatResponse>(body).ok_or_else(|| malformed(body))?;
    match parsed.value.choices.take().map(|choices| choices.into_iter().next()) {
        Some(Some(choice)) => Ok(completion(parsed, choice, call, latency)),
        without => Err(match parsed.value.error {
            Some(error) => failure::of_error_inside(&error),
            None if without.is_some() => {
                CallFailure::new(FailureKind::NoChoices, "the answer has no choices")
            }
            None => malformed(body),
        }),
    }
}

fn malformed(body: &[u8]) -> CallFailure {
    CallFailure {
        kind: FailureKind::Malformed,
        message: format!("the response is not a chat completion: {}", excerpt::of_bytes(body)),
        outcome_unknown: true,
    }
}

fn completion(parsed: Parsed<ChatResponse>, choice: Choice, call: &ChatCall, latency: Duration) -> Reply {
    let Parsed { value: answer, mut lossy } = parsed;
    let mut clean = |text| json::without_nul(text, &mut lossy);
    let text = clean(choice.message.content.map_or_else(String::new, Content::into_text));
    let model_returned = answer.model.map(&mut clean).filter(|model| *model != call.model);
    let finish_reason = choice.finish_reason.map(clean);
    let tool_calls = tool_calls(choice.message.tool_calls, &mut lossy);
    let (tokens, tokens_estimated) = tokens(&answer.usage, call, &text);
    let declined = choice.message.refusal.is_some_and(|refusal| !refusal.is_empty());
    let flags = Flags {
        truncated: finish_reason.as_deref() == Some("length"),
        refused: declined || finish_reason.as_deref() == Some("content_filter"),
        tokens_estimated,
        lossy_text: lossy,
    };
    let body = ReplyBody::Completion(Completion { text, finish_reason, tool_calls });
    Reply { body, model_returned, tokens, latency, flags }
}

/// The calls, where there are any.
fn tool_calls(calls: Option<serde_json::Value>, lossy: &mut bool) -> Option<Value> {
    let calls = calls.filter(|calls| calls.as_array().is_none_or(|calls| !calls.is_empty()))?;
    Some(json::to_value(calls, lossy))
}

/// The tokens of an exchange, and whether any had to be estimated.
fn tokens(usage: &serde_json::Value, call: &ChatCall, text: &str) -> (Tokens, bool) {
    let (input, output) = (count(usage, "prompt_tokens"), count(usage, "completion_tokens"));
    let tokens = Tokens {
        input: input.unwrap_or_else(|| call.messages.iter().map(|m| estimated_tokens(&m.content)).sum()),
        output: output.unwrap_or_else(|| estimated_tokens(text)),
    };
    (tokens, input.is_none() || output.is_none())
}

#[cfg(test)]
mod tests;
