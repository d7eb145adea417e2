//! Clients that are too slow, and clients that only seem to be.

use std::io;
use std::time::Duration;

use poem::http::StatusCode;
use poem::{Endpoint, Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Limits, Server, Timeouts};

const SHORT: Timeouts = Timeouts {
    head: Duration::from_secs(1),
    body: Duration::from_secs(1),
    idle: Duration::from_millis(1_500),
    write: Duration::from_secs(1),
};
/// Longer than every time limit in these tests.
const LONG: Duration = Duration::from_secs(3);
/// A time limit that no machine reaches.
const LIFE: Duration = Duration::from_secs(30);
const LARGE: usize = 24 << 20;
const MANY: Limits = Limits { total: 100, per_client: 100 };
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

struct Running {
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(timeouts: Timeouts, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(listener, Answering, timeouts, limits).unwrap();
        let (stop, stopped) = watch::channel(false);
        Self { address, stop, task: tokio::spawn(server.run(stopped)) }
    }

    async fn short() -> Self {
        Self::start(SHORT, MANY).await
    }

    async fn client(&self, sent: &[u8]) -> Client {
        let mut client = Client(TcpStream::connect(self.address).await.unwrap());
        client.0.write_all(sent).await.unwrap();
        client
    }

    /// Whether a new client is answered.
    async fn answers(&self) -> bool {
        let Ok(tcp) = TcpStream::connect(self.address).await else { return false };
        let mut client = Client(tcp);
        client.0.write_all(GET).await.is_ok() && client.try_answer().await.is_ok()
    }
}

struct Client(TcpStream);

impl Client {
    async fn try_answer(&mut self) -> io::Result<String> {
        let mut read = vec![0; 4096];
        match timeout(LIFE, self.0.read(&mut read)).await.expect("neither an answer nor an end")? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => Ok(String::from_utf8_lossy(&read[..length]).into_owned()),
        }
    }

    /// Reads one short answer.
    async fn answer(&mut self) -> String {
        self.try_answer().await.expect("an answer")
    }

    /// Reads until the server closes the connection.
    async fn rest(mut self) -> String {
        let mut rest = Vec::new();
        let end = timeout(LIFE, self.0.read_to_end(&mut rest)).await.expect("the connection is not closed");
        end.expect("an orderly end");
        String::from_utf8_lossy(&rest).into_owned()
    }
}

struct Answering;

impl Endpoint for Answering {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        match request.uri().path() {
            "/slow" => sleep(LONG).await,
            "/large" => return Ok(Response::builder().body(vec![b'x'; LARGE])),
            _ => {}
        }
        let read = request.into_body().into_bytes().await;
        Ok(match read {
            Ok(_) => Response::builder().body("done"),
            Err(_) => Response::builder().status(StatusCode::REQUEST_TIMEOUT).finish(),
        })
    }
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_disconnected() {
    let server = Running::short().await;
    for half in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-More: "] {
        assert_eq!(server.client(half).await.rest().await, "", "{half:?}");
    }
    let mut kept = server.client(GET).await;
    assert!(kept.answer().await.ends_with("done"));
    kept.0.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert_eq!(kept.rest().await, "");
}

#[tokio::test]
async fn a_head_that_arrives_byte_by_byte_misses_its_deadline() {
    let server = Running::short().await;
    let mut client = server.client(b"GET / HTTP/1.1\r\nX: ").await;
    let dripping = async {
        while client.0.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIFE, dripping).await.expect("the connection is not closed");
}

#[tokio::test]
async fn the_preface_of_http_2_is_no_way_round() {
    let server = Running::short().await;
    let mut client = server.client(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let mut rest = Vec::new();
    drop(timeout(LIFE, client.0.read_to_end(&mut rest)).await.expect("the connection is not closed"));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_refused() {
    let server = Running::short().await;
    for half in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let client = server.client(format!("POST / HTTP/1.1\r\nHost: x\r\n{half}").as_bytes()).await;
        let answer = client.rest().await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_arrives_slowly_is_read() {
    let server = Running::short().await;
    let mut client = server.client(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 25\r\n\r\n").await;
    for _ in 0..25 {
        sleep(Duration::from_millis(60)).await;
        client.0.write_all(b"x").await.unwrap();
    }
    assert!(client.answer().await.ends_with("done"));
}

#[tokio::test]
async fn a_connection_is_kept_while_it_is_used() {
    let server = Running::short().await;
    let mut client = server.client(GET).await;
    for _ in 0..15 {
        assert!(client.answer().await.ends_with("done"));
        sleep(SHORT.idle / 6).await;
        client.0.write_all(GET).await.unwrap();
    }
    assert!(client.rest().await.ends_with("done"), "one more answer, then the end");
}

#[tokio::test]
async fn an_answer_may_take_longer_than_every_timeout() {
    let server = Running::short().await;
    let mut client = server.client(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").await;
    assert!(client.answer().await.ends_with("done"));
    client.0.write_all(GET).await.unwrap();
    assert!(client.answer().await.ends_with("done"), "the connection is still kept");
}

#[tokio::test]
async fn an_answer_that_is_not_read_ends_the_connection() {
    let server = Running::start(SHORT, Limits { total: 1, per_client: 1 }).await;
    let _stalled = server.client(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let given_up = async {
        while !server.answers().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LIFE, given_up).await.expect("the connection keeps its place");
}

#[tokio::test]
async fn an_answer_that_is_read_slowly_is_sent_whole() {
    let server = Running::short().await;
    let mut client = server.client(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let (mut read, mut part) = (0, vec![0; 512 << 10]);
    while read < LARGE {
        sleep(Duration::from_millis(80)).await;
        let length = client.0.read(&mut part).await.unwrap();
        assert!(length > 0, "cut off after {read} bytes");
        read += length;
    }
}

#[tokio::test]
async fn beyond_the_limit_connections_are_closed_at_once() {
    let server = Running::start(Timeouts::default(), Limits { total: 2, per_client: 1 }).await;
    let mut first = server.client(GET).await;
    assert!(first.answer().await.ends_with("done"));
    let mut second = server.client(GET).await;
    assert!(second.answer().await.ends_with("done"), "loopback is not counted per client");
    assert!(!server.answers().await);
    first.0.write_all(GET).await.unwrap();
    assert!(first.answer().await.ends_with("done"), "the others go on");
    drop(second);
    let taken = async {
        while !server.answers().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIFE, taken).await.expect("the place is not given back");
}

#[tokio::test]
async fn a_server_that_stops_answers_requests_in_progress_and_closes_idle_connections() {
    let server = Running::start(Timeouts::default(), MANY).await;
    let mut idle = server.client(GET).await;
    assert!(idle.answer().await.ends_with("done"));
    let half = server.client(b"GET / HTTP/1.1\r\n").await;
    let silent = server.client(b"").await;
    let mut begun = server.client(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    sleep(Duration::from_millis(200)).await;
    server.stop.send_replace(true);
    for client in [idle, half, silent] {
        assert_eq!(client.rest().await, "");
    }
    assert!(begun.answer().await.ends_with("done"));
    timeout(LIFE, server.task).await.expect("it does not stop").unwrap();
}
