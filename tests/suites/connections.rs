//! Slow clients, too many clients, and requests without a clear host.

use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{SinkExt as _, StreamExt as _};
use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::proxy::Proxy;
use promptlooper_tests::support::server::{API_KEY, Server};
use promptlooper_tests::support::{listeners, program};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

/// A time limit that no machine reaches.
const LIFE: Duration = Duration::from_mins(1);
const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: test\r\n\r\n";
const HALF: &str = "GET /health HTTP/1.1\r\nHost: te";

async fn in_time<T>(what: &str, coming: impl Future<Output = T>) -> T {
    timeout(LIFE, coming).await.unwrap_or_else(|_| panic!("{what} does not come"))
}

/// A raw connection.
struct Client(TcpStream);

impl Client {
    async fn open(server: &Server, sent: &str) -> Self {
        let mut client = Self(TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap());
        client.say(sent).await;
        client
    }

    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads the next small answer.
    async fn answer(&mut self) -> String {
        let mut read = vec![0; 8192];
        let length = in_time("an answer", self.0.read(&mut read)).await.unwrap();
        String::from_utf8_lossy(&read[..length]).into_owned()
    }

    /// Waits until the server closes the connection. Returns what it sent before.
    async fn closed(&mut self) -> String {
        let mut rest = Vec::new();
        // A server that has ended may also reset the connection.
        drop(in_time("the end of a connection", self.0.read_to_end(&mut rest)).await);
        String::from_utf8_lossy(&rest).into_owned()
    }
}

/// Sends an endless head in small parts.
async fn drip(server: &Server) {
    let mut client = Client::open(server, "GET /health HTTP/1.1\r\nX: ").await;
    let dripping = async {
        while client.0.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(300)).await;
        }
    };
    in_time("the end of a connection", dripping).await;
}

/// Many idle connections. The server still answers others, and closes these in the end.
async fn crowd(server: &Server) {
    let mut all = join_all((0..300).map(|_| Client::open(server, HALF))).await;
    let health = in_time("an answer beside 300 connections", server.get("/health")).await;
    assert_eq!(health["status"], "ok");
    join_all(all.iter_mut().map(Client::closed)).await;
}

/// A connection with one request every second, for longer than the time limit of a head.
async fn regular(server: &Server) {
    let mut client = Client::open(server, HEALTH).await;
    for _ in 0..13 {
        assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
        sleep(Duration::from_secs(1)).await;
        client.say(HEALTH).await;
    }
}

/// A request whose answer takes longer than the time limit of a head.
async fn patient(server: &Server, experiment: &str) {
    let body = json!({"experiment_id": experiment, "values": {"temperature": 1.5}});
    assert_eq!(server.post("runs?wait=30", body).await["status"], "completed");
}

/// A silent WebSocket, for longer than the time limit of a head.
async fn listening(server: &Server) {
    let mut socket = listeners::connect(server, "/ws/dashboard", API_KEY, None).await.unwrap();
    sleep(Duration::from_secs(12)).await;
    socket.send(Message::Ping("still there?".into())).await.unwrap();
    let answered = async { while !matches!(socket.next().await.unwrap().unwrap(), Message::Pong(_)) {} };
    in_time("an answer", answered).await;
}

#[tokio::test]
async fn slow_clients_are_disconnected_and_busy_ones_are_served() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    fake.set_latency(Duration::from_secs(12));
    let server = Server::start(&home).await;
    let experiment = server.import(&Experiment::echo(&fake.url(), 1, 1).document).await;
    tokio::join!(
        drip(&server),
        crowd(&server),
        regular(&server),
        patient(&server, &experiment),
        listening(&server)
    );
}

