//! Conducts sweeps: asks their strategies, launches runs a window ahead, ends them.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::{RunId, SweepId};
use domain::problem::Problem;
use domain::strategy::{Ask, SweepView, Work, guide};
use domain::sweep::{Action, Counts, Outcome, Sweep, SweepStatus};
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::Engine;
use crate::catalog::Catalog;
use crate::digest::sha256;
use crate::ports::{
    CommitError, Ids, Launch, NewRun, Panicked, StoreError, StoredExperiment, StoredSweep, SweepTotals, Unit,
    offloaded, started,
};

/// A sweep that this process conducts.
struct Conducted {
    stored: StoredSweep,
    state: Sweep,
    seen: SweepTotals,
    /// With the space that the sweep goes through.
    experiment: StoredExperiment,
    catalog: Arc<Catalog>,
}

/// The place of a conducted sweep. It is empty while a task brings the sweep on.
struct Place {
    version: i64,
    epoch: i64,
    sweep: Option<Box<Conducted>>,
    /// Something may have happened since the task began.
    again: bool,
}

/// The sweeps that this process conducts, and the tasks that bring some of them on.
#[derive(Default)]
struct Conducting {
    places: HashMap<SweepId, Place>,
    tasks: FuturesUnordered<BoxFuture<'static, (SweepId, Option<Box<Conducted>>)>>,
}

