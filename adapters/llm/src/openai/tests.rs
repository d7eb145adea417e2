use std::time::Duration;

use domain::call::{FailureKind, Message, ResponseFormat, Role};
use domain::endpoint::{Auth, EndpointIdentity, EndpointKind};
use domain::id::EndpointId;
use domain::secret::Secret;
use domain::time::Timestamp;
use domain::value::Map;
use outbound::AddressPolicy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

const KEY: &str = "sk-very-secret";
const ORG: &str = "org-of-mine";

/// A server that answers its only request with these bytes: its URL, and the request once it has ended.
async fn server(answer: String) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 65536];
        let length = socket.read(&mut request).await.unwrap();
        socket.write_all(answer.as_bytes()).await.unwrap();
        request.truncate(length);
        String::from_utf8(request).unwrap()
    });
    (url, task)
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint {
        api_key: Some(Secret::new(KEY)),
        headers: Some([("x-org".to_owned(), Secret::new(ORG))].into()),
        timeout: Duration::from_secs(5),
        ..Endpoint::new(EndpointId::new(1), "e", EndpointIdentity::new(EndpointKind::OpenAi, url))
    }
}

fn call(endpoint: &Endpoint) -> ChatCall {
    ChatCall {
        endpoint: endpoint.identity.clone(),
        model: "m".to_owned(),
        messages: vec![Message { role: Role::User, content: "hello".to_owned() }],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    }
}

fn openai() -> OpenAiServer {
    OpenAiServer::new(Client::new(AddressPolicy::endpoints()).unwrap(), Arc::new(StoppedClock))
}

