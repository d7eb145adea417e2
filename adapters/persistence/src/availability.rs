//! Whether the database takes what is written, and if not, why.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::DbErr;
use tokio::sync::watch;

use crate::fault::{Cause, reason};

/// Shared by everything that writes. The group writer tries again until the database takes its writes, and says so.
#[derive(Debug)]
pub(crate) struct Availability {
    trouble: watch::Sender<Option<String>>,
    suspect_until: Mutex<Option<Instant>>,
}

/// How long connections are tried before they are used again, after a statement that was never answered.
const TEST_CONNECTIONS_FOR: Duration = Duration::from_mins(1);

impl Availability {
    pub(crate) fn new() -> Self {
        Self { trouble: watch::Sender::new(None), suspect_until: Mutex::default() }
    }

    /// Why nothing can be written at the moment.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Changes of [`trouble`](Self::trouble).
    pub(crate) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// Nothing can be written, for this reason.
    pub(crate) fn lost(&self, why: String) {
        let told = self.trouble.send_if_modified(|trouble| trouble.replace(why).is_none());
        if told {
            tracing::error!(
                reason = self.trouble(),
                "the database takes no writes: calls stop until it does"
            );
        }
    }

    /// Writes land again.
    pub(crate) fn regained(&self) {
        if self.trouble.send_replace(None).is_some() {
            tracing::info!("the database takes writes again");
        }
    }

    /// Takes note of a statement's error: a disk that is full concerns everything that writes.
    pub(crate) fn note(&self, error: &DbErr) {
        if Cause::of(error) == Cause::Disk {
            self.lost(reason(error));
        }
    }

    /// A statement was given up because no answer came: connections may be dead without knowing it.
    pub(crate) fn note_unanswered(&self) {
        *self.suspect_until.lock().unwrap_or_else(PoisonError::into_inner) =
            Instant::now().checked_add(TEST_CONNECTIONS_FOR);
    }

    /// Whether connections have to be tried before they are used again.
    pub(crate) fn is_suspect(&self) -> bool {
        let until = *self.suspect_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }
}
