//! Sockets that show events live: a snapshot first, then events, many in each frame.

mod board;

use std::sync::Arc;
use std::time::Duration;

use application::accounts::Accounts;
use application::feed::{News, SharedEvent};
use application::refusal::{Refusal, Resource};
use application::services::Services;
use domain::access::Actor;
use domain::event::Event;
use domain::id::ExperimentId;
use domain::secret::Secret;
use futures::{SinkExt as _, Stream, StreamExt as _};
use poem::web::websocket::{CloseCode, Message as Frame, WebSocket, WebSocketConfig, WebSocketStream};
use poem::web::{Data, Path, Query};
use poem::{FromRequest, IntoResponse, Request, RequestBody, handler};
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval, timeout};
use wire::api::{Activity, EndpointLoad, Event as EventView, Message, Moment, Progress, Snapshot, id};

use self::board::Board;
use crate::failure::{Failure, refused};
use crate::guard::{PROTOCOL, token};

/// The least time between two frames: fifty a second.
const MIN_FRAME_GAP: Duration = Duration::from_millis(20);
/// How often the progress of a sweep is sent between events.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);
/// How often the session of a listener is checked again.
const RECHECK_ACCESS_EVERY: Duration = Duration::from_secs(5);
/// How often a silent connection is pinged.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long sending a frame may take before the connection is closed.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may be silent, without even a pong, before the connection is closed.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(75);
/// The largest message of a client in bytes. Clients have nothing to send.
const LARGEST_MESSAGE: usize = 4096;

/// The close code that asks the client to log in again.
const LOG_IN_AGAIN: u16 = 4401;

/// The query of a socket.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct From {
    /// The number of the last event that the client has.
    since: Option<u64>,
}

/// What all sockets share.
#[derive(Clone)]
pub(crate) struct Shared {
    services: Arc<Services>,
    board: Arc<Board>,
}

impl Shared {
    pub(crate) fn new(services: Arc<Services>) -> Self {
        Self { services, board: Arc::default() }
    }

    fn stream(&self, listener: Listener, experiment: Option<ExperimentId>) -> EventStream {
        let (services, board) = (Arc::clone(&self.services), Arc::clone(&self.board));
        EventStream { services, board, listener, experiment }
    }
}

#[handler]
pub(crate) async fn of_experiment(
    socket: WebSocket,
    Path(text): Path<String>,
    Query(from): Query<From>,
    Data(shared): Data<&Shared>,
    listener: Listener,
) -> poem::Result<impl IntoResponse> {
    let experiment: ExperimentId = text.parse().map_err(|_| not_found())?;
    shared.services.live.check(experiment).await.map_err(refused)?;
    Ok(shared.stream(listener, Some(experiment)).open(socket, from))
}

#[handler]
pub(crate) fn of_everything(
    socket: WebSocket,
    Query(from): Query<From>,
    Data(shared): Data<&Shared>,
    listener: Listener,
) -> impl IntoResponse {
    shared.stream(listener, None).open(socket, from)
}

fn not_found() -> Failure {
    refused(Refusal::NotFound(Resource::Experiment))
}

/// The caller of a socket: authenticated at the start, and checked again regularly.
struct Listener {
    token: Option<Secret>,
}

impl<'a> FromRequest<'a> for Listener {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        request.extensions().get::<Actor>().ok_or_else(Failure::unauthorized)?;
        Ok(Self { token: token(request)?.map(Secret::new) })
    }
}

impl Listener {
    /// Whether the session is still valid. A store that does not answer does not end it.
    async fn may_listen(&self, accounts: &Accounts) -> bool {
        match accounts.authenticate(self.token.as_ref().map(Secret::expose)).await {
            Ok(actor) => actor.is_some(),
            Err(Refusal::Unauthorized { .. }) => false,
            Err(_) => true,
        }
    }
}

/// Sends the events of a feed to one connection.
struct EventStream {
    services: Arc<Services>,
    board: Arc<Board>,
    listener: Listener,
    experiment: Option<ExperimentId>,
}

/// Why a connection ends.
enum End {
    /// The client has left, or is too slow.
    Gone,
    /// The server stops.
    Stopping,
    /// The session has ended.
    LoggedOut,
    /// An internal error.
    Failed,
}

type Sink = futures::stream::SplitSink<WebSocketStream, Frame>;

