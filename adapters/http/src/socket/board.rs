//! Progress of experiments, computed once for all sockets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::ExperimentId;
use tokio::time::Instant;

use super::{PING_EVERY, PROGRESS_EVERY};

/// When progress was computed, and its message, where there is progress to send.
pub(super) type ProgressMessage = (Instant, Option<Arc<str>>);

/// The computed progress of experiments. The lock is held only for lookups.
#[derive(Default)]
pub(crate) struct Board {
    shown: Mutex<HashMap<ExperimentId, ProgressMessage>>,
}

impl Board {
    /// The progress of an experiment. For the first caller after it is out of date this is `None`: that caller
    /// computes it anew, and the others get the old one until then.
    pub(super) fn shown(&self, experiment: ExperimentId) -> Option<ProgressMessage> {
        let mut all = self.all();
        if let Some(known) = all.get(&experiment).filter(|(at, _)| at.elapsed() < PROGRESS_EVERY / 2) {
            return Some(known.clone());
        }
        all.entry(experiment).or_insert((Instant::now(), None)).0 = Instant::now();
        None
    }

    pub(super) fn show(&self, experiment: ExperimentId, told: Option<Arc<str>>) {
        let mut all = self.all();
        all.retain(|_, (at, _)| at.elapsed() < PING_EVERY);
        all.insert(experiment, (Instant::now(), told));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ExperimentId, ProgressMessage>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
