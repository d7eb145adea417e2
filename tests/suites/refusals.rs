//! Servers that refuse calls. Refusals because of a configuration fail its run once, refusals of the endpoint pause
//! the sweep.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server with the same answer to every request: its URL, and the number of requests answered.
async fn one_answer(status: &'static str, body: &'static str) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let answered = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&answered);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                // A request in these tests fits into one read, or its body into a second one.
                let mut request = vec![0; 1 << 16];
                let read = socket.read(&mut request).await.unwrap_or(0);
                if request[..read].ends_with(b"\r\n\r\n") && request.starts_with(b"POST") {
                    let _ = socket.read(&mut request).await;
                }
                count.fetch_add(1, Ordering::Relaxed);
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    (url, answered)
}

/// The experiment's sweep after it has settled, with this many samples.
async fn swept(url: &str, samples: usize) -> Value {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    let document =
        Experiment::echo(url, samples, 1).with("/endpoints/0/limits/concurrency", json!(4)).document;
    let experiment = server.import(&document).await;
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    let sweep = server.settled(&experiment).await;
    let runs = server.get(&format!("experiments/{experiment}/runs")).await;
    json!({"sweep": sweep, "run": runs["items"][0]})
}

#[tokio::test]
async fn a_configuration_that_the_server_does_not_take_fails_once() {
    let body = r#"{"error":{"message":"The model `echo-1` does not exist.","code":"model_not_found"}}"#;
    let (url, answered) = one_answer("404 Not Found", body).await;
    let told = swept(&url, 200).await;
    assert_eq!(told["sweep"]["finish_reason"], "all_failed", "{told}");
    assert_eq!(told["run"]["error"]["kind"], "misconfigured", "{told}");
    assert!(told["run"]["error"]["message"].as_str().unwrap().contains("does not exist"), "{told}");
    assert!(answered.load(Ordering::Relaxed) <= 8, "{} calls were made", answered.load(Ordering::Relaxed));
}

#[tokio::test]
async fn an_endpoint_that_forbids_everything_pauses_its_sweep() {
    let (url, answered) = one_answer("403 Forbidden", "<html>Sorry, you have been blocked</html>").await;
    let told = swept(&url, 200).await;
    assert_eq!(
        (&told["sweep"]["status"], &told["sweep"]["pause_reason"]),
        (&json!("paused"), &json!("endpoint")),
        "{told}"
    );
    assert!(answered.load(Ordering::Relaxed) <= 8, "{} calls were made", answered.load(Ordering::Relaxed));
}
