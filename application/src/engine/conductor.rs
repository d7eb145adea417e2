//! Conducts sweeps: asks their guides for trials, launches runs ahead of the workers, continues and ends them.

mod advance;
mod launch;
mod log;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::id::SweepId;
use domain::problem::Problem;
use domain::strategy::ContradictoryLog;
use domain::sweep::Interruption;
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{FuturesUnordered, StreamExt as _};

use self::advance::ConductedSweep;
use super::Engine;
use crate::ports::{CommitError, Panicked, StoreError, StoredSweep, started};

/// A sweep that this process conducts. `sweep` is `None` while a task advances it.
struct ConductorEntry {
    version: i64,
    epoch: i64,
    sweep: Option<Box<ConductedSweep>>,
    /// Something may have changed since the task started.
    again: bool,
    /// The stored sweep has changed since the task started. The entry stays, so that its guide is not asked twice at once.
    stale: bool,
}

/// The sweeps that this process conducts, and the tasks that advance them.
#[derive(Default)]
struct Conducting {
    places: HashMap<SweepId, ConductorEntry>,
    tasks: FuturesUnordered<BoxFuture<'static, (SweepId, Option<Box<ConductedSweep>>)>>,
    /// The least time until the next look: short after a quiet time, and longer while the bell does not stop ringing.
    gap: Duration,
}

/// Why a sweep is no longer conducted.
enum Trouble {
    /// Another process has changed the stored sweep: it has to be read again.
    Moved,
    /// A configuration names an endpoint or model that no longer exists.
    Unconfigurable(Problem),
    /// Its guide failed.
    Panicked,
    /// What is stored of it contradicts itself.
    Contradiction(String),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ContradictoryLog> for Trouble {
    fn from(error: ContradictoryLog) -> Self {
        Self::Contradiction(error.to_string())
    }
}

impl From<CommitError> for Trouble {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => Self::Store(error),
            CommitError::Conflict | CommitError::SweepActive => Self::Moved,
        }
    }
}

/// Claimable runs that are launched ahead, per run that this process can execute concurrently.
const RUNS_AHEAD_PER_SLOT: u64 = 16;
/// The least number of such runs, so that other processes find work too.
const LEAST_WINDOW: u64 = 128;

/// The second gap between two looks after a quiet time; each following one is twice as long, up to the longest.
const MIN_GAP: Duration = Duration::from_millis(1);

impl Engine {
    /// Conducts until the engine stops. Each sweep is advanced in a task of its own, so that a slow strategy delays neither
    /// other sweeps nor the leases.
    pub(super) async fn conduct(self: &Arc<Self>) {
        let mut conducting = Conducting::default();
        let mut next_lease = self.ports.clock.now();
        while !self.is_stopping() {
            let seen = self.ports.bell.rings();
            let now = self.ports.clock.now();
            let due = now.is_due(next_lease, self.settings.poll);
            let looked = if due || self.has_moved(&conducting.places).await {
                next_lease = now.after(self.settings.poll);
                self.take_over(&mut conducting.places).await
            } else {
                Ok(())
            };
            if let Err(error) = looked {
                tracing::warn!(%error, "sweeps could not be looked for");
            }
            for id in conducting.places.keys().copied().collect::<Vec<_>>() {
                self.bring_on(id, &mut conducting);
            }
            self.rest(seen, &mut conducting).await;
        }
        while conducting.tasks.next().await.is_some() {}
    }

    /// Waits for the bell or the next poll, but at least the gap, so that a burst of rings causes few looks.
    async fn rest(self: &Arc<Self>, seen: u64, conducting: &mut Conducting) {
        let longest = self.settings.breath;
        self.ports.timer.sleep(conducting.gap).await;
        let waits_from = self.ports.clock.now();
        self.until_next_work(seen, conducting).await;
        let is_quiet = self.ports.clock.now().since(waits_from) >= longest;
        let next = if is_quiet { Duration::ZERO } else { (2 * conducting.gap).max(MIN_GAP) };
        conducting.gap = next.min(longest);
    }

    /// Waits for the bell or the next poll.
    async fn until_next_work(self: &Arc<Self>, seen: u64, conducting: &mut Conducting) {
        let mut rung = self.ports.bell.rung_after(seen).fuse();
        let mut look = self.ports.timer.sleep(self.settings.poll).fuse();
        let mut stopping = self.stopped().fuse();
        loop {
            let ended = futures::select! {
                _ = rung => return,
                () = look => return,
                () = stopping => return,
                ended = conducting.tasks.select_next_some() => ended,
            };
            let (id, sweep) = ended;
            if !self.put_back(id, sweep, conducting) {
                return;
            }
        }
    }

