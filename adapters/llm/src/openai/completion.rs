//! Reads the body of a successful response.

use std::time::Duration;

use domain::call::{CallFailure, ChatCall, FailureKind, Reply};
use serde_json::Value;

use super::chat_response::{Choice, Choices, choices};
use crate::exchange::answer::{self, Answer};
use crate::exchange::usage::{cache_use, count, dollars};
use crate::exchange::{error, json};

/// The completion in `body`, or the failure that it reports.
pub(super) fn read(body: &[u8], call: &ChatCall, latency: Duration) -> Result<Reply, CallFailure> {
    let json::Parsed { value: tree, lossy } = json::tree(body).ok_or_else(|| malformed(body))?;
    if let Some(error) = error::within(&tree) {
        return answer::refused_or_failed(error, call, latency);
    }
    match choices(&tree) {
        Choices::First(choice) => match (choice.error(), choice.failed()) {
            (Some(error), _) => answer::refused_or_failed(error, call, latency),
            (None, Some(reason)) => {
                let message = format!("the answer ended with finish_reason `{reason}`");
                Err(CallFailure::new(FailureKind::Upstream5xx, message))
            }
            (None, None) => completion(&tree, &choice, call, lossy, latency).ok_or_else(|| malformed(body)),
        },
        Choices::Empty => Err(CallFailure::new(FailureKind::NoChoices, "the answer has no choices")),
        Choices::Missing => Err(malformed(body)),
    }
}

fn malformed(body: &[u8]) -> CallFailure {
    answer::malformed("a chat completion", body)
}

fn completion(
    tree: &Value,
    choice: &Choice<'_>,
    call: &ChatCall,
    lossy: bool,
    latency: Duration,
) -> Option<Reply> {
    let usage = tree.get("usage").unwrap_or(&Value::Null);
    let named = |name: &str| tree.get(name)?.as_str().map(str::to_owned);
    let finish_reason = choice.finish_reason();
    let read = Answer {
        text: choice.text()?,
        reasoning: choice.reasoning(),
        tool_calls: choice.tool_calls().cloned(),
        truncated: finish_reason.as_deref() == Some("length"),
        refused: choice.is_refusal() || finish_reason.as_deref() == Some("content_filter"),
        finish_reason,
        model: named("model"),
        provider: named("provider"),
        system_fingerprint: named("system_fingerprint"),
        service_tier: named("service_tier"),
        input: count(usage, "prompt_tokens"),
        output: count(usage, "completion_tokens"),
        cache: cache_use(usage, "prompt_tokens_details"),
        stated_cost: dollars(usage, "cost"),
    };
    Some(read.into_reply(call, lossy, latency))
}

#[cfg(test)]
mod tests;