impl EventStream {
    fn open(self, socket: WebSocket, from: From) -> impl IntoResponse + use<> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        socket.protocols([PROTOCOL]).config(config).on_upgrade(move |stream| self.run(stream, from.since))
    }

    async fn run(self, stream: WebSocketStream, since: Option<u64>) {
        let (mut sink, said) = stream.split();
        let _listening = self.services.feed.listen();
        let end = tokio::select! {
            () = until_gone(said, SILENCE_TIMEOUT) => End::Gone,
            end = self.tell(&mut sink, since) => end,
        };
        let close = match end {
            End::Gone => return,
            End::Stopping => (CloseCode::Away, "the server stops"),
            End::LoggedOut => (CloseCode::Reserved(LOG_IN_AGAIN), "log in again"),
            End::Failed => (CloseCode::Error, "something went wrong inside"),
        };
        let close = Frame::Close(Some((close.0, close.1.to_owned())));
        // A client that does not read the close frame is not waited for.
        drop(timeout(SEND_TIMEOUT, sink.send(close)).await);
    }

    async fn tell(&self, sink: &mut Sink, since: Option<u64>) -> End {
        match self.follow(sink, since).await {
            Ok(end) | Err(end) => end,
        }
    }

    async fn follow(&self, sink: &mut Sink, since: Option<u64>) -> Result<End, End> {
        let feed = &self.services.feed;
        let reachable =
            since.filter(|since| *since <= feed.last() && !matches!(feed.since(*since, None), News::Behind));
        let mut place = self.snapshot(sink, reachable).await?;
        let mut glance = interval(PROGRESS_EVERY);
        glance.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut ping, mut recheck) = (interval(PING_EVERY), interval(RECHECK_ACCESS_EVERY));
        ping.reset();
        recheck.reset();
        loop {
            let seen = feed.turn();
            if feed.is_stopping() {
                return Ok(End::Stopping);
            }
            match feed.since(place, self.experiment) {
                News::Behind => place = self.snapshot(sink, None).await?,
                News::Events(events, now) => {
                    place = now;
                    if !events.is_empty() {
                        send(sink, frame(&events)?).await?;
                        tokio::time::sleep(MIN_FRAME_GAP).await;
                    }
                }
            }
            tokio::select! {
                () = feed.next_turn(seen) => {}
                _ = glance.tick() => self.progress(sink, place).await?,
                _ = recheck.tick() => {
                    if !self.listener.may_listen(&self.services.accounts).await {
                        return Ok(End::LoggedOut);
                    }
                }
                _ = ping.tick() => {
                    let sent = timeout(SEND_TIMEOUT, sink.send(Frame::Ping(Vec::new()))).await;
                    sent.map_err(|_| End::Gone)?.map_err(|_| End::Gone)?;
                }
            }
        }
    }

    /// Sends a snapshot. Returns the place after which events follow; events from the time of the snapshot may be
    /// sent again.
    async fn snapshot(&self, sink: &mut Sink, since: Option<u64>) -> Result<u64, End> {
        let place = since.unwrap_or_else(|| self.services.feed.last());
        let text = match self.experiment {
            Some(experiment) => {
                let snapshot =
                    self.services.live.snapshot(experiment).await.map_err(|error| failed(&error))?;
                self.message(place, "snapshot", Snapshot::from(snapshot))?
            }
            None => {
                let (loads, events) = self.services.live.activity().await.map_err(|error| failed(&error))?;
                let endpoints = loads.into_iter().map(EndpointLoad::from).collect();
                let events = events.iter().map(EventView::from).collect();
                self.message(place, "snapshot", Activity { endpoints, events })?
            }
        };
        send(sink, format!("[{text}]")).await?;
        Ok(place)
    }

    /// Sends the progress of a running sweep.
    async fn progress(&self, sink: &mut Sink, place: u64) -> Result<(), End> {
        let Some(experiment) = self.experiment else { return Ok(()) };
        let told = match self.board.shown(experiment) {
            Some((_, told)) => told,
            None => {
                let told = self.worked_out(experiment, place).await?;
                self.board.show(experiment, told.clone());
                told
            }
        };
        match told {
            Some(told) => send(sink, format!("[{told}]")).await,
            None => Ok(()),
        }
    }

    async fn worked_out(&self, experiment: ExperimentId, place: u64) -> Result<Option<Arc<str>>, End> {
        let progress = self.services.live.progress(experiment).await.map_err(|error| failed(&error))?;
        let running = progress.sweep.as_ref().is_some_and(|view| !view.sweep.status.is_over());
        if !running {
            return Ok(None);
        }
        Ok(Some(Arc::from(self.message(place, "progress", Progress::from(&progress))?)))
    }

    fn message<T: Serialize>(&self, seq: u64, kind: &'static str, data: T) -> Result<String, End> {
        let experiment_id = self.experiment.map(|experiment| id(experiment.bits()));
        let at = Moment(self.services.clock.now());
        serde_json::to_string(&Message { seq, kind, experiment_id, at, data }).map_err(|error| failed(&error))
    }
}

/// Reads and ignores what a client sends, until it leaves or is silent for too long.
async fn until_gone<E>(mut said: impl Stream<Item = Result<Frame, E>> + Unpin, silence: Duration) {
    while let Ok(Some(Ok(message))) = timeout(silence, said.next()).await {
        if matches!(message, Frame::Close(_)) {
            break;
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> End {
    tracing::error!(%error, "a socket cannot be served");
    End::Failed
}

fn frame(events: &[Arc<SharedEvent>]) -> Result<String, End> {
    let spell = |event: &Event| serde_json::to_string(&EventView::from(event)).ok();
    let spelled: Option<Vec<&str>> = events.iter().map(|told| told.spelling(spell)).collect();
    spelled
        .map(|events| format!("[{}]", events.join(",")))
        .ok_or_else(|| failed(&"an event cannot be spelled"))
}

async fn send(sink: &mut Sink, text: String) -> Result<(), End> {
    let sent = timeout(SEND_TIMEOUT, sink.send(Frame::Text(text))).await;
    sent.map_err(|_| End::Gone)?.map_err(|_| End::Gone)
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    const SILENCE: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_client_that_answers_no_ping_is_gone() {
        let silent = stream::pending::<Result<Frame, ()>>();
        timeout(Duration::from_secs(20), until_gone(silent, SILENCE)).await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_answers_pings_stays() {
        let pongs = stream::unfold((), async |()| {
            tokio::time::sleep(SILENCE / 50).await;
            Some((Ok::<_, ()>(Frame::Pong(Vec::new())), ()))
        });
        let stayed = timeout(SILENCE * 2, until_gone(Box::pin(pongs), SILENCE)).await;
        assert!(stayed.is_err());
    }
}