fn http(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn complete(answer: String) -> (Result<Reply, CallFailure>, String) {
    let (url, request) = server(answer).await;
    let endpoint = endpoint(&url);
    let result = openai().complete(&endpoint, &call(&endpoint)).await;
    (result, request.await.unwrap())
}

#[tokio::test]
async fn an_exchange_over_a_socket() {
    let body = r#"{"choices":[{"message":{"content":"hi"}}]}"#;
    let (result, request) = complete(http("200 OK\r\nContent-Type: text/plain", body)).await;
    let reply = result.unwrap();
    assert_eq!(reply.completion().unwrap().text, "hi");
    assert!(reply.latency > Duration::ZERO);
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains(&format!("authorization: Bearer {KEY}")), "{head}");
    assert!(head.contains(&format!("x-org: {ORG}")), "{head}");
    assert_eq!(sent, r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#);
}

#[tokio::test]
async fn statuses_become_failures() {
    let quota = r#"{"error":{"message":"pay","type":"insufficient_quota"}}"#;
    let echo = format!(r#"{{"error":{{"message":"bad key {KEY} of {ORG}"}}}}"#);
    let cut = format!("{}{KEY}", "x".repeat(500));
    let limited = FailureKind::RateLimited;
    for (head, body, kind, said) in [
        ("429 Slow\r\nRetry-After: 2", "{}", limited, "429: {}"),
        ("429 Slow\r\nRetry-After-Ms: 20", "{}", limited, "429"),
        ("429 Slow\r\nRetry-After: Thu, 01 Jan 1970 00:00:09 GMT", "", limited, "429"),
        ("429 Slow\r\nRetry-After: never", "", limited, "429"),
        ("429 Slow\r\nRetry-After: 2", quota, FailureKind::QuotaExhausted, "429: pay"),
        ("402 Pay", "", FailureKind::QuotaExhausted, "402"),
        ("401 No", &echo, FailureKind::Unauthorized, "401: bad key ***"),
        ("401 No", &cut, FailureKind::Unauthorized, "401: xxx"),
        ("403 No", "<html>\n", FailureKind::Forbidden, "403: <html>\\n"),
        ("403 No", r#"{"error":{"message":"your input was flagged"}}"#, FailureKind::Forbidden, "flagged"),
        ("403 No", r#"{"error":{"message":"this API key may not"}}"#, FailureKind::Unauthorized, "API key"),
        ("408 Late", "", FailureKind::UpstreamBusy, "408"),
        ("409 Busy", "", FailureKind::UpstreamBusy, "409"),
        ("402 Pay\r\nRetry-After: 3", "", limited, "402"),
        ("429 Slow", r#"{"error":{"message":"try again in 2s"}}"#, limited, "429"),
        ("400 Bad", r#"{"message":"no such field"}"#, FailureKind::Rejected, "400: no such field"),
        (
            "404 Bad",
            r#"{"error":"no such model"}"#,
            FailureKind::Rejected,
            "/v1/chat/completions: no such model",
        ),
        (
            "422 Bad",
            r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
            FailureKind::Rejected,
            "422: field required",
        ),
        (
            "400 Bad",
            r#"{"error":{"message":"Provider returned error","metadata":{"raw":"too long"}}}"#,
            FailureKind::Rejected,
            "error: too long",
        ),
        (
            "400 Bad",
            r#"{"error":{"message":"No connected db.","type":"no_db_connection","code":"400"}}"#,
            FailureKind::Unauthorized,
            "400: No connected db.",
        ),
        (
            "400 Bad",
            r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#,
            FailureKind::Unauthorized,
            "400: API key not valid",
        ),
        ("500 Oops", "", FailureKind::Upstream5xx, "500"),
        ("503 Wait", r#"{"error":{"message":"Loading model"}}"#, FailureKind::Loading, "Loading"),
        ("503 Wait", r#"{"error":"too busy"}"#, FailureKind::Upstream5xx, "busy"),
        ("529 Busy", "", FailureKind::Upstream5xx, "529"),
        (
            "301 There\r\nLocation: http://127.0.0.1:1/",
            "",
            FailureKind::Redirect,
            "301 to http://127.0.0.1:1/",
        ),
        ("304 Same", "", FailureKind::Redirect, "304 to nowhere"),
        ("200 OK", "<html>", FailureKind::Malformed, "<html>"),
        ("204 Nothing", "", FailureKind::Malformed, ""),
        ("700 What", "", FailureKind::BadHttp, "700"),
    ] {
        let failure = complete(http(head, body)).await.0.unwrap_err();
        assert_eq!(failure.kind, kind, "{head}");
        assert!(failure.message.contains(said), "{failure}");
        assert!(!failure.message.contains("sk-very") && !failure.message.contains(ORG), "{failure}");
    }
}

#[tokio::test]
async fn waits_that_servers_name_are_kept_with_the_failure() {
    let loading = r#"{"error":"Model m is currently loading","estimated_time":20.5}"#;
    for (head, body, millis) in [
        ("429 Slow\r\nRetry-After: 2", "{}", Some(2000)),
        ("429 Slow\r\nRetry-After-Ms: 20", "{}", Some(20)),
        ("429 Slow\r\nRetry-After: Thu, 01 Jan 1970 00:00:09 GMT", "", Some(9000)),
        ("429 Slow\r\nRetry-After: never", "", None),
        ("402 Pay\r\nRetry-After: 3", "", Some(3000)),
        ("429 Slow", r#"{"error":{"message":"try again in 2s"}}"#, Some(2000)),
        ("503 Wait\r\nRetry-After: 7", "", Some(7000)),
        ("503 Wait", loading, Some(20_500)),
    ] {
        let failure = complete(http(head, body)).await.0.unwrap_err();
        assert_eq!(failure.retry_after, millis.map(Duration::from_millis), "{head}: {body}");
    }
}

#[tokio::test]
async fn broken_exchanges_become_failures() {
    for (answer, kind) in [
        ("", FailureKind::Connect),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", FailureKind::Truncated),
        ("garbage\r\n\r\n", FailureKind::BadHttp),
    ] {
        assert_eq!(complete(answer.to_owned()).await.0.unwrap_err().kind, kind, "{answer}");
    }
}

#[tokio::test]
async fn addresses_that_may_not_be_called_are_refused() {
    let endpoint = endpoint("http://user:pw@10.0.0.1/v1");
    let failure = openai().complete(&endpoint, &call(&endpoint)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::AddressRefused);
    assert!(!failure.message.contains("pw"), "{failure}");
}

#[tokio::test]
async fn models_are_listed() {
    let (url, request) = server(http("200 OK", r#"{"data":[{"id":"a"},{"id":"b"}]}"#)).await;
    let models = openai().models(&endpoint(&url)).await.unwrap();
    assert_eq!(models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(request.await.unwrap().starts_with("GET /v1/models HTTP/1.1\r\n"));
}

#[tokio::test]
async fn responses_are_asked_for_where_the_endpoint_speaks_them() {
    let body = r#"{"output":[{"type":"message","content":[{"type":"output_text","text":"hi"}]}]}"#;
    let (url, request) = server(http("200 OK", body)).await;
    let endpoint = Endpoint { api: Api::Responses, ..endpoint(&url) };
    let reply = openai().complete(&endpoint, &call(&endpoint)).await.unwrap();
    assert_eq!(reply.completion().unwrap().text, "hi");
    let request = request.await.unwrap();
    assert!(request.starts_with("POST /v1/responses HTTP/1.1\r\n"), "{request}");
    let sent = r#"{"input":[{"content":"hello","role":"user"}],"model":"m","store":false}"#;
    assert!(request.ends_with(sent), "{request}");
}

#[tokio::test]
async fn a_stream_of_events_is_read_where_a_response_was_asked_for() {
    let completed = r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"hi there"}]}],"usage":{"input_tokens":3,"output_tokens":2}}}"#;
    let pieces = [
        r#"{"type":"response.created","response":{"status":"in_progress","output":[]}}"#,
        r#"{"type":"response.output_text.delta","delta":"hi "}"#,
        r#"{"type":"response.output_text.delta","delta":"there"}"#,
    ];
    let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}}}"#;
    let answered = async |last: &[&str]| {
        let events = pieces.iter().chain(last).map(|event| format!("event: e\r\ndata: {event}\r\n\r\n"));
        let body: String = events.collect();
        let (url, request) = server(http("200 OK\r\nContent-Type: text/event-stream", &body)).await;
        let endpoint = Endpoint { api: Api::Responses, ..endpoint(&url) };
        let result = openai().complete(&endpoint, &call(&endpoint)).await;
        request.await.unwrap();
        result
    };
    for (last, estimated) in [(&[completed][..], false), (&[], true)] {
        let reply = answered(last).await.unwrap();
        assert_eq!(reply.completion().unwrap().text, "hi there");
        assert_eq!(reply.flags.tokens_estimated, estimated);
    }
    assert_eq!(answered(&[failed]).await.unwrap_err().kind, FailureKind::RateLimited);
}

#[tokio::test]
async fn the_key_goes_in_the_header_that_the_endpoint_names() {
    for auth in Auth::ALL {
        let (url, request) = server(http("200 OK", r#"{"data":[]}"#)).await;
        openai().models(&Endpoint { auth, ..endpoint(&url) }).await.unwrap();
        let request = request.await.unwrap();
        let header = auth.header().map_or_else(
            || format!("\r\nauthorization: Bearer {KEY}\r\n"),
            |name| format!("\r\n{name}: {KEY}\r\n"),
        );
        assert!(request.contains(&header) && request.matches(KEY).count() == 1, "{request}");
    }
}
