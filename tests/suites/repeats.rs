//! Requests whose client disconnects and later sends the same key again.

use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Sends a request with a key, and disconnects after a while.
async fn leave(server: &Server, path: &str, key: &str, body: &Value, after: Duration) {
    let address = server.url.trim_start_matches("http://");
    let (body, token) = (body.to_string(), server.token.clone().unwrap());
    let request = format!(
        "POST /api/v1/{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(after).await;
}

/// Repeats the request until the first one has ended.
async fn ask_again(server: &Server, path: &str, key: &str, body: &Value) -> (u16, Value) {
    for _ in 0..200 {
        let answer = server.raw(Method::POST, path, Some(body.clone()), &[("Idempotency-Key", key)]).await;
        let (status, answer): (u16, Value) = (answer.status().as_u16(), answer.json().await.unwrap());
        if answer["code"] != "still_running" {
            return (status, answer);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the first request is running for ever");
}

#[tokio::test]
async fn a_client_that_hangs_up_changes_nothing() {
    for kind in Kind::ALL {
        let home = Home::new(kind).await;
        let fake = FakeLlm::start(Options::default()).await.unwrap();
        let server = Server::start(&home).await;
        let id = server.import(&Experiment::echo(&fake.url(), 2, 2).document).await;
        for number in 0..20_u64 {
            let (key, body) =
                (format!("run-{number}"), json!({"experiment_id": id, "values": {"temperature": 0.5}}));
            leave(&server, "runs", &key, &body, Duration::from_micros(200 * number)).await;
            let (status, first) = ask_again(&server, "runs", &key, &body).await;
            assert_eq!(status, 202, "{kind:?} {number}: {first}");
            let (_, again) = ask_again(&server, "runs", &key, &body).await;
            assert_eq!(again, first, "{kind:?} {number}: another answer");
        }
        let runs = server.get(&format!("experiments/{id}/runs?limit=100")).await;
        assert_eq!(runs["items"].as_array().unwrap().len(), 20, "{kind:?}: each key makes one run");

        let (path, body) = (format!("experiments/{id}/sweep"), json!({"kind": "grid"}));
        leave(&server, &path, "sweep", &body, Duration::from_millis(1)).await;
        let (status, first) = ask_again(&server, &path, "sweep", &body).await;
        assert_eq!(status, 202, "{kind:?}: {first}");
        server.settled(&id).await;
        let (status, again) = ask_again(&server, &path, "sweep", &body).await;
        assert_eq!((status, &again), (202, &first), "{kind:?}: the first answer, although the sweep is over");
        let sweeps = server.get(&format!("experiments/{id}/sweeps")).await;
        assert_eq!(sweeps["items"].as_array().unwrap().len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_request_is_running_until_its_answer_is_known_and_a_refused_key_is_free() {
    let home = Home::new(Kind::Sqlite).await;
    let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(400) }).await.unwrap();
    let server = Server::start(&home).await;
    let id = server.import(&Experiment::echo(&fake.url(), 4, 2).document).await;
    let (path, body) = ("runs?wait=30", json!({"experiment_id": id, "values": {"temperature": 0.5}}));
    leave(&server, path, "slow", &body, Duration::from_millis(100)).await;
    let key = [("Idempotency-Key", "slow")];
    let busy = server.raw(Method::POST, path, Some(body.clone()), &key).await;
    assert_eq!(busy.status().as_u16(), 409);
    let (status, over) = ask_again(&server, path, "slow", &body).await;
    assert_eq!((status, &over["status"]), (200, &json!("completed")), "{over}");

    let wrong = json!({"experiment_id": id, "values": {"heat": 1}});
    let (status, _) = ask_again(&server, "runs", "twice", &wrong).await;
    assert_eq!(status, 422);
    let (status, made) = ask_again(&server, "runs", "twice", &body).await;
    assert_eq!(status, 202, "a refused request keeps its key: {made}");
}
