use std::time::Duration;

use domain::call::{Message, ResponseFormat, Role};
use domain::endpoint::{EndpointIdentity, EndpointKind};
use domain::id::EndpointId;
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

const KEY: &str = "sk-ant-secret";

/// An endpoint whose server answers its one request with this; once done, the request.
async fn server(head: &str, body: &str) -> (Endpoint, JoinHandle<String>) {
    let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 65536];
        let length = socket.read(&mut request).await.unwrap();
        socket.write_all(answer.as_bytes()).await.unwrap();
        request.truncate(length);
        String::from_utf8(request).unwrap()
    });
    let endpoint = Endpoint {
        api_key: Some(Secret::new(KEY)),
        headers: Some([("anthropic-beta".to_owned(), Secret::new("new"))].into()),
        timeout: Duration::from_secs(5),
        ..Endpoint::new(EndpointId::new(1), "e", EndpointIdentity::new(EndpointKind::Anthropic, &url))
    };
    (endpoint, task)
}

fn anthropic() -> AnthropicServer {
    AnthropicServer::new(Client::new(AddressPolicy::endpoints()).unwrap(), Arc::new(StoppedClock))
}

async fn complete(head: &str, body: &str) -> (Result<Reply, CallFailure>, String) {
    let (endpoint, request) = server(head, body).await;
    let call = ChatCall {
        endpoint: endpoint.identity.clone(),
        model: "m".to_owned(),
        messages: vec![Message { role: Role::User, content: "hello".to_owned() }],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    };
    (anthropic().complete(&endpoint, &call).await, request.await.unwrap())
}

#[tokio::test]
async fn an_exchange_over_a_socket() {
    let (result, request) = complete("200 OK", r#"{"content":[{"type":"text","text":"hi"}]}"#).await;
    assert_eq!(result.unwrap().completion().unwrap().text, "hi");
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{head}");
    for header in [&format!("x-api-key: {KEY}"), "anthropic-version: 2023-06-01", "anthropic-beta: new"] {
        assert!(head.contains(header), "{head}");
    }
    assert!(!head.contains("authorization"), "{head}");
    assert_eq!(sent, r#"{"max_tokens":4096,"messages":[{"content":"hello","role":"user"}],"model":"m"}"#);
}

#[tokio::test]
async fn a_stream_of_events_is_read_where_a_message_was_asked_for() {
    let pieces = [
        r#"{"type":"message_start","message":{"model":"m-1","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi "}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"there"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
    ];
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":2}}"#;
    let failed = r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#;
    let answered = async |last: &str| {
        let events = pieces.iter().chain([&last]).map(|event| format!("event: e\ndata: {event}\n\n"));
        complete("200 OK\r\nContent-Type: text/event-stream", &events.collect::<String>()).await.0
    };
    let reply = answered(end).await.unwrap();
    assert_eq!((reply.completion().unwrap().text.as_str(), reply.flags.truncated), ("hi there", true));
    assert_eq!((reply.tokens.input, reply.tokens.output), (3, 2));
    assert_eq!(reply.model_returned.as_deref(), Some("m-1"));
    assert_eq!(answered(failed).await.unwrap_err().kind, FailureKind::Upstream5xx);
}

#[tokio::test]
async fn statuses_become_failures() {
    for (head, error, kind) in [
        ("529 Overloaded", "overloaded_error", FailureKind::Upstream5xx),
        ("429 Slow\r\nRetry-After: 2", "rate_limit_error", FailureKind::RateLimited),
        ("401 No", "authentication_error", FailureKind::Unauthorized),
        ("403 No", "permission_error", FailureKind::Unauthorized),
        ("400 Bad", "invalid_request_error", FailureKind::Rejected),
        ("413 Large", "request_too_large", FailureKind::Rejected),
        ("402 Pay", "billing_error", FailureKind::QuotaExhausted),
    ] {
        let body = format!(r#"{{"type":"error","error":{{"type":"{error}","message":"for {KEY}"}}}}"#);
        let failure = complete(head, &body).await.0.unwrap_err();
        assert_eq!(failure.kind, kind, "{head}");
        assert_eq!(failure.retry_after, head.contains("Retry").then_some(Duration::from_secs(2)), "{head}");
        assert!(failure.message.contains("for ***"), "{failure}");
    }
    let spent = r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#;
    assert_eq!(complete("400 Bad", spent).await.0.unwrap_err().kind, FailureKind::QuotaExhausted);
}

#[tokio::test]
async fn models_are_listed() {
    let (endpoint, request) = server("200 OK", r#"{"data":[{"id":"a"},{"id":"b"}],"has_more":false}"#).await;
    let models = anthropic().models(&endpoint).await.unwrap();
    assert_eq!(models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let request = request.await.unwrap();
    assert!(request.starts_with("GET /v1/models?limit=1000 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("x-api-key: {KEY}")), "{request}");
}

#[tokio::test]
async fn embeddings_are_refused_without_a_request() {
    let (endpoint, request) = server("200 OK", "{}").await;
    let failure = anthropic().embed(&endpoint, &[]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Rejected);
    assert!(failure.message.contains("`e`") && !request.is_finished(), "{failure}");
}