    /// A task has ended; where something happened meanwhile the next one begins. `false` where the stored sweep has moved
    /// and is to be looked for.
    fn put_back(
        self: &Arc<Self>,
        id: SweepId,
        sweep: Option<Box<ConductedSweep>>,
        conducting: &mut Conducting,
    ) -> bool {
        let Some(place) = conducting.places.get_mut(&id) else { return true };
        let stale = place.stale;
        let Some(sweep) = sweep.filter(|_| !stale) else {
            conducting.places.remove(&id);
            return !stale;
        };
        place.sweep = Some(sweep);
        if std::mem::take(&mut place.again) {
            self.bring_on(id, conducting);
        }
        true
    }

    /// Starts a task that advances a sweep as far as it goes.
    fn bring_on(self: &Arc<Self>, id: SweepId, conducting: &mut Conducting) {
        let Some(place) = conducting.places.get_mut(&id) else { return };
        let Some(sweep) = place.sweep.take() else {
            place.again = true;
            return;
        };
        let engine = Arc::clone(self);
        let task = started(&*self.ports.tasks, async move { engine.attend(sweep).await });
        let engine = Arc::clone(self);
        let attended = async move {
            match task.await {
                Ok(sweep) => (id, sweep),
                Err(panicked) => {
                    engine.pause_broken_down(id, &panicked).await;
                    (id, None)
                }
            }
        };
        conducting.tasks.push(attended.boxed());
    }

    /// Whether other sweeps can be conducted than those that are, or the same ones in another version.
    async fn has_moved(&self, places: &HashMap<SweepId, ConductorEntry>) -> bool {
        let known =
            |(id, version): &(SweepId, i64)| places.get(id).is_some_and(|place| place.version == *version);
        match self.ports.sweeps.conductible(self.worker, self.settings.only).await {
            Ok(found) => found.len() != places.len() || !found.iter().all(known),
            // The next poll will report it.
            Err(_) => false,
        }
    }

    /// Renews the leases of its sweeps, and leases those that no live worker conducts.
    async fn take_over(&self, places: &mut HashMap<SweepId, ConductorEntry>) -> Result<(), StoreError> {
        let sweeps = self.ports.sweeps.conduct(self.worker, self.settings.lease, self.settings.only).await?;
        for (id, place) in &mut *places {
            place.stale = !sweeps.iter().any(|sweep| sweep.id == *id && same(sweep, place));
        }
        places.retain(|_, place| !place.stale || place.sweep.is_none());
        for stored in sweeps {
            if places.contains_key(&stored.id) {
                continue;
            }
            let (id, version, epoch) = (stored.id, stored.version, stored.epoch);
            if let Some(sweep) = self.conducted(stored).await? {
                let sweep = Some(Box::new(sweep));
                places.insert(id, ConductorEntry { version, epoch, sweep, again: false, stale: false });
            }
        }
        Ok(())
    }

    fn window(&self) -> u64 {
        LEAST_WINDOW.max(RUNS_AHEAD_PER_SLOT * self.settings.concurrent_runs as u64)
    }

    /// Advances one sweep as far as it goes. Returns it unless it has changed in the store or is over.
    async fn attend(&self, mut sweep: Box<ConductedSweep>) -> Option<Box<ConductedSweep>> {
        let id = sweep.id();
        match self.advance(&mut sweep).await {
            Ok(goes_on) => return goes_on.then_some(sweep),
            Err(Trouble::Moved) => {}
            Err(Trouble::Unconfigurable(problem)) => {
                tracing::warn!(sweep = %id, %problem, "a sweep cannot go on");
                self.pause_stuck(id, format!("a configuration cannot be made: {problem}")).await;
            }
            Err(Trouble::Panicked) => {
                self.pause_broken_down(id, &Panicked("its guide gave no answer".to_owned())).await;
            }
            Err(Trouble::Contradiction(reason)) => {
                tracing::error!(sweep = %id, reason, "what is stored of a sweep contradicts itself");
                self.pause_stuck(id, format!("what is stored of it contradicts itself: {reason}")).await;
            }
            Err(Trouble::Store(error)) => {
                tracing::warn!(sweep = %id, %error, "a sweep could not be conducted");
            }
        }
        None
    }

    /// Pauses a sweep that needs a person's decision.
    async fn pause_stuck(&self, id: SweepId, reason: String) {
        if let Err(error) = self.sweeps.observe(id, &Interruption::Stuck(reason)).await {
            tracing::warn!(sweep = %id, %error, "a sweep could not be paused");
        }
    }

    /// A panic stops its own sweep and no other.
    async fn pause_broken_down(&self, id: SweepId, panicked: &Panicked) {
        tracing::error!(sweep = %id, %panicked, "a sweep broke down and is paused");
        self.pause_stuck(id, format!("conducting it broke down, which is a defect: {}", panicked.0)).await;
    }
}

fn same(now: &StoredSweep, held: &ConductorEntry) -> bool {
    now.version == held.version && now.epoch == held.epoch
}
