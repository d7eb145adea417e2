//! Sockets, and what a server sends through them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::listeners::{Load, Socket, connect, listen};
use promptlooper_tests::support::server::{API_KEY, Server};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

/// The messages of the next frame; none once the server has closed the connection.
async fn frame(socket: &mut Socket) -> Vec<Value> {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap();
        match next {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Vec::new(),
            Some(Ok(_)) => {}
        }
    }
}

fn is_event(message: &Value) -> bool {
    !["snapshot", "progress"].contains(&message["type"].as_str().unwrap())
}

/// Reads until the sweep has ended. Returns all messages in order.
async fn until_over(socket: &mut Socket) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        let more = frame(socket).await;
        assert!(!more.is_empty(), "the server closed the connection");
        let over = more.iter().any(|message| message["type"] == "experiment.completed");
        messages.extend(more);
        if over {
            return messages;
        }
    }
}

async fn a_listener_sees_a_sweep_from_start_to_end(kind: Kind) {
    let (home, fake) = (Home::new(kind).await, FakeLlm::start(Options::default()).await.unwrap());
    fake.set_latency(Duration::from_millis(5));
    let server = Server::start(&home).await;
    let id = server.import(&Experiment::echo(&fake.url(), 20, 10).document).await;
    let path = format!("/ws/experiments/{id}");
    let mut socket = connect(&server, &path, API_KEY, Some(&server.url)).await.unwrap();
    let mut everything = connect(&server, "/ws/dashboard", API_KEY, None).await.unwrap();
    let first = frame(&mut socket).await;
    assert_eq!(
        (first.len(), &first[0]["type"], &first[0]["data"]["leaderboard"]),
        (1, &json!("snapshot"), &json!([]))
    );
    assert_eq!(frame(&mut everything).await[0]["type"], "snapshot");
    server.post(&format!("experiments/{id}/sweep"), json!({})).await;
    let messages = until_over(&mut socket).await;
    let events: Vec<&Value> = messages.iter().filter(|message| is_event(message)).collect();
    let kept =
        server.get(&format!("experiments/{id}/events?limit=500")).await["items"].as_array().unwrap().clone();
    assert_eq!(events.len(), kept.len(), "each event once");
    assert!(
        events.iter().zip(&kept).all(|(told, kept)| **told == *kept),
        "in commit order, and as the list has them"
    );
    let elsewhere = until_over(&mut everything).await;
    assert_eq!(elsewhere.iter().filter(|message| is_event(message)).count(), kept.len(), "{kind:?}");

    let middle = kept[kept.len() / 2]["seq"].as_u64().unwrap();
    let mut late = connect(&server, &format!("{path}?since={middle}"), API_KEY, None).await.unwrap();
    let snapshot = frame(&mut late).await;
    assert_eq!((&snapshot[0]["type"], &snapshot[0]["seq"]), (&json!("snapshot"), &json!(middle)));
    assert_eq!(snapshot[0]["data"]["leaderboard"].as_array().unwrap().len(), 10);
    let best = snapshot[0]["data"]["best_series"].as_array().unwrap();
    assert_eq!(best.last().unwrap()[1], 1.0);
    let replayed = until_over(&mut late).await;
    let seqs: Vec<u64> =
        replayed.iter().filter(|m| is_event(m)).map(|m| m["seq"].as_u64().unwrap()).collect();
    let expected: Vec<u64> =
        kept.iter().map(|event| event["seq"].as_u64().unwrap()).filter(|seq| *seq > middle).collect();
    assert_eq!(seqs, expected, "what came after the place it had come to");

    assert_eq!(server.stop().await, Some(0), "open sockets do not keep a server from stopping");
    assert_eq!(frame(&mut socket).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_listener_sees_a_sweep_from_start_to_end_on_sqlite() {
    a_listener_sees_a_sweep_from_start_to_end(Kind::Sqlite).await;
}

#[tokio::test]
async fn a_listener_sees_a_sweep_from_start_to_end_on_postgres() {
    a_listener_sees_a_sweep_from_start_to_end(Kind::Postgres).await;
}

#[tokio::test]
async fn clients_without_access_and_pages_of_other_sites_cannot_listen() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start_with(&home, &["serve"], &[("PUBLIC_URL", "https://loop.example.org/")]).await;
    for (path, token, origin, status) in [
        ("/ws/dashboard", "nonsense", None, 401),
        ("/ws/dashboard", API_KEY, Some("https://evil.example.org"), 403),
        ("/ws/dashboard", API_KEY, Some("null"), 403),
        ("/ws/experiments/018f4e3a-7b1c-7e65-9d8a-0123456789ab", API_KEY, None, 404),
        ("/ws/experiments/nonsense", API_KEY, None, 404),
    ] {
        let refused = connect(&server, path, token, origin).await;
        let Err(Error::Http(response)) = refused.map_err(|error| *error) else { panic!("{path} {origin:?}") };
        assert_eq!(response.status().as_u16(), status, "{path} {origin:?}");
    }
    assert!(connect(&server, "/ws/dashboard", API_KEY, Some("https://loop.example.org")).await.is_ok());
}

#[tokio::test]
async fn a_client_far_behind_gets_a_snapshot_and_a_talkative_one_is_dropped() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    let mut socket = connect(&server, "/ws/dashboard?since=999999", API_KEY, None).await.unwrap();
    let first = frame(&mut socket).await;
    assert_eq!(
        (&first[0]["type"], &first[0]["seq"]),
        (&json!("snapshot"), &json!(0)),
        "a place that is not there yet"
    );
    socket.send(Message::text("x".repeat(100_000))).await.unwrap();
    assert_eq!(frame(&mut socket).await, Vec::<Value>::new());
    let kinds: BTreeSet<&str> = first.iter().filter_map(|message| message["type"].as_str()).collect();
    assert_eq!(kinds.len(), 1);
}

