//! What a failed exchange means.

use std::collections::BTreeMap;

use domain::call::{CallFailure, FailureKind};
use domain::endpoint::Endpoint;
use domain::secret::Secret;
use domain::time::Timestamp;
use outbound::{Error, RequestRefusal, Response};
use serde_json::Value;

use super::error_words::{
    is_about_account, is_about_configuration, is_about_key, is_about_quota, message, words,
};
use super::{error, excerpt, json, retry_after};

/// The failure of an exchange that brought no answer.
pub(crate) fn of_transport(error: &Error) -> CallFailure {
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
    CallFailure { outcome_unknown, ..CallFailure::new(kind, excerpt::of_text(&error.to_string())) }
}

/// The failure that the status of a model server's answer tells of, at the address that was called.
pub(crate) fn of_status(answer: &Response, now: Timestamp, url: &str) -> CallFailure {
    let failure = read(answer, now, url);
    match answer.status() {
        404 => CallFailure { message: failure.message + without_version(url), ..failure },
        _ => failure,
    }
}

/// The same of a service. Its words are not those of a protocol: none of them says that a whole configuration is wrong.
pub(crate) fn of_service_status(answer: &Response, now: Timestamp, url: &str) -> CallFailure {
    let failure = read(answer, now, url);
    match failure.kind {
        FailureKind::Misconfigured => CallFailure { kind: FailureKind::Rejected, ..failure },
        _ => failure,
    }
}

fn read(answer: &Response, now: Timestamp, url: &str) -> CallFailure {
    let body = json::tree(answer.body()).map(|parsed| parsed.value);
    let error = body.as_ref().and_then(error_of);
    let asked = retry_after::parse(|name| answer.header(name), now);
    let retry_after =
        asked.or_else(|| [error, body.as_ref()].into_iter().flatten().find_map(retry_after::within));
    let kind = match (kind_of_status(answer.status()), error) {
        (FailureKind::RateLimited | FailureKind::Rejected, Some(error)) if is_about_quota(error) => {
            FailureKind::QuotaExhausted
        }
        (FailureKind::QuotaExhausted, _) if asked.is_some() => FailureKind::RateLimited,
        (FailureKind::Upstream5xx, _) if is_loading(answer) => FailureKind::Loading,
        (FailureKind::Forbidden, Some(error)) if is_about_account(error) => FailureKind::Unauthorized,
        (FailureKind::Rejected, Some(error)) if is_about_key(error) => FailureKind::Unauthorized,
        (FailureKind::Rejected, Some(error)) if is_about_configuration(error) => FailureKind::Misconfigured,
        (kind, _) => kind,
    };
    let said = error.and_then(message).map(|text| excerpt::of_text(&text));
    let said = said.unwrap_or_else(|| excerpt::of_bytes(answer.body()));
    let told = match answer.status() {
        404 => format!("404 at {}: {said}", excerpt::of_text(url)),
        status @ 300..=399 => format!("{status} to {}: {said}", target(answer)),
        status => format!("{status}: {said}"),
    };
    let should_retry = answer.header("x-should-retry").and_then(|word| word.trim().parse().ok());
    CallFailure { should_retry, retry_after, ..CallFailure::new(kind, told) }
}

fn target(answer: &Response) -> String {
    answer.header("location").map_or_else(|| "nowhere".to_owned(), excerpt::of_text)
}

/// Whether a server says that it is loading the model, as llama.cpp and Hugging Face's servers do with 503.
fn is_loading(answer: &Response) -> bool {
    let said = String::from_utf8_lossy(&answer.body()[..answer.body().len().min(1024)]).to_lowercase();
    answer.status() == 503 && said.contains("loading")
}

/// What is likely to be missing from an address that is not there.
fn without_version(url: &str) -> &'static str {
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let has_version = path
        .split('/')
        .any(|part| part.starts_with('v') && part[1..].starts_with(|c: char| c.is_ascii_digit()));
    if has_version { "" } else { ". Most servers want `/v1` at the end of the endpoint's URL" }
}

/// Whether an answer of any status tells that the prompt, or the answer to it, was filtered.
pub(crate) fn tells_of_refusal(answer: &Response) -> bool {
    let body = json::tree(answer.body()).map(|parsed| parsed.value);
    (400..500).contains(&answer.status()) && body.as_ref().and_then(error_of).is_some_and(is_refusal)
}

/// Words of providers for a prompt or an answer that was filtered.
const FILTERED: [&str; 6] = [
    "content_filter",
    "content_policy_violation",
    "data_inspection_failed",
    "invalid_prompt",
    "responsibleaipolicyviolation",
    "1301",
];

