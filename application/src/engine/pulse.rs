//! Sends this worker's heartbeats, and looks for cancelled runs and for slots.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use domain::id::SweepId;
use domain::sweep::SweepStatus;
use futures::FutureExt as _;
use futures::future::select;

use super::Engine;
use crate::ports::{RunLease, StoreError};

/// How often runs in execution and slots are checked if the bell does not ring.
const POLL_EVERY: Duration = Duration::from_millis(200);

/// How soon a heartbeat that failed is sent again.
const BEAT_AGAIN_AFTER: Duration = Duration::from_millis(100);

impl Engine {
    /// Sends heartbeats until the engine has stopped and holds no run. It waits for nothing else in between: other
    /// statements may take longer than a lease.
    pub(super) async fn keep_alive(&self) {
        while !self.has_ended() {
            let wait = match self.beat().await {
                Ok(()) => self.settings.lease / 3,
                Err(error) => {
                    tracing::warn!(%error, "the heartbeat failed");
                    BEAT_AGAIN_AFTER
                }
            };
            let mut due = self.ports.timer.sleep(wait).fuse();
            let mut ended = self.once(Self::has_ended).fuse();
            futures::select! {
                () = due => {}
                () = ended => {}
            }
        }
    }

    /// Checks runs in execution and slots of endpoints, until the engine has stopped and holds no run.
    pub(super) async fn look_after(&self) {
        let mut next_share = self.ports.clock.now();
        let mut next_tidying = next_share;
        while !self.has_ended() {
            let (seen, now) = (self.ports.bell.rings(), self.ports.clock.now());
            let tidy_every = self.settings.lease / 3;
            let tidy = now.is_due(next_tidying, tidy_every);
            let mut looked = self.look().await;
            if now.is_due(next_share, POLL_EVERY) {
                next_share = now.after(POLL_EVERY);
                looked = looked.and(self.caller.share_all(tidy).await);
            }
            if tidy {
                next_tidying = now.after(tidy_every);
                self.caller.indexes().forget_unused();
                looked = looked.and(self.release_left_over().await);
            }
            if let Err(error) = looked {
                tracing::warn!(%error, "runs could not be looked after");
            }
            self.until_next_look(seen).await;
        }
    }

    /// Works until the engine has stopped and holds no run: a database that does not answer then is not waited for.
    pub(super) async fn until_ended(&self, work: impl Future<Output = ()>) {
        select(pin!(work), self.once(Self::has_ended)).await;
    }

    /// Whether the engine has stopped and holds no run; the bell rings for both.
    pub(super) fn has_ended(&self) -> bool {
        self.is_stopping() && self.held().is_empty()
    }

    /// Waits for the next poll, or for the bell: it rings, for example, when a sweep was paused or stopped.
    async fn until_next_look(&self, seen: u64) {
        self.ports.timer.sleep(self.settings.breath).await;
        let idle = self.held().is_empty();
        let longest = if idle { self.settings.poll.min(self.settings.lease / 3) } else { POLL_EVERY };
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
        Ok(())
    }

    /// Stops runs of stopped or paused sweeps at once, rather than at the next heartbeat.
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
