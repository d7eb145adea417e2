//! One conducted sweep: reads what happened, and carries out what its planner says comes next.

use std::sync::Arc;

use domain::id::{RunId, SweepId};
use domain::run::RunStatus;
use domain::strategy::TrialCounts;
use domain::strategy::{History, Proposal, Trials};
use domain::sweep::{Next, Plan, Sweep, SweepFact};

use super::Trouble;
use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::ports::{StoreError, StoredExperiment, StoredSweep, offloaded};

/// A sweep that this process conducts.
pub(super) struct ConductedSweep {
    pub(super) stored: StoredSweep,
    pub(super) state: Sweep,
    /// The experiment, with the space of the sweep.
    pub(super) experiment: Arc<StoredExperiment>,
    pub(super) catalog: Arc<Catalog>,
    /// The history for a guide that learns; `None` for one that does not, whose trials are only counted.
    pub(super) history: Option<TrialHistory>,
}

/// The trials of a sweep whose guide learns, as far as they have been read from its logs.
#[derive(Default)]
pub(super) struct TrialHistory {
    pub(super) trials: Arc<Trials>,
    /// The run of each trial.
    pub(super) runs: Vec<RunId>,
    /// The decisions of others before this process took over have been read.
    pub(super) taken_over: bool,
}

impl ConductedSweep {
    pub(super) const fn id(&self) -> SweepId {
        self.stored.id
    }

    pub(super) fn trials(&self) -> Arc<Trials> {
        self.history.as_ref().map(|history| Arc::clone(&history.trials)).unwrap_or_default()
    }

    fn observe(&mut self, outcome: SweepFact) -> Option<Next> {
        self.state.observe(outcome, self.trials().as_slice())
    }

    /// How its trials stand, with what is known of runs that are over where they are only counted.
    fn counts(&self, ended: u64, failed: u64) -> TrialCounts {
        match &self.history {
            Some(history) => history.trials.counts(),
            None => {
                let StoredSweep { asked, duplicates, .. } = self.stored;
                TrialCounts { asked, duplicates, ended, failed, resting: 0 }
            }
        }
    }

    /// Records a stored plan.
    fn launched(&mut self, plan: &Plan, launched: &LaunchOutcome) -> Result<(), Trouble> {
        self.stored.asks += 1;
        self.stored.asked += plan.new.len() as u64;
        self.stored.duplicates += launched.duplicates.len() as u64;
        if let Some(history) = &mut self.history {
            history.runs.extend(&launched.runs);
            let trials = Arc::make_mut(&mut history.trials);
            for (trial, change) in plan.changes(&launched.duplicates, &launched.ended) {
                trials.decided(trial, change)?;
            }
        }
        Ok(())
    }
}

/// The result of storing a plan.
pub(super) struct LaunchOutcome {
    /// The new trials that have no run of their own.
    pub(super) duplicates: Vec<u64>,
    /// The runs made for the new trials.
    pub(super) runs: Vec<RunId>,
    /// The status of each run that was ended.
    pub(super) ended: Vec<RunStatus>,
}

impl Engine {
    /// Loads a sweep that was leased; `None` if it no longer exists.
    pub(super) async fn conducted(&self, stored: StoredSweep) -> Result<Option<ConductedSweep>, StoreError> {
        let Some(experiment) = self.ports.experiments.of_sweep(stored.id).await? else { return Ok(None) };
        let catalog = Arc::new(Catalog::load(&*self.ports.endpoints, &*self.ports.settings).await?);
        let learns = (self.ports.guides)(stored.kind).learns();
        let state = Sweep::new(TrialCounts::default(), self.window(), experiment.samples as usize);
        let (experiment, history) = (Arc::new(experiment), learns.then(TrialHistory::default));
        Ok(Some(ConductedSweep { stored, state, experiment, catalog, history }))
    }

    /// Advances a sweep as far as it goes. Returns whether it continues.
    pub(super) async fn advance(&self, sweep: &mut ConductedSweep) -> Result<bool, Trouble> {
        let mut next = self.catch_up(sweep).await?;
        while let Some(step) = next {
            next = match step {
                Next::Ask { want } => {
                    let proposal = self.ask(sweep, want).await?;
                    sweep.observe(SweepFact::Proposed(proposal))
                }
                Next::Launch(plan) => self.carry_out(sweep, &plan).await?,
                Next::Complete(reason) => {
                    self.sweeps.complete(&sweep.stored, reason).await?;
                    return Ok(false);
                }
            };
        }
        Ok(true)
    }

    /// Reads the logs from where they were last read.
    async fn catch_up(&self, sweep: &mut ConductedSweep) -> Result<Option<Next>, Trouble> {
        let (counts, told) = if let Some(history) = &mut sweep.history {
            let told = self.follow(sweep.stored.id, history).await?;
            (sweep.counts(0, 0), told)
        } else {
            let totals = self.ports.sweeps.totals(sweep.stored.id).await?;
            (sweep.counts(totals.ended(), totals.failed), false)
        };
        Ok(sweep.observe(SweepFact::Looked { counts, told }))
    }

    async fn carry_out(&self, sweep: &mut ConductedSweep, plan: &Plan) -> Result<Option<Next>, Trouble> {
        let launched = self.launch(sweep, plan).await?;
        sweep.launched(plan, &launched)?;
        let TrialCounts { ended, failed, .. } = sweep.state.counts();
        let counts = sweep.counts(ended, failed);
        Ok(sweep.observe(SweepFact::Looked { counts, told: false }))
    }

    /// Asks the sweep's guide on a thread of its own. Its proposal is stored only if the sweep has not changed meanwhile.
    async fn ask(&self, sweep: &ConductedSweep, want: usize) -> Result<Proposal, Trouble> {
        let StoredSweep { kind, seed, limits, asked, .. } = sweep.stored;
        let (experiment, trials, guides) = (Arc::clone(&sweep.experiment), sweep.trials(), self.ports.guides);
        let think = move || {
            let history = History {
                space: experiment.definition.space(),
                samples: experiment.samples as usize,
                seed,
                asked,
                limit: limits.max_runs,
                trials: trials.as_slice(),
            };
            guides(kind).propose(&history, want)
        };
        // One that does not learn is quick, and must not wait for those that do.
        let threads = if sweep.history.is_some() { &self.ports.thinking } else { &self.ports.offload };
        offloaded(&**threads, think).await.ok_or(Trouble::Panicked)
    }
}
