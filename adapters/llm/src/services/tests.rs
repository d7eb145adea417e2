use std::time::Duration;

use domain::time::Timestamp;
use outbound::{AddressPolicy, AllowList, OwnPlaces};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

const KEY: &str = "sk-very-secret";

fn services(policy: AddressPolicy) -> HttpServices {
    HttpServices::new(Client::new(policy).unwrap(), Arc::new(StoppedClock))
}

fn request(url: &str) -> FetchRequest {
    let headers = [("x-key", KEY), ("content-type", "text/csv")];
    FetchRequest {
        url: url.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), Secret::new(value))).into(),
        body: "a,b".to_owned(),
        timeout: Duration::from_millis(300),
    }
}

/// The outcome of a request to a service that answers with these bytes, and what it received.
async fn fetched(answer: Option<Vec<u8>>) -> (Result<FetchResponse, CallFailure>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/rank", listener.local_addr().unwrap());
    let service = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 65_536];
        let length = socket.read(&mut request).await.unwrap();
        match answer {
            Some(answer) => socket.write_all(&answer).await.unwrap(),
            None => tokio::time::sleep(Duration::from_secs(1)).await,
        }
        request.truncate(length);
        String::from_utf8(request).unwrap().to_lowercase()
    });
    let allowed = AllowList::parse("127.0.0.1").unwrap();
    let result = services(AddressPolicy::services(allowed)).post_json(&request(&url)).await;
    (result, service.await.unwrap())
}

fn http(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn an_answer_is_read_as_it_came() {
    const BOM: &[u8] = b"\xef\xbb\xbf{}";
    for (head, body, text, is_json, is_lossy) in [
        ("200 OK\r\nContent-Type: application/json", BOM, "{}", true, false),
        ("201 OK\r\nContent-Type: application/problem+JSON; charset=utf-8", b"[1]", "[1]", true, false),
        ("200 OK\r\nContent-Type: text/html", b"<p>", "<p>", false, false),
        ("204 No", b"", "", false, false),
        ("200 OK", b"a\xff\x00", "a\u{fffd}\u{fffd}", false, true),
    ] {
        let (result, received) = fetched(Some(http(head, body))).await;
        let answer = result.unwrap();
        assert_eq!(
            (answer.body.as_str(), answer.is_json, answer.is_lossy),
            (text, is_json, is_lossy),
            "{head}"
        );
        assert!(received.starts_with("post /rank http/1.1") && received.ends_with("a,b"), "{received}");
        assert!(received.contains("content-type: text/csv") && received.contains(KEY), "{received}");
    }
}

#[tokio::test]
async fn failures_mean_what_they_mean_at_model_servers() {
    let echo = br#"{"error": {"code": "model_not_found", "message": "no sk-very-secret here"}}"#;
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec();
    for (answer, kind, wait, unknown) in [
        (Some(http("429 No\r\nRetry-After: 2", b"")), FailureKind::RateLimited, Some(2), false),
        (Some(http("503 No\r\nRetry-After: 3600", b"")), FailureKind::Upstream5xx, Some(3_600), false),
        (Some(http("400 No", echo)), FailureKind::Rejected, None, false),
        (Some(http("404 No", b"no")), FailureKind::Rejected, None, false),
        (Some(http("401 No", echo)), FailureKind::Unauthorized, None, false),
        (Some(http("302 No\r\nLocation: http://10.0.0.1/", b"")), FailureKind::Redirect, None, false),
        (Some(cut), FailureKind::Truncated, None, true),
        (Some(vec![]), FailureKind::Connect, None, false),
        (None, FailureKind::Timeout, None, true),
    ] {
        let failure = fetched(answer).await.0.unwrap_err();
        assert_eq!((failure.kind, failure.outcome_unknown), (kind, unknown), "{failure}");
        assert_eq!(failure.retry_after, wait.map(Duration::from_secs), "{failure}");
        assert!(!failure.message.contains(KEY) && !failure.message.contains("/v1"), "{failure}");
    }
}

#[tokio::test]
async fn a_refusal_says_how_to_allow_the_address_and_not_whether_the_port_is_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = listener.local_addr().unwrap();
    let none = || AddressPolicy::services(AllowList::default());
    let own = OwnPlaces::default().with_listener(open);
    let listed = AddressPolicy::services(AllowList::parse("127.0.0.0/8, 169.254.0.0/16").unwrap());
    let listed = || listed.clone().keeping_out_of(own.clone());
    for (policy, url, told) in [
        (
            none(),
            format!("http://{open}/x"),
            "is a private address: an administrator can allow it with OUTBOUND_ALLOW=127.0.0.1",
        ),
        (
            none(),
            "http://127.0.0.1:1/x".to_owned(),
            "is a private address: an administrator can allow it with OUTBOUND_ALLOW=127.0.0.1",
        ),
        (
            none(),
            format!("http://localhost:{}/x", open.port()),
            "leads to a private address: an administrator can allow it with OUTBOUND_ALLOW=localhost",
        ),
        (
            none(),
            "http://[::1]/x".to_owned(),
            "is a private address: an administrator can allow it with OUTBOUND_ALLOW=::1",
        ),
        (
            listed(),
            "http://169.254.169.254/x".to_owned(),
            ": the URL leads to an address that may not be called",
        ),
        (listed(), format!("http://{open}/x"), ": the URL leads to PromptLooper itself or to its database"),
    ] {
        let failure = services(policy).post_json(&request(&url)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::AddressRefused);
        let message = failure.message.strip_prefix(&format!("`{url}`")).unwrap_or(&failure.message);
        assert_eq!(message.trim_start(), told.trim_start(), "{url}");
    }
}
