//! What a failed exchange means.

use std::collections::BTreeMap;

use domain::call::{CallFailure, FailureKind};
use domain::endpoint::Endpoint;
use domain::secret::Secret;
use domain::time::Timestamp;
use outbound::{Error, RequestRefusal, Response};
use serde_json::Value;

use super::{excerpt, json, retry_after};

/// The failure of an exchange that brought no answer.
pub(super) fn of_transport(error: &Error) -> CallFailure {
    let kind = match error {
        Error::Refused(RequestRefusal::Key | RequestRefusal::Header) => FailureKind::Unauthorized,
        Error::Refused(_) => FailureKind::AddressRefused,
        Error::Connect(_) => FailureKind::Connect,
        Error::Broken(_) => FailureKind::Truncated,
        Error::Timeout => FailureKind::Timeout,
        Error::TooLarge(_) => FailureKind::ResponseTooLarge,
        Error::BadHttp(_) => FailureKind::BadHttp,
    };
    let outcome_unknown = matches!(error, Error::Broken(_) | Error::Timeout | Error::TooLarge(_));
    CallFailure { kind, message: excerpt::of_text(&error.to_string()), outcome_unknown }
}

/// The failure that an answer's status tells of.
pub(super) fn of_status(answer: &Response, now: Timestamp) -> CallFailure {
    let body = json::read::<Value>(answer.body()).map(|parsed| parsed.value);
    let error = body.as_ref().and_then(|body| body.get("error"));
    let kind = match kind_of_status(answer.status()) {
        FailureKind::RateLimited { .. } if error.is_some_and(is_about_quota) => FailureKind::QuotaExhausted,
        FailureKind::RateLimited { .. } => {
            FailureKind::RateLimited { retry_after: retry_after::parse(|name| answer.header(name), now) }
        }
        kind => kind,
    };
    let said = error.and_then(message).or_else(|| body.as_ref().and_then(message));
    let said = said.map_or_else(|| excerpt::of_bytes(answer.body()), excerpt::of_text);
    CallFailure::new(kind, format!("{}: {said}", answer.status()))
}

/// The failure that a server reports with status 200.
pub(super) fn of_error_inside(error: &Value) -> CallFailure {
    let said = message(error).map_or_else(|| excerpt::of_text(&error.to_string()), excerpt::of_text);
    CallFailure::new(kind_of_error(error), format!("error in a successful answer: {said}"))
}

/// The same failure, with key and headers gone from its message: some servers repeat what they were sent.
pub(super) fn without_secrets(mut failure: CallFailure, endpoint: &Endpoint) -> CallFailure {
    // What is as short as a status or a number would tear the message apart and hide nothing.
    let headers = endpoint.headers.iter().flat_map(BTreeMap::values).filter(|value| value.expose().len() > 4);
    let secrets = endpoint.api_key.iter().chain(headers).map(Secret::expose);
    for secret in secrets.filter(|secret| !secret.is_empty()) {
        failure.message = failure.message.replace(secret, Secret::MASK);
        let cut = cut_key(&failure.message, secret).len();
        failure.message.truncate(failure.message.len() - cut);
    }
    failure
}

/// The beginning of the key that a message ends with, since excerpts may be cut within it.
fn cut_key<'a>(message: &str, key: &'a str) -> &'a str {
    let mut beginnings = (4..key.len()).rev().filter_map(|length| key.get(..length));
    beginnings.find(|beginning| message.ends_with(beginning)).unwrap_or_default()
}

const fn kind_of_status(status: u16) -> FailureKind {
    match status {
        300..=399 => FailureKind::Redirect,
        401 | 403 => FailureKind::Unauthorized,
        402 => FailureKind::QuotaExhausted,
        429 => FailureKind::RateLimited { retry_after: None },
        400..=499 => FailureKind::Rejected,
        500..=599 => FailureKind::Upstream5xx,
        _ => FailureKind::BadHttp,
    }
}

/// By the status given as its code, or by the words that servers use for its type and code.
fn kind_of_error(error: &Value) -> FailureKind {
    if is_about_quota(error) {
        return FailureKind::QuotaExhausted;
    }
    if let Some(status @ 400..=599) = error.get("code").and_then(status_code) {
        return kind_of_status(status);
    }
    words(error).find_map(kind_of_word).unwrap_or(FailureKind::Upstream5xx)
}

fn status_code(code: &Value) -> Option<u16> {
    code.as_u64().map_or_else(|| code.as_str()?.parse().ok(), |code| u16::try_from(code).ok())
}

fn kind_of_word(word: &str) -> Option<FailureKind> {
    const WORDS: [(&str, FailureKind); 6] = [
        ("rate_limit", FailureKind::RateLimited { retry_after: None }),
        ("api_key", FailureKind::Unauthorized),
        ("authentication", FailureKind::Unauthorized),
        ("permission", FailureKind::Unauthorized),
        ("invalid_request", FailureKind::Rejected),
        ("not_found", FailureKind::Rejected),
    ];
    WORDS.into_iter().find(|(part, _)| word.contains(part)).map(|(_, kind)| kind)
}

fn is_about_quota(error: &Value) -> bool {
    words(error).any(|word| matches!(word, "insufficient_quota" | "billing_hard_limit_reached"))
}

fn words(error: &Value) -> impl Iterator<Item = &str> {
    ["code", "type"].into_iter().filter_map(|name| error.get(name)?.as_str())
}

fn message(error: &Value) -> Option<&str> {
    error.as_str().or_else(|| error.get("message")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_inside_successful_answers_are_told_apart() {
        let rate_limited = FailureKind::RateLimited { retry_after: None };
        for (error, kind, said) in [
            (json!({"message": "slow down", "code": 429}), rate_limited, "slow down"),
            (json!({"message": "slow", "type": "rate_limit_error"}), rate_limited, "slow"),
            (json!({"code": "insufficient_quota"}), FailureKind::QuotaExhausted, "insufficient_quota"),
            (json!({"code": "402"}), FailureKind::QuotaExhausted, "402"),
            (json!({"code": "invalid_api_key"}), FailureKind::Unauthorized, "invalid_api_key"),
            (json!({"type": "invalid_request_error"}), FailureKind::Rejected, "invalid_request"),
            (json!({"code": 502}), FailureKind::Upstream5xx, "502"),
            (json!("out of\nmemory"), FailureKind::Upstream5xx, "out of\\nmemory"),
        ] {
            let failure = of_error_inside(&error);
            assert_eq!(failure.kind, kind, "{error}");
            assert!(failure.message.contains(said), "{failure}");
        }
    }

    #[test]
    fn what_may_have_been_billed_is_marked() {
        for (error, kind, unknown) in [
            (Error::Connect("reset".to_owned()), "connect", false),
            (Error::Broken("reset".to_owned()), "truncated", true),
            (Error::Timeout, "timeout", true),
            (Error::TooLarge(16 << 20), "response_too_large", true),
            (Error::BadHttp("?".to_owned()), "bad_http", false),
            (Error::Refused(RequestRefusal::Address), "address_refused", false),
            (Error::Refused(RequestRefusal::Key), "unauthorized", false),
        ] {
            let failure = of_transport(&error);
            assert_eq!((failure.kind.as_str(), failure.outcome_unknown), (kind, unknown));
        }
    }
}