/// A hundred listeners during heavy activity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_listener_hears_every_event_once_and_in_order() {
    let home = Home::new(Kind::Postgres).await;
    let server = Server::start(&home).await;
    let load = Load { listeners: 100, rate: 1_000, events: 3_000 };
    let heard = listen(&server, &home.stores().await, load).await;
    let all: Vec<u64> = (0..load.events).collect();
    assert_eq!(heard.numbers.len(), load.listeners);
    assert!(heard.numbers.iter().all(|numbers| *numbers == all));

    let last = load.events;
    for (since, begins) in [(1, last), (last - 2_001, last), (last - 1_000, last - 1_000)] {
        let path = format!("/ws/dashboard?since={since}");
        let mut late = connect(&server, &path, API_KEY, None).await.unwrap();
        let snapshot = &frame(&mut late).await[0];
        assert_eq!(snapshot["type"], "snapshot");
        assert_eq!(
            snapshot["seq"], begins,
            "whoever has seen {since} is told what came after, or starts over"
        );
        let replayed = if begins < last { frame(&mut late).await.len() as u64 } else { 0 };
        assert_eq!(replayed, last - begins);
    }
}

#[tokio::test]
async fn a_session_that_ends_ends_its_sockets() {
    let home = Home::new(Kind::Sqlite).await;
    let mut server = Server::start(&home).await;
    let password = "correct horse battery";
    let session = server.post("auth/setup", json!({"username": "ada", "password": password})).await;
    let token = session["token"].as_str().unwrap().to_owned();
    let mut socket = connect(&server, "/ws/dashboard", &token, None).await.unwrap();
    assert_eq!(frame(&mut socket).await[0]["type"], "snapshot");
    server.token = Some(token);
    let change = json!({"current": password, "new": "another horse"});
    let (status, _) = server.send(reqwest::Method::PUT, "auth/password", Some(change)).await;
    assert_eq!(status.as_u16(), 200);
    let closed = tokio::time::timeout(Duration::from_secs(30), async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(Some(close)) = message {
                return u16::from(close.code);
            }
        }
        0
    });
    assert_eq!(closed.await.unwrap(), 4401, "which asks to log in again");
}
