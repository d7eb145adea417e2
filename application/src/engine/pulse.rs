//! Keeps this process alive in the eyes of the others.

use std::collections::HashSet;
use std::time::Duration;

use domain::id::SweepId;
use domain::sweep::SweepStatus;
use futures::FutureExt as _;

use super::Engine;
use crate::ports::{RunLease, StoreError};

/// How often to look after runs that are being executed.
const LOOK: Duration = Duration::from_millis(200);

impl Engine {
    /// Beats until the engine has stopped and holds no run.
    pub(super) async fn keep_alive(&self) {
        let mut next_beat = self.ports.clock.now();
        while !(self.is_stopping() && self.held().is_empty()) {
            let due = self.ports.clock.now() >= next_beat;
            if due {
                next_beat = self.ports.clock.now().after(self.settings.lease / 3);
            }
            let beaten = if due { self.beat().await } else { self.look().await };
            if let Err(error) = beaten.and(self.caller.share_all(due).await) {
                tracing::warn!(%error, "the heartbeat failed");
            }
            self.until_next_look().await;
        }
    }

    async fn until_next_look(&self) {
        if !self.held().is_empty() {
            return self.ports.timer.sleep(LOOK).await;
        }
        let mut look = self.ports.timer.sleep(self.settings.poll.min(self.settings.lease / 3)).fuse();
        let mut stopped = self.stopped().fuse();
        futures::select! {
            () = look => {}
            () = stopped => {}
        }
    }

    /// Renews the worker and its runs; runs that are no longer its own are told to stop.
    async fn beat(&self) -> Result<(), StoreError> {
        let leases: Vec<RunLease> = self.held().values().map(|held| held.lease).collect();
        let beat = self.ports.workers.beat(self.worker, &leases, self.settings.lease).await?;
        self.halt(|held| beat.lost.contains(&held.lease));
        Ok(())
    }

    /// Notices at once when a sweep was stopped or recalled, rather than at the next beat.
    async fn look(&self) -> Result<(), StoreError> {
        let sweeps: HashSet<SweepId> = self.held().values().filter_map(|held| held.sweep).collect();
        for id in sweeps {
            let sweep = self.ports.sweeps.sweep(id).await?;
            if sweep.is_none_or(|sweep| sweep.status != SweepStatus::Running) {
                return self.beat().await;
            }
        }
        Ok(())
    }
}
