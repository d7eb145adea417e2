//! Decides how long the server waits for a client. Never limits how long the server takes to answer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// For a whole request head, from its first byte on. On a new connection, from the beginning of the connection on.
    pub(crate) head: Duration,
    /// For the next part of a request body.
    pub(crate) body: Duration,
    /// For the next request on a connection that is kept alive.
    pub(crate) idle: Duration,
    /// For reading any part of an answer.
    pub(crate) write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
        }
    }
}

/// What happens on one connection, as its stream and its service report it.
#[derive(Debug)]
pub(super) struct Activity {
    timeouts: Timeouts,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when nothing could be written although there is something to write.
    blocked: Option<Instant>,
}

#[derive(Debug)]
enum Phase {
    /// A request head is being received, since then.
    Head(Instant),
    /// A request is being answered.
    Answering,
    /// Since this time, nothing has been received or sent.
    Idle(Instant),
}

impl Activity {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        let state = State { phase: Phase::Head(Instant::now()), blocked: None };
        Self { timeouts, state: Mutex::new(state) }
    }

    pub(super) fn received(&self) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Idle(_)) {
            state.phase = Phase::Head(Instant::now());
        }
    }

    pub(super) fn request_begins(&self) {
        self.state().phase = Phase::Answering;
    }

    /// The answer is ready. From here on the server waits only for the client: answers have no parts that take time
    /// to compute.
    pub(super) fn request_answered(&self) {
        self.state().phase = Phase::Idle(Instant::now());
    }

    pub(super) fn sent(&self) {
        let mut state = self.state();
        state.blocked = None;
        if matches!(state.phase, Phase::Idle(_)) {
            state.phase = Phase::Idle(Instant::now());
        }
    }

    pub(super) fn cannot_send(&self) {
        self.state().blocked.get_or_insert_with(Instant::now);
    }

    /// When the connection is closed if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let state = self.state();
        match (state.blocked, &state.phase) {
            (Some(since), _) => Some(since + self.timeouts.write),
            (None, Phase::Head(since)) => Some(*since + self.timeouts.head),
            (None, Phase::Idle(since)) => Some(*since + self.timeouts.idle),
            (None, Phase::Answering) => None,
        }
    }

    /// Whether a request is being answered, or its answer is not yet sent.
    pub(super) fn is_busy(&self) -> bool {
        let state = self.state();
        state.blocked.is_some() || matches!(state.phase, Phase::Answering)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        head: Duration::from_secs(1),
        body: Duration::from_secs(10),
        idle: Duration::from_secs(100),
        write: Duration::from_secs(1_000),
    };

    /// Whole seconds until the deadline, rounded up.
    fn seconds_left(activity: &Activity) -> Option<u64> {
        let left = activity.deadline()? - Instant::now();
        Some(left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }

    #[tokio::test]
    async fn only_waiting_for_the_client_has_a_deadline() {
        let activity = Activity::new(TIMEOUTS);
        assert_eq!((seconds_left(&activity), activity.is_busy()), (Some(1), false), "a new connection");
        activity.request_begins();
        activity.received();
        assert_eq!(
            (seconds_left(&activity), activity.is_busy()),
            (None, true),
            "a request is being answered"
        );
        activity.request_answered();
        assert_eq!((seconds_left(&activity), activity.is_busy()), (Some(100), false), "kept alive");
        activity.received();
        assert_eq!(
            (seconds_left(&activity), activity.is_busy()),
            (Some(1), false),
            "the next head has begun"
        );
    }

    #[tokio::test]
    async fn an_answer_that_is_not_read_has_a_deadline() {
        let activity = Activity::new(TIMEOUTS);
        activity.request_begins();
        activity.request_answered();
        activity.cannot_send();
        let first = activity.deadline();
        tokio::time::sleep(Duration::from_millis(5)).await;
        activity.cannot_send();
        assert_eq!(
            (activity.deadline(), activity.is_busy()),
            (first, true),
            "further attempts change nothing"
        );
        activity.sent();
        assert_eq!((seconds_left(&activity), activity.is_busy()), (Some(100), false));
    }

    #[tokio::test]
    async fn bytes_of_a_head_do_not_extend_its_deadline() {
        let activity = Activity::new(TIMEOUTS);
        let first = activity.deadline();
        tokio::time::sleep(Duration::from_millis(5)).await;
        activity.received();
        assert_eq!(activity.deadline(), first);
    }
}
