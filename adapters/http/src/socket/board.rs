//! Progress of experiments, worked out once for all sockets that look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::ExperimentId;
use tokio::time::Instant;

use super::{PING_EVERY, PROGRESS_EVERY};

/// When progress was worked out, and the message that tells it where there is anything to tell.
pub(super) type ProgressMessage = (Instant, Option<Arc<str>>);

/// Progress of experiments, worked out once for all who look. The lock is held for no longer than it takes to look.
#[derive(Default)]
pub(crate) struct Board {
    shown: Mutex<HashMap<ExperimentId, ProgressMessage>>,
}

impl Board {
    /// What is shown of an experiment; `None` where it is out of date, for the first who asks: the others go on with the
    /// old one until the new one is there.
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
