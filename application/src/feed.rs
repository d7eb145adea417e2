//! Broadcasts events to many listeners from one reader of the event log. A listener keeps only its position: a slow one
//! falls behind without any cost to the others.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, RwLock, RwLockReadGuard};
use std::time::Duration;

use domain::event::Event;
use domain::id::ExperimentId;
use futures::FutureExt as _;

use crate::ports::{Bell, EventFilter, EventStore, StoreError, Timer};

/// Events that are remembered; who is further behind starts over with a snapshot.
pub const REMEMBERED: usize = 2_000;
/// How often the log is polled while there are listeners: the longest delay of an event of another process.
const POLL_EVERY: Duration = Duration::from_millis(40);
/// How often it is polled without listeners.
const IDLE_POLL_EVERY: Duration = Duration::from_secs(1);
/// The least time between two polls.
const MIN_READ_GAP: Duration = Duration::from_millis(10);
/// Events read at once.
const PAGE: usize = 1_000;

/// The ports that the feed uses.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    /// Rings when something was committed in this process.
    pub bell: Arc<dyn Bell>,
    pub events: Arc<dyn EventStore>,
    pub timer: Arc<dyn Timer>,
}

/// The newest events of the installation, in commit order.
pub struct Feed {
    ports: Ports,
    /// Rings when there are new events.
    news: Arc<dyn Bell>,
    recent: RwLock<Recent>,
    stopping: AtomicBool,
}

/// An event, serialized once and shared by all listeners.
#[derive(Debug)]
pub struct SharedEvent {
    /// The event.
    pub event: Event,
    spelling: OnceLock<Option<Box<str>>>,
}

impl SharedEvent {
    const fn new(event: Event) -> Self {
        Self { event, spelling: OnceLock::new() }
    }

    /// Its serialized form; `spell` is called the first time only.
    pub fn spelling(&self, spell: impl FnOnce(&Event) -> Option<String>) -> Option<&str> {
        self.spelling.get_or_init(|| spell(&self.event).map(String::into_boxed_str)).as_deref()
    }
}

#[derive(Default)]
struct Recent {
    events: VecDeque<Arc<SharedEvent>>,
    /// The place of the last event that was read.
    last: u64,
    /// Everything after this place is remembered.
    complete_after: u64,
}

/// What a listener is given.
#[derive(Debug, Clone)]
pub enum News {
    /// Everything that it wants to hear since the place it had come to, and the place it has come to now.
    Events(Vec<Arc<SharedEvent>>, u64),
    /// It is too far behind.
    Behind,
}

impl Feed {
    /// A feed that has not started. `news` is a bell of its own.
    #[must_use]
    pub fn new(ports: Ports, news: Arc<dyn Bell>) -> Self {
        Self { ports, news, recent: RwLock::default(), stopping: AtomicBool::new(false) }
    }

    /// Reads what was there before, so that listeners that come back find it.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let newest = self.ports.events.newest_events(EventFilter::default(), REMEMBERED).await?;
        let mut recent = self.write();
        recent.complete_after = newest.first().map_or(0, |event| event.seq.saturating_sub(1));
        recent.last = newest.last().map_or(0, |event| event.seq);
        recent.events = newest.into_iter().map(|event| Arc::new(SharedEvent::new(event))).collect();
        Ok(())
    }

    /// Follows the log until [`stop`](Self::stop).
    pub async fn run(&self) {
        while !self.stopping.load(Ordering::Relaxed) {
            let seen = self.ports.bell.rings();
            match self.read_on().await {
                Ok(PAGE..) => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "events cannot be read"),
            }
            self.ports.timer.sleep(MIN_READ_GAP).await;
            let look = if self.has_listeners() { POLL_EVERY } else { IDLE_POLL_EVERY };
            let mut rung = self.ports.bell.rung_after(seen).fuse();
            let mut look = self.ports.timer.sleep(look).fuse();
            futures::select! { _ = rung => {}, () = look => {} }
        }
        self.news.ring();
    }

    /// Ends the feed; listeners are woken.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.ports.bell.ring();
        self.news.ring();
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The place of the newest event that was read.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.read().last
    }

    /// What happened after a place, of one experiment or of all.
    #[must_use]
    pub fn since(&self, place: u64, experiment: Option<ExperimentId>) -> News {
        let recent = self.read();
        if place < recent.complete_after {
            return News::Behind;
        }
        let first = recent.events.partition_point(|told| told.event.seq <= place);
        let wanted = recent.events.range(first..);
        let wanted = wanted.filter(|told| experiment.is_none() || told.event.event.experiment == experiment);
        News::Events(wanted.cloned().collect(), recent.last.max(place))
    }

    /// How often there was something new: read this, then [`since`](Self::since), then wait.
    #[must_use]
    pub fn turn(&self) -> u64 {
        self.news.rings()
    }

    /// Waits for something new.
    pub async fn next_turn(&self, seen: u64) {
        self.news.rung_after(seen).await;
    }

    /// Whether anybody listens.
    #[must_use]
    pub fn has_listeners(&self) -> bool {
        Arc::strong_count(&self.news) > 1
    }

    /// A sign of a listener, to be kept while it listens.
    #[must_use]
    pub fn listen(&self) -> Listening {
        self.ports.bell.ring();
        Listening(Arc::clone(&self.news))
    }

    async fn read_on(&self) -> Result<usize, StoreError> {
        let last = self.last();
        let fresh = self.ports.events.events(EventFilter::default(), last, PAGE).await?;
        let count = fresh.len();
        if let Some(newest) = fresh.last().map(|event| event.seq) {
            self.write().take(fresh, newest);
            self.news.ring();
        }
        Ok(count)
    }

    fn read(&self) -> RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Kept by whoever listens.
pub struct Listening(#[expect(dead_code, reason = "it counts by being there")] Arc<dyn Bell>);

impl Recent {
    fn take(&mut self, fresh: Vec<Event>, newest: u64) {
        self.events.extend(fresh.into_iter().map(|event| Arc::new(SharedEvent::new(event))));
        self.last = newest;
        while self.events.len() > REMEMBERED {
            if let Some(forgotten) = self.events.pop_front() {
                self.complete_after = forgotten.event.seq;
            }
        }
    }
}
