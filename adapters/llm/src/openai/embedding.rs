//! Embeddings: the body of a request for many texts, and its response.

use std::time::Duration;

use domain::call::{CallFailure, EmbedCall, Embedding, FailureKind, Flags, Reply, ReplyBody};
use domain::money::NanoDollars;
use domain::pricing::{CacheUse, Tokens};
use domain::value::write_text;
use serde::Deserialize;

use crate::exchange::usage::{count, dollars};
use crate::exchange::{excerpt, failure, json};

#[derive(Deserialize)]
struct EmbeddingResponse {
    model: Option<String>,
    data: Option<Vec<Item>>,
    #[serde(default)]
    usage: serde_json::Value,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// The body of the request for these texts, all for the same model.
pub(super) fn request(calls: &[EmbedCall]) -> String {
    let texts: usize = calls.iter().map(|call| call.text.len() + 8).sum();
    let mut body = String::with_capacity(texts + texts / 8 + 64);
    body.push_str(r#"{"model":"#);
    write_text(calls.first().map_or("", |call| &call.model), &mut body);
    body.push_str(r#","input":["#);
    for (i, call) in calls.iter().enumerate() {
        if i > 0 {
            body.push(',');
        }
        write_text(&call.text, &mut body);
    }
    body.push_str("]}");
    body
}

/// The embeddings in `body`, one for each call, or the failure that it reports. Tokens, latency and stated cost of the
/// exchange are divided among the calls by the lengths of their texts.
pub(super) fn read(
    body: &[u8],
    calls: &[EmbedCall],
    latency: Duration,
    stated: Option<NanoDollars>,
) -> Result<Vec<Reply>, CallFailure> {
    let answer = json::read::<EmbeddingResponse>(body).ok_or_else(|| malformed(body))?.value;
    let items = match (answer.data, answer.error) {
        (Some(items), _) if !items.is_empty() => items,
        (_, Some(error)) => return Err(failure::of_error_inside(&error)),
        _ => return Err(malformed(body)),
    };
    let vectors = in_order(items, calls.len()).ok_or_else(|| malformed(body))?;
    let model = calls.first().map(|call| &call.model);
    let returned = answer.model.filter(|returned| Some(returned) != model);
    let counted = count(&answer.usage, "prompt_tokens").or_else(|| count(&answer.usage, "total_tokens"));
    let tokens = counted.unwrap_or_else(|| calls.iter().map(EmbedCall::estimated_input).sum());
    let whole = Whole { tokens, latency, cost: dollars(&answer.usage, "cost").or(stated) };
    let mut shares = Shares::of(calls);
    let replies = vectors.into_iter().zip(calls).map(|(vector, call)| {
        let share = shares.next(call, whole);
        Reply {
            body: ReplyBody::Embedding(vector),
            model_returned: returned.clone(),
            provider: None,
            system_fingerprint: None,
            service_tier: None,
            cache: CacheUse::default(),
            stated_cost: share.cost,
            tokens: Tokens { input: share.tokens, output: 0 },
            latency: share.latency,
            flags: Flags { tokens_estimated: counted.is_none(), ..Flags::default() },
        }
    });
    Ok(replies.collect())
}

/// The vectors by index, if there is one for each text and all have the same length.
fn in_order(items: Vec<Item>, texts: usize) -> Option<Vec<Embedding>> {
    let mut vectors: Vec<Option<Embedding>> = vec![None; texts];
    let length = items.first()?.embedding.len();
    for (place, item) in items.into_iter().enumerate() {
        let vector = Embedding::try_new(item.embedding).filter(|vector| vector.numbers().len() == length)?;
        let slot = vectors.get_mut(item.index.unwrap_or(place))?;
        if slot.replace(vector).is_some() {
            return None;
        }
    }
    vectors.into_iter().collect()
}

/// What an exchange took, or a call's share of it.
#[derive(Clone, Copy)]
struct Whole {
    tokens: u64,
    latency: Duration,
    cost: Option<NanoDollars>,
}

/// Divides what an exchange took among its calls, so that all shares add up to it.
struct Shares {
    bytes: u128,
    seen: u128,
    tokens: u64,
    nanos: u128,
    cost: i64,
}

impl Shares {
    fn of(calls: &[EmbedCall]) -> Self {
        let bytes = calls.iter().map(weight).sum();
        Self { bytes, seen: 0, tokens: 0, nanos: 0, cost: 0 }
    }

    fn next(&mut self, call: &EmbedCall, whole: Whole) -> Whole {
        self.seen += weight(call);
        let part = |whole: u128| whole * self.seen / self.bytes.max(1);
        let until = u64::try_from(part(u128::from(whole.tokens))).unwrap_or(u64::MAX);
        let nanos = part(whole.latency.as_nanos());
        let cost = whole.cost.map(|cost| {
            let cost = part(u128::try_from(cost.nanos()).unwrap_or_default());
            i64::try_from(cost).unwrap_or(i64::MAX)
        });
        let share = Whole {
            tokens: until - self.tokens,
            latency: Duration::from_nanos(u64::try_from(nanos - self.nanos).unwrap_or(u64::MAX)),
            cost: cost.map(|cost| NanoDollars::new(cost - self.cost)),
        };
        (self.tokens, self.nanos, self.cost) = (until, nanos, cost.unwrap_or_default());
        share
    }
}

/// At least 1, so that empty texts have a share too.
const fn weight(call: &EmbedCall) -> u128 {
    call.text.len() as u128 + 1
}

fn malformed(body: &[u8]) -> CallFailure {
    let message = format!("the response has no embedding for each text: {}", excerpt::of_bytes(body));
    CallFailure { outcome_unknown: true, ..CallFailure::new(FailureKind::Malformed, message) }
}

#[cfg(test)]
mod tests {
    use domain::endpoint::{EndpointIdentity, EndpointKind};

    use super::*;

    fn calls(texts: &[&str]) -> Vec<EmbedCall> {
        let endpoint = EndpointIdentity::new(EndpointKind::OpenAi, "http://h");
        let call = |text: &&str| EmbedCall {
            endpoint: endpoint.clone(),
            model: "bge".into(),
            text: (*text).to_owned(),
        };
        texts.iter().map(call).collect()
    }

    #[test]
    fn texts_are_sent_in_one_request() {
        assert_eq!(request(&calls(&["a \"b\"", ""])), r#"{"model":"bge","input":["a \"b\"",""]}"#);
    }

    #[test]
    fn vectors_come_back_in_the_order_of_the_texts_and_share_what_they_took() {
        let body = r#"{"model":"bge","data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}],
            "usage":{"prompt_tokens":7,"total_tokens":7}}"#;
        let read = read(
            body.as_bytes(),
            &calls(&["abc", "d"]),
            Duration::from_millis(60),
            Some(NanoDollars::new(1_001)),
        )
        .unwrap();
        let vectors: Vec<_> =
            read.iter().map(|reply| reply.embedding().unwrap().numbers().to_vec()).collect();
        assert_eq!(vectors, [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(read.iter().map(|reply| reply.tokens.input).collect::<Vec<_>>(), [4, 3]);
        assert_eq!(read.iter().map(|reply| reply.latency).sum::<Duration>(), Duration::from_millis(60));
        let costs = read.iter().filter_map(|reply| reply.stated_cost).map(NanoDollars::nanos);
        assert_eq!(costs.collect::<Vec<_>>(), [667, 334], "shares of the stated cost add up to it");
        assert!(read.iter().all(|reply| !reply.flags.tokens_estimated && reply.model_returned.is_none()));
    }

    #[test]
    fn a_response_without_a_vector_for_each_text_is_malformed() {
        for (body, kind) in [
            ("{}", FailureKind::Malformed),
            (r#"{"data":[]}"#, FailureKind::Malformed),
            (r#"{"data":[{"embedding":[1]}]}"#, FailureKind::Malformed),
            (r#"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#, FailureKind::Malformed),
            (r#"{"data":[{"embedding":[1]},{"embedding":[1e999]}]}"#, FailureKind::Malformed),
            (r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#, FailureKind::Malformed),
            (r#"{"data":[{"index":0,"embedding":[1]},{"index":9,"embedding":[1]}]}"#, FailureKind::Malformed),
            (r#"{"data":[{"embedding":[]},{"embedding":[]}]}"#, FailureKind::Malformed),
        ] {
            let failure = read(body.as_bytes(), &calls(&["a", "b"]), Duration::ZERO, None).unwrap_err();
            assert_eq!(failure.kind, kind, "{body}");
        }
        let inside = r#"{"error":{"message":"no such model","code":404}}"#;
        let failure = read(inside.as_bytes(), &calls(&["a"]), Duration::ZERO, None).unwrap_err();
        assert!(failure.message.contains("no such model"), "{failure}");
    }

    #[test]
    fn missing_counts_are_estimated_and_said() {
        let body = r#"{"data":[{"embedding":[1]}]}"#;
        let read = read(body.as_bytes(), &calls(&["abcdefgh"]), Duration::ZERO, None).unwrap();
        assert_eq!((read[0].tokens.input, read[0].flags.tokens_estimated), (2, true));
    }
}