/// Why a sweep is not conducted on.
enum Trouble {
    /// The stored sweep has moved: look at it again.
    Moved,
    /// A configuration names what is no longer there.
    Unconfigurable(Problem),
    /// Its strategy broke down.
    Panicked,
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
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

/// Runs that are open at once, for each run that can be executed at once in this process.
const WINDOW: u64 = 16;
/// Open runs at least, so that other processes find work too.
const LEAST_WINDOW: u64 = 128;

impl Engine {
    /// Conducts until the engine stops. Each sweep is brought on in a task of its own, so that a strategy that takes its
    /// time delays neither other sweeps nor the leases.
    pub(super) async fn conduct(self: &Arc<Self>) {
        let mut conducting = Conducting::default();
        let mut next_lease = self.ports.clock.now();
        while !self.is_stopping() {
            let seen = self.ports.bell.rings();
            let looked = if self.ports.clock.now() >= next_lease || self.has_moved(&conducting.places).await {
                next_lease = self.ports.clock.now().after(self.settings.poll);
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

    /// Waits for news, but not less than a breath, so that a burst of news is one look.
    async fn rest(self: &Arc<Self>, seen: u64, conducting: &mut Conducting) {
        self.ports.timer.sleep(self.settings.breath).await;
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
            self.put_back(id, sweep, conducting);
        }
    }

    /// A task has ended; where something happened meanwhile the next one begins.
    fn put_back(self: &Arc<Self>, id: SweepId, sweep: Option<Box<Conducted>>, conducting: &mut Conducting) {
        let Some(place) = conducting.places.get_mut(&id) else { return };
        let Some(sweep) = sweep else {
            conducting.places.remove(&id);
            return;
        };
        place.sweep = Some(sweep);
        if std::mem::take(&mut place.again) {
            self.bring_on(id, conducting);
        }
    }

    /// Starts a task that brings a sweep on as far as it goes.
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
    async fn has_moved(&self, places: &HashMap<SweepId, Place>) -> bool {
        let known =
            |(id, version): &(SweepId, i64)| places.get(id).is_some_and(|place| place.version == *version);
        match self.ports.sweeps.conductible(self.worker, self.settings.only).await {
            Ok(found) => found.len() != places.len() || !found.iter().all(known),
            // The look by the clock will say so.
            Err(_) => false,
        }
    }

    /// Renews the leases of its sweeps and takes those that nobody conducts.
    async fn take_over(&self, places: &mut HashMap<SweepId, Place>) -> Result<(), StoreError> {
        let sweeps = self.ports.sweeps.conduct(self.worker, self.settings.lease, self.settings.only).await?;
        places.retain(|id, place| sweeps.iter().any(|sweep| sweep.id == *id && same(sweep, place)));
        for stored in sweeps {
            if places.contains_key(&stored.id) {
                continue;
            }
            if let Some(experiment) = self.ports.experiments.of_sweep(stored.id).await? {
                let seen = self.ports.sweeps.totals(stored.id).await?;
                let catalog = Arc::new(Catalog::new(self.ports.endpoints.all().await?));
                let state = Sweep::new(stored.status, counts(&stored, &seen), self.window());
                let (id, version, epoch) = (stored.id, stored.version, stored.epoch);
                let sweep = Some(Box::new(Conducted { stored, state, seen, experiment, catalog }));
                places.insert(id, Place { version, epoch, sweep, again: false });
            }
        }
        Ok(())
    }

    fn window(&self) -> u64 {
        LEAST_WINDOW.max(WINDOW * self.settings.concurrent_runs as u64)
    }

    /// Brings one sweep on as far as it goes; the sweep, unless it has moved or is over.
    async fn attend(&self, mut sweep: Box<Conducted>) -> Option<Box<Conducted>> {
        let id = sweep.stored.id;
        match self.advance(&mut sweep).await {
            Ok(()) => return (sweep.state.status() == SweepStatus::Running).then_some(sweep),
            Err(Trouble::Moved) => {}
            Err(Trouble::Unconfigurable(problem)) => {
                tracing::warn!(sweep = %id, %problem, "a sweep cannot go on");
                self.pause_unconfigurable(id).await;
            }
            Err(Trouble::Panicked) => {
                self.pause_broken_down(id, &Panicked("its strategy gave no answer".to_owned())).await;
            }
            Err(Trouble::Store(error)) => {
                tracing::warn!(sweep = %id, %error, "a sweep could not be conducted");
            }
        }
        None
    }

    async fn pause_unconfigurable(&self, id: SweepId) {
        if let Err(error) = self.sweeps.observe(id, Outcome::EndpointBroken).await {
            tracing::warn!(sweep = %id, %error, "a sweep could not be paused");
        }
    }

    /// A defect of ours stops the sweep that it shows in, and no other.
    async fn pause_broken_down(&self, id: SweepId, panicked: &Panicked) {
        tracing::error!(sweep = %id, %panicked, "a sweep broke down and is paused");
        self.pause_unconfigurable(id).await;
    }

    async fn advance(&self, sweep: &mut Conducted) -> Result<(), Trouble> {
        let totals = self.ports.sweeps.totals(sweep.stored.id).await?;
        let runs = totals.ended().saturating_sub(sweep.seen.ended());
        let failed = totals.failed.saturating_sub(sweep.seen.failed);
        sweep.seen = totals;
        let mut actions = match runs {
            0 => sweep.state.begin(),
            _ => sweep.state.observe(Outcome::Ended { runs, failed }),
        };
        while !actions.is_empty() {
            actions = self.carry_out(sweep, actions).await?;
        }
        Ok(())
    }

    /// Carries actions out; what follows from them.
    async fn carry_out(&self, sweep: &mut Conducted, actions: Vec<Action>) -> Result<Vec<Action>, Trouble> {
        let mut next = Vec::new();
        for action in actions {
            match action {
                Action::Ask { want } => {
                    let answer = self.ask(sweep, want).await?;
                    next.extend(sweep.state.observe(Outcome::Asked(answer)));
                }
                Action::Launch(work) => {
                    let runs = self.new_runs(sweep, work).await?;
                    let duplicates = self.launch(sweep, runs).await?;
                    sweep.stored.asked = sweep.state.asked();
                    next.extend(sweep.state.observe(Outcome::Duplicates(duplicates)));
                }
                Action::Move(SweepStatus::Completed(reason)) => {
                    self.sweeps.complete(&sweep.stored, reason).await?;
                }
                Action::Move(_) | Action::Recall | Action::Cancel => {}
            }
        }
        Ok(next)
    }

    /// Asks the sweep's strategy, where it may think as long as it likes.
    async fn ask(&self, sweep: &Conducted, want: usize) -> Result<Ask, Trouble> {
        let (kind, seed, limit) = (sweep.stored.kind, sweep.stored.seed, sweep.stored.limits.max_runs);
        let (experiment, asked) = (sweep.experiment.clone(), sweep.state.asked());
        let think = move || {
            let view = SweepView {
                space: experiment.definition.space(),
                samples: experiment.samples as usize,
                seed,
                asked,
                limit,
                // No kind of sweep learns yet.
                trials: &[],
            };
            guide(kind).ask(&view, want)
        };
        offloaded(&*self.ports.offload, think).await.ok_or(Trouble::Panicked)
    }

    /// The runs that a strategy asked for.
    async fn new_runs(&self, sweep: &Conducted, work: Vec<Work>) -> Result<Vec<NewRun>, Trouble> {
        let (catalog, experiment) = (Arc::clone(&sweep.catalog), sweep.experiment.clone());
        let ids = Arc::clone(&self.ports.ids);
        let configure = move || {
            work.iter().map(|work| new_run(&catalog, &experiment, &*ids, work)).collect::<Result<_, _>>()
        };
        let configured = offloaded(&*self.ports.offload, configure).await.ok_or(Trouble::Panicked)?;
        configured.map_err(Trouble::Unconfigurable)
    }

    async fn launch(&self, sweep: &Conducted, runs: Vec<NewRun>) -> Result<u64, Trouble> {
        let stored = &sweep.stored;
        let launch = Launch {
            sweep: stored.id,
            experiment: stored.experiment,
            epoch: stored.epoch,
            version: stored.version,
            runs,
        };
        let launched = self.ports.journal.commit(Unit { launch: Some(launch), ..Unit::default() }).await?;
        self.ports.bell.ring();
        Ok(launched.duplicates)
    }
}

fn new_run(
    catalog: &Catalog,
    experiment: &StoredExperiment,
    ids: &dyn Ids,
    work: &Work,
) -> Result<NewRun, Problem> {
    let (configuration, config) = catalog.configure(&experiment.definition, work.point.values().clone())?;
    Ok(NewRun {
        id: RunId::new(ids.next()),
        trial: work.trial,
        config_hash: sha256(&configuration.canonical()),
        config,
        asked: u32::try_from(work.up_to).unwrap_or(u32::MAX),
    })
}

fn same(now: &StoredSweep, held: &Place) -> bool {
    now.version == held.version && now.epoch == held.epoch
}

fn counts(stored: &StoredSweep, totals: &SweepTotals) -> Counts {
    Counts {
        asked: stored.asked,
        duplicates: stored.duplicates,
        ended: totals.ended(),
        failed: totals.failed,
    }
}
