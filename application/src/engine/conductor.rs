//! Conducts sweeps: asks their strategies, launches runs a window ahead, ends them.

use std::collections::HashMap;

use domain::id::{RunId, SweepId};
use domain::problem::Problem;
use domain::strategy::{SweepView, Work, guide};
use domain::sweep::{Action, Counts, Outcome, Sweep, SweepStatus};
use futures::FutureExt as _;

use super::Engine;
use crate::catalog::Catalog;
use crate::digest::sha256;
use crate::ports::{
    CommitError, Launch, NewRun, StoreError, StoredExperiment, StoredSweep, SweepTotals, Unit,
};

/// A sweep that this process conducts.
struct Conducted {
    stored: StoredSweep,
    state: Sweep,
    seen: SweepTotals,
    /// With the space that the sweep goes through.
    experiment: StoredExperiment,
    catalog: Catalog,
}

/// Why a sweep is not conducted on.
enum Trouble {
    /// The stored sweep has moved: look at it again.
    Moved,
    /// A configuration names what is no longer there.
    Unconfigurable(Problem),
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
    /// Conducts until the engine stops.
    pub(super) async fn conduct(&self) {
        let mut conducted: HashMap<SweepId, Conducted> = HashMap::new();
        let mut next_lease = self.ports.clock.now();
        while !self.is_stopping() {
            let seen = self.ports.bell.rings();
            let looked = if self.ports.clock.now() >= next_lease || self.has_moved(&conducted).await {
                next_lease = self.ports.clock.now().after(self.settings.poll);
                self.take_over(&mut conducted).await
            } else {
                Ok(())
            };
            if let Err(error) = looked {
                tracing::warn!(%error, "sweeps could not be looked for");
            }
            for id in conducted.keys().copied().collect::<Vec<_>>() {
                self.attend(id, &mut conducted).await;
            }
            self.rest(seen).await;
        }
    }

    /// Waits for news, but not less than a breath, so that a burst of news is one look.
    async fn rest(&self, seen: u64) {
        self.ports.timer.sleep(self.settings.breath).await;
        let mut rung = self.ports.bell.rung_after(seen).fuse();
        let mut look = self.ports.timer.sleep(self.settings.poll).fuse();
        let mut stopping = self.stopped().fuse();
        futures::select! {
            _ = rung => {}
            () = look => {}
            () = stopping => {}
        }
    }

    /// Whether other sweeps can be conducted than those that are, or the same ones in another version.
    async fn has_moved(&self, conducted: &HashMap<SweepId, Conducted>) -> bool {
        let known = |(id, version): &(SweepId, i64)| {
            conducted.get(id).is_some_and(|held| held.stored.version == *version)
        };
        match self.ports.sweeps.conductible(self.worker, self.settings.only).await {
            Ok(found) => found.len() != conducted.len() || !found.iter().all(known),
            // The look by the clock will say so.
            Err(_) => false,
        }
    }

    /// Renews the leases of its sweeps and takes those that nobody conducts.
    async fn take_over(&self, conducted: &mut HashMap<SweepId, Conducted>) -> Result<(), StoreError> {
        let sweeps = self.ports.sweeps.conduct(self.worker, self.settings.lease, self.settings.only).await?;
        conducted.retain(|id, held| sweeps.iter().any(|sweep| sweep.id == *id && same(sweep, &held.stored)));
        for stored in sweeps {
            if conducted.contains_key(&stored.id) {
                continue;
            }
            if let Some(experiment) = self.ports.experiments.of_sweep(stored.id).await? {
                let seen = self.ports.sweeps.totals(stored.id).await?;
                let catalog = Catalog::new(self.ports.endpoints.all().await?);
                let state = Sweep::new(stored.status, counts(&stored, &seen), self.window());
                conducted.insert(stored.id, Conducted { stored, state, seen, experiment, catalog });
            }
        }
        Ok(())
    }

    fn window(&self) -> u64 {
        LEAST_WINDOW.max(WINDOW * self.settings.concurrent_runs as u64)
    }

    /// Brings one sweep on as far as it goes; lets it go where it has moved or is over.
    async fn attend(&self, id: SweepId, conducted: &mut HashMap<SweepId, Conducted>) {
        let Some(sweep) = conducted.get_mut(&id) else { return };
        match self.advance(sweep).await {
            Ok(()) if sweep.state.status() == SweepStatus::Running => {}
            Ok(()) | Err(Trouble::Moved) => drop(conducted.remove(&id)),
            Err(Trouble::Unconfigurable(problem)) => {
                tracing::warn!(sweep = %id, %problem, "a sweep cannot go on");
                conducted.remove(&id);
                self.pause_unconfigurable(id).await;
            }
            Err(Trouble::Store(error)) => {
                tracing::warn!(sweep = %id, %error, "a sweep could not be conducted");
                conducted.remove(&id);
            }
        }
    }

    async fn pause_unconfigurable(&self, id: SweepId) {
        if let Err(error) = self.sweeps.observe(id, Outcome::EndpointBroken).await {
            tracing::warn!(sweep = %id, %error, "a sweep could not be paused");
        }
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
                    let answer = guide(sweep.stored.kind).ask(&view(sweep), want);
                    next.extend(sweep.state.observe(Outcome::Asked(answer)));
                }
                Action::Launch(work) => {
                    let runs =
                        work.iter().map(|work| self.new_run(sweep, work)).collect::<Result<_, Trouble>>()?;
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

    fn new_run(&self, sweep: &Conducted, work: &Work) -> Result<NewRun, Trouble> {
        let values = work.point.values().clone();
        let configured = sweep.catalog.configure(&sweep.experiment.definition, values);
        let (configuration, config) = configured.map_err(Trouble::Unconfigurable)?;
        Ok(NewRun {
            id: RunId::new(self.ports.ids.next()),
            trial: work.trial,
            config_hash: sha256(&configuration.canonical()),
            config,
            asked: u32::try_from(work.up_to).unwrap_or(u32::MAX),
        })
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

fn same(now: &StoredSweep, held: &StoredSweep) -> bool {
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

fn view(sweep: &Conducted) -> SweepView<'_> {
    SweepView {
        space: sweep.experiment.definition.space(),
        samples: sweep.experiment.samples as usize,
        seed: sweep.stored.seed,
        asked: sweep.state.asked(),
        limit: sweep.stored.limits.max_runs,
        // No kind of sweep learns yet.
        trials: &[],
    }
}