/// Whether an error tells that the prompt, or the answer to it, was filtered.
pub(crate) fn is_refusal(error: &Value) -> bool {
    let inner = error.pointer("/innererror/code").and_then(Value::as_str);
    words(error).chain(inner).any(|word| FILTERED.contains(&word.to_ascii_lowercase().as_str()))
}

/// The error within the body of a failed exchange, or the body where it is the error itself.
fn error_of(body: &Value) -> Option<&Value> {
    error::within(body).or_else(|| body.is_object().then_some(body))
}

/// The failure that a server reports with status 200.
pub(crate) fn of_error_inside(error: &Value) -> CallFailure {
    let said = message(error).unwrap_or_else(|| error.to_string());
    let message = format!("error in a successful answer: {}", excerpt::of_text(&said));
    let kind = match kind_of_error(error) {
        FailureKind::Forbidden if is_about_account(error) => FailureKind::Unauthorized,
        FailureKind::Rejected if is_about_configuration(error) => FailureKind::Misconfigured,
        kind => kind,
    };
    CallFailure { retry_after: retry_after::within(error), ..CallFailure::new(kind, message) }
}

/// The same failure, with key and headers gone from its message: some servers repeat what they were sent.
pub(crate) fn without_secrets(failure: CallFailure, endpoint: &Endpoint) -> CallFailure {
    let headers = endpoint.headers.iter().flat_map(BTreeMap::values).map(Secret::expose);
    let failure = without(failure, headers);
    masked(failure, endpoint.api_key.iter().map(Secret::expose))
}

/// The same failure, with the values of these headers gone from its message.
pub(crate) fn without<'a>(failure: CallFailure, headers: impl Iterator<Item = &'a str>) -> CallFailure {
    // What is as short as a status or a number would tear the message apart and hide nothing.
    masked(failure, headers.filter(|value| value.len() > 4))
}

fn masked<'a>(mut failure: CallFailure, secrets: impl Iterator<Item = &'a str>) -> CallFailure {
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
        401 => FailureKind::Unauthorized,
        403 => FailureKind::Forbidden,
        408 | 409 => FailureKind::UpstreamBusy,
        402 => FailureKind::QuotaExhausted,
        429 => FailureKind::RateLimited,
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
    let status = ["status", "code"].into_iter().find_map(|name| error.get(name).and_then(status_code));
    if let Some(status @ 400..=599) = status.or_else(|| status_in(&message(error)?)) {
        return kind_of_status(status);
    }
    words(error).find_map(kind_of_word).unwrap_or(FailureKind::Upstream5xx)
}

/// The status that a text names, as in `Error code: 429 - …`.
fn status_in(text: &str) -> Option<u16> {
    let (_, behind) = text.split_once("rror code: ")?;
    behind.get(..3)?.parse().ok()
}

fn status_code(code: &Value) -> Option<u16> {
    code.as_u64().map_or_else(|| code.as_str()?.parse().ok(), |code| u16::try_from(code).ok())
}

fn kind_of_word(word: &str) -> Option<FailureKind> {
    const WORDS: [(&str, FailureKind); 7] = [
        ("rate_limit", FailureKind::RateLimited),
        ("api_key", FailureKind::Unauthorized),
        ("authentication", FailureKind::Unauthorized),
        ("permission", FailureKind::Forbidden),
        ("invalid_request", FailureKind::Rejected),
        ("not_found", FailureKind::Rejected),
        ("too_large", FailureKind::Rejected),
    ];
    WORDS.into_iter().find(|(part, _)| word.contains(part)).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_inside_successful_answers_are_told_apart() {
        let rate_limited = FailureKind::RateLimited;
        for (error, kind, said) in [
            (json!({"message": "slow down", "code": 429}), rate_limited, "slow down"),
            (json!({"message": "slow", "type": "rate_limit_error"}), rate_limited, "slow"),
            (json!({"code": "insufficient_quota"}), FailureKind::QuotaExhausted, "insufficient_quota"),
            (json!({"code": "402"}), FailureKind::QuotaExhausted, "402"),
            (json!({"code": "invalid_api_key"}), FailureKind::Unauthorized, "invalid_api_key"),
            (json!({"type": "invalid_request_error"}), FailureKind::Rejected, "invalid_request"),
            (json!({"code": 502}), FailureKind::Upstream5xx, "502"),
            (
                json!({"type": "overloaded_error", "message": "Overloaded"}),
                FailureKind::Upstream5xx,
                "Overloaded",
            ),
            (json!({"type": "request_too_large", "message": "?"}), FailureKind::Rejected, "?"),
            (json!({"type": "billing_error", "message": "pay"}), FailureKind::QuotaExhausted, "pay"),
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
