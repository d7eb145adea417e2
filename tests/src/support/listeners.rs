//! Many sockets that listen at once, and what each of them receives.

use std::time::{Duration, Instant};

use application::ports::{Commit, Journal as _};
use domain::event::{EventType, NewEvent};
use domain::id::ExperimentId;
use domain::value::Value;
use futures::StreamExt as _;
use persistence::Stores;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::server::Server;

/// A connection to a server's socket.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Events in one commit.
const TOGETHER: u64 = 10;
/// How long a listener waits for the next frame.
const FRAME_TIMEOUT: Duration = Duration::from_secs(30);

/// Connects as a browser does, with the token among the subprotocols.
///
/// # Errors
/// Where the server refuses.
///
/// # Panics
/// Where the server speaks another protocol.
pub async fn connect(
    server: &Server,
    path: &str,
    token: &str,
    origin: Option<&str>,
) -> Result<Socket, Box<Error>> {
    let url = format!("{}{path}", server.url.replace("http://", "ws://"));
    let mut request = url.into_client_request()?;
    let header = |text: &str| HeaderValue::from_str(text).expect("a header");
    let protocols = header(&format!("promptlooper.v1, bearer.{token}"));
    request.headers_mut().insert("sec-websocket-protocol", protocols);
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", header(origin));
    }
    let (socket, response) = connect_async(request).await?;
    assert_eq!(response.headers()["sec-websocket-protocol"], "promptlooper.v1");
    Ok(socket)
}

/// The load on a server and its listeners.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Sockets that listen to all events.
    pub listeners: usize,
    /// Events a second.
    pub rate: u64,
    /// Events in all.
    pub events: u64,
}

/// What the listeners received.
#[derive(Debug)]
pub struct Heard {
    /// For each listener, the numbers of the received events in order of arrival.
    pub numbers: Vec<Vec<u64>>,
    /// From the end of an event's commit to the arrival of its frame, over all events and listeners, sorted.
    pub delays: Vec<Duration>,
}

impl Heard {
    /// The delay that this percentage of all events does not exceed.
    ///
    /// # Panics
    /// Where nothing was heard.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        self.delays[(self.delays.len() * percent / 100).min(self.delays.len() - 1)]
    }
}

/// Lets sockets of a server listen while this process commits events to the database at a steady rate.
///
/// # Panics
/// Where a socket cannot be opened, an event cannot be stored, or nothing more is heard.
pub async fn listen(server: &Server, stores: &Stores, load: Load) -> Heard {
    let token = server.token.clone().expect("a token");
    let mut listening = Vec::new();
    for _ in 0..load.listeners {
        let mut socket = connect(server, "/ws/dashboard", &token, None).await.expect("a socket");
        socket.next().await.expect("a snapshot").expect("a frame");
        listening.push(tokio::spawn(hear(socket, load.events)));
    }
    let committed = tell(stores, load).await;
    let mut heard = Heard { numbers: Vec::new(), delays: Vec::new() };
    for listener in listening {
        let told = listener.await.expect("a listener");
        let delay = |(number, at): &(u64, Instant)| {
            at.saturating_duration_since(committed[usize::try_from(*number).expect("a small number")])
        };
        heard.delays.extend(told.iter().map(delay));
        heard.numbers.push(told.into_iter().map(|(number, _)| number).collect());
    }
    heard.delays.sort_unstable();
    heard
}

/// Commits numbered events. Returns when each was committed.
async fn tell(stores: &Stores, load: Load) -> Vec<Instant> {
    let mut ticks = interval(Duration::from_secs(1) * u32::try_from(TOGETHER).expect("few") / rate(load));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut committed = Vec::new();
    for first in (0..load.events).step_by(usize::try_from(TOGETHER).expect("few")) {
        ticks.tick().await;
        let numbers = first..(first + TOGETHER).min(load.events);
        let event = |n| NewEvent::new(ExperimentId::new(1), EventType::CacheHit, [("hits", Value::from(n))]);
        let events = numbers.clone().map(event).map(|event| NewEvent { experiment: None, ..event }).collect();
        stores.commit(Commit { events, ..Commit::default() }).await.expect("a commit");
        committed.extend(numbers.map(|_| Instant::now()));
    }
    committed
}

fn rate(load: Load) -> u32 {
    u32::try_from(load.rate).expect("a rate that a clock can keep")
}

/// The events that a socket receives up to the last one, with times.
async fn hear(mut socket: Socket, events: u64) -> Vec<(u64, Instant)> {
    const MARK: &str = "\"hits\":";
    let mut told: Vec<(u64, Instant)> = Vec::new();
    while told.last().is_none_or(|(number, _)| number + 1 < events) {
        let frame = timeout(FRAME_TIMEOUT, socket.next()).await.expect("nothing more is heard");
        let Some(Ok(Message::Text(text))) = frame else { continue };
        let at = Instant::now();
        // Parsing would take longer than the measured delays.
        for (place, _) in text.match_indices(MARK) {
            let rest = &text[place + MARK.len()..];
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            told.push((rest[..digits].parse().expect("a number"), at));
        }
    }
    told
}
