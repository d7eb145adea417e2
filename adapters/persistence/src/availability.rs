//! Whether the database accepts writes, and if not, why.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::DbErr;
use tokio::sync::watch;

use crate::fault::{Cause, reason};

/// The state of the database, shared by everything that writes. While writes fail, the group writer retries and
/// records it here.
#[derive(Debug)]
pub(crate) struct Availability {
    trouble: watch::Sender<Option<String>>,
    suspect_until: Mutex<Option<Instant>>,
}

/// How long connections are tested before each use, after a statement got no answer.
const TEST_CONNECTIONS_FOR: Duration = Duration::from_mins(1);

impl Availability {
    pub(crate) fn new() -> Self {
        Self { trouble: watch::Sender::new(None), suspect_until: Mutex::default() }
    }

    /// Why nothing can be written now; `None` where writes succeed.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Notifies of changes of [`trouble`](Self::trouble).
    pub(crate) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// Records that nothing can be written, and why.
    pub(crate) fn lost(&self, why: String) {
        let told = self.trouble.send_if_modified(|trouble| trouble.replace(why).is_none());
        if told {
            tracing::error!(
                reason = self.trouble(),
                "the database takes no writes: calls stop until it does"
            );
        }
    }

    /// Records that writes succeed again.
    pub(crate) fn regained(&self) {
        if self.trouble.send_replace(None).is_some() {
            tracing::info!("the database takes writes again");
        }
    }

    /// Records a statement's error where it concerns all writes: a full disk.
    pub(crate) fn note(&self, error: &DbErr) {
        if Cause::of(error) == Cause::Disk {
            self.lost(reason(error));
        }
    }

    /// Records that a statement got no answer in time. Other connections may be dead too, without having noticed.
    pub(crate) fn note_unanswered(&self) {
        *self.suspect_until.lock().unwrap_or_else(PoisonError::into_inner) =
            Instant::now().checked_add(TEST_CONNECTIONS_FOR);
    }

    /// Whether connections have to be tested before they are used.
    pub(crate) fn is_suspect(&self) -> bool {
        let until = *self.suspect_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }
}
