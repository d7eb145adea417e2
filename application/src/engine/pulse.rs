//! Keeps this process alive in the eyes of the others.

use std::collections::HashSet;
use std::time::Duration;

use domain::id::SweepId;
use domain::sweep::SweepStatus;
use futures::FutureExt as _;

use super::Engine;
use crate::ports::{RunLease, StoreError};

/// How often to look after runs that are being executed where the bell is silent, and at most to ask for slots.
const LOOK: Duration = Duration::from_millis(200);

impl Engine {
    /// Beats until the engine has stopped and holds no run.
    pub(super) async fn keep_alive(&self) {
        let mut next_beat = self.ports.clock.now();
        let mut next_share = next_beat;
        while !(self.is_stopping() && self.held().is_empty()) {
            let (seen, now) = (self.ports.bell.rings(), self.ports.clock.now());
            let (beat, share) = (now >= next_beat, now >= next_share);
            if beat {
                next_beat = now.after(self.settings.lease / 3);
            }
            let mut looked = if beat { self.beat().await } else { self.look().await };
            if looked.is_err() {
                next_beat = now;
            }
            if share {
                next_share = now.after(LOOK);
                looked = looked.and(self.caller.share_all(beat).await);
            }
            if let Err(error) = looked {
                tracing::warn!(%error, "the heartbeat failed");
            }
            self.until_next_look(seen).await;
        }
    }

    /// A ring may mean that a sweep was paused or stopped.
    async fn until_next_look(&self, seen: u64) {
        self.ports.timer.sleep(self.settings.breath).await;
        let idle = self.held().is_empty();
        let longest = if idle { self.settings.poll.min(self.settings.lease / 3) } else { LOOK };
        let mut rung = self.ports.bell.rung_after(seen).fuse();
        let mut look = self.ports.timer.sleep(longest).fuse();
        futures::select! {
            _ = rung => {}
            () = look => {}
        }
    }

    /// Renews the worker and its runs; runs that are no longer its own are told to stop.
    async fn beat(&self) -> Result<(), StoreError> {
        let leases: Vec<RunLease> = self.held().values().map(|held| held.lease).collect();
        let sent = self.ports.clock.now();
        let beat = self.ports.workers.beat(self.worker, &leases, self.settings.lease).await?;
        self.caller.alive_until(sent.after(self.settings.lease), beat.lapsed);
        self.halt(|held| beat.lost.contains(&held.lease));
        self.release_left_over().await
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