/// Above half of the file descriptors, new connections are closed at once. Existing connections are served, and
/// silent ones are closed.
#[tokio::test]
async fn many_clients_do_not_use_up_the_file_descriptors() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::launch(program::with_open_files(&Server::command(&home, &["serve"]), 128)).await;
    let mut early = Client::open(&server, HEALTH).await;
    assert!(early.answer().await.starts_with("HTTP/1.1 200 "));
    let mut crowd = join_all((0..200).map(|_| Client::open(&server, HALF))).await;
    for _ in 0..3 {
        early.say(HEALTH).await;
        assert!(early.answer().await.starts_with("HTTP/1.1 200 "), "the database can still be read");
    }
    join_all(crowd.iter_mut().map(Client::closed)).await;
    assert!(Client::open(&server, HEALTH).await.answer().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_request_names_one_host() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    for (line, hosts, status, detail) in [
        ("GET /health HTTP/1.1", "Host: a\r\n", 200, ""),
        ("GET /health HTTP/1.1", "Host: [::1]:8400\r\n", 200, ""),
        ("GET /health HTTP/1.1", "", 400, "is missing"),
        ("GET / HTTP/1.1", "", 400, "is missing"),
        ("GET /api/v1/auth/setup HTTP/1.1", "Host: a\r\nHost: a\r\n", 400, "more than one"),
        ("GET /api/v1/auth/setup HTTP/1.1", "Host: a b\r\n", 400, "must be a name or address"),
        ("GET /api/v1/auth/setup HTTP/1.0", "", 400, "is missing"),
        ("GET /health HTTP/1.0", "", 200, ""),
    ] {
        let asked = format!("{line}\r\n{hosts}Connection: close\r\n\r\n");
        let answer = Client::open(&server, &asked).await.closed().await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(head.split(' ').nth(1), Some(status.to_string().as_str()), "{asked}{answer}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["detail"].as_str().unwrap_or_default().contains(detail), "{asked}{answer}");
        assert_eq!(head.contains("application/problem+json"), status == 400, "{asked}{answer}");
    }
}

#[tokio::test]
async fn a_server_that_stops_waits_for_no_idle_client() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    let mut idle = join_all((0..500).map(|_| Client::open(&server, HEALTH))).await;
    for client in &mut idle {
        assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
    }
    let _half = join_all((0..50).map(|_| Client::open(&server, HALF))).await;
    let mut socket = listeners::connect(&server, "/ws/dashboard", API_KEY, None).await.unwrap();
    let begin = Instant::now();
    assert_eq!(server.stop().await, Some(0));
    assert!(begin.elapsed() < Duration::from_secs(8), "nothing was in progress: {:?}", begin.elapsed());
    join_all(idle.iter_mut().map(Client::closed)).await;
    let said_goodbye = async {
        while let Some(Ok(message)) = socket.next().await {
            if matches!(message, Message::Close(Some(_))) {
                return true;
            }
        }
        false
    };
    assert!(in_time("the end of a socket", said_goodbye).await, "the socket is closed with a reason");
}

#[tokio::test]
async fn health_is_answered_while_the_database_hangs() {
    let home = Home::new(Kind::Postgres).await;
    let (place, database) = home.url().unwrap().rsplit_once('/').unwrap();
    let (server, port) = place.rsplit_once(':').unwrap();
    let proxy = Proxy::start(port.parse().unwrap()).await.unwrap();
    let url = format!("{server}:{}/{database}", proxy.port());
    let server = Server::start_with(&home, &["serve", "--no-execute"], &[("DATABASE_URL", &url)]).await;
    assert_eq!(server.get("/health").await, json!({"status": "ok", "database": "ok", "redis": "disabled"}));
    proxy.swallow(true);
    let begin = Instant::now();
    let (status, health) = server.send(reqwest::Method::GET, "/health", None).await;
    assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    assert_eq!(
        (status.as_u16(), &health["status"], &health["database"]),
        (503, &json!("down"), &json!("down"))
    );
    assert!(health["reason"].as_str().unwrap().contains("does not answer"), "{health}");
    assert_eq!(server.stop().await, Some(0));
}
