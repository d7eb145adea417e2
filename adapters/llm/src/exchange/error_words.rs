//! What the words of an error speak of.

use serde_json::Value;

/// Words of providers for an account that has nothing left.
const QUOTA: [&str; 3] = ["insufficient_quota", "billing_hard_limit_reached", "billing_error"];

pub(super) fn is_about_quota(error: &Value) -> bool {
    // Anthropic calls this an invalid request, and tells it from others in the message alone.
    let is_spent = || message(error).is_some_and(|said| said.contains("credit balance is too low"));
    words(error).any(|word| QUOTA.contains(&word)) || is_spent()
}

pub(super) fn words(error: &Value) -> impl Iterator<Item = &str> {
    ["code", "type"].into_iter().filter_map(|name| error.get(name)?.as_str())
}

/// Words of messages about who asks, rather than about what is asked.
const ACCOUNT: [&str; 9] = [
    "api key",
    "api_key",
    "apikey",
    "credential",
    "account",
    "organization",
    "billing",
    "subscription",
    "permission",
];

/// Words of providers for a model that is not there, and for a parameter that it does not take.
const CONFIGURATION: [&str; 6] = [
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "model_not_found",
    "invalid_model",
    "deploymentnotfound",
];

/// Whether an error means the model or a parameter, so that every call like it will fail.
pub(super) fn is_about_configuration(error: &Value) -> bool {
    if words(error).any(|word| CONFIGURATION.contains(&word.to_ascii_lowercase().as_str())) {
        return true;
    }
    let said = message(error).unwrap_or_default().to_lowercase();
    said.contains("model")
        && ["not found", "does not exist", "not exist"].iter().any(|end| said.contains(end))
}

/// Whether an error speaks of the key or the account.
pub(super) fn is_about_account(error: &Value) -> bool {
    let said = words(error).map(str::to_owned).chain(message(error));
    said.map(|text| text.to_lowercase()).any(|text| ACCOUNT.iter().any(|word| text.contains(word)))
}

/// Words of gateways for a key that they do not know, although their status tells of a bad request: `LiteLLM` without a
/// database, and Google.
const KEY: [&str; 3] = ["no_db_connection", "api_key_invalid", "api key not valid"];

/// Whether an error means the key, so that every call will fail.
pub(super) fn is_about_key(error: &Value) -> bool {
    let said = words(error).map(str::to_owned).chain(message(error));
    said.map(|text| text.to_lowercase()).any(|text| KEY.iter().any(|word| text.contains(word)))
}

/// The server's own words, wherever they stand.
pub(super) fn message(error: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let raw = error.pointer("/metadata/raw").and_then(text);
    let said = ["message", "detail", "msg", "error_description"].iter().find_map(|name| error.get(*name));
    let said = text(error).or_else(|| {
        let said = said?;
        // FastAPI tells a list of what is wrong with fields.
        let first = said.get(0).and_then(|first| first.get("msg")).and_then(text);
        text(said).or(first)
    });
    match (said, raw) {
        (Some(said), Some(raw)) => Some(format!("{said}: {raw}")),
        (said, raw) => said.or(raw),
    }
}
