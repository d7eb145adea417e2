//! Stores what was decided of a sweep's trials: new runs, runs that go on, runs that end.

use std::sync::Arc;

use domain::event::NewEvent;
use domain::id::RunId;
use domain::problem::Problem;
use domain::run::tally::{Ending, Tally};
use domain::strategy::{Trial, Work};
use domain::sweep::{Plan, TrialEnd};

use super::Trouble;
use super::advance::{ConductedSweep, LaunchOutcome};
use crate::catalog::Catalog;
use crate::digest::sha256;
use crate::engine::Engine;
use crate::engine::ending::Announcement;
use crate::engine::loaded::LoadedExperiment;
use crate::ports::{
    Commit, DecidedEnd, Extension, Ids, Launch, NewRun, RunEnding, StoredExperiment, offloaded,
};

impl Engine {
    /// Stores a plan, whole or not at all.
    pub(super) async fn launch(&self, sweep: &ConductedSweep, plan: &Plan) -> Result<LaunchOutcome, Trouble> {
        let new = self.new_runs(sweep, plan.new.clone()).await?;
        let extend = plan.extend.iter().map(|work| extension(sweep, work)).collect::<Result<_, _>>()?;
        let (end, events) = self.ends(sweep, plan).await?;
        let ended = end.iter().map(|decided| decided.ending.end.status()).collect();
        let runs = new.iter().map(|run| run.id).collect();
        let stored = &sweep.stored;
        let launch = Launch {
            sweep: stored.id,
            experiment: stored.experiment,
            epoch: stored.epoch,
            version: stored.version,
            ask: stored.asks,
            seen: sweep.trials().seen(),
            new,
            extend,
            end,
        };
        let commit = Commit { launch: Some(launch), events, ..Commit::default() };
        let receipt = self.ports.journal.commit(commit).await?;
        self.ports.bell.ring();
        Ok(LaunchOutcome { duplicates: receipt.duplicates, runs, ended })
    }

    /// The runs of new trials.
    async fn new_runs(&self, sweep: &ConductedSweep, work: Vec<Work>) -> Result<Vec<NewRun>, Trouble> {
        if work.is_empty() {
            return Ok(Vec::new());
        }
        let (catalog, experiment) = (Arc::clone(&sweep.catalog), Arc::clone(&sweep.experiment));
        let ids = Arc::clone(&self.ports.ids);
        let configure = move || {
            work.iter().map(|work| new_run(&catalog, &experiment, &*ids, work)).collect::<Result<_, _>>()
        };
        let configured = offloaded(&*self.ports.offload, configure).await.ok_or(Trouble::Panicked)?;
        configured.map_err(Trouble::Unconfigurable)
    }

    /// The ends of trials, with what listeners are told of them.
    async fn ends(
        &self,
        sweep: &ConductedSweep,
        plan: &Plan,
    ) -> Result<(Vec<DecidedEnd>, Vec<NewEvent>), Trouble> {
        let (mut ends, mut events) = (Vec::new(), Vec::new());
        if plan.end.is_empty() {
            return Ok((ends, events));
        }
        let experiment = sweep.stored.experiment;
        let form = self.ports.facts.facts(experiment).await?.ok_or(Trouble::Moved)?.form;
        let loaded = self.load(experiment, form).await?.ok_or(Trouble::Moved)?;
        for (no, end) in &plan.end {
            let (end, told) = self.end(sweep, &loaded, (*no, *end)).await?;
            ends.push(end);
            events.extend(told);
        }
        Ok((ends, events))
    }

    /// The end of a trial, added up from what its run has stored just as its workers would add it up.
    async fn end(
        &self,
        sweep: &ConductedSweep,
        loaded: &LoadedExperiment,
        (no, how): (u64, TrialEnd),
    ) -> Result<(DecidedEnd, Vec<NewEvent>), Trouble> {
        let trials = sweep.trials();
        let (run, trial) = (run_of(sweep, no)?, trial_of(trials.as_slice(), no)?);
        let resumed = self.ports.runs.resumed(run).await?;
        if resumed.vector.len() != trial.scores.len() {
            return Err(Trouble::Moved);
        }
        let tally = Tally::resume(loaded.scorers().len(), resumed);
        let (done, calls) = (samples(trial.scores.len()), tally.calls());
        let told = Announcement { experiment: sweep.stored.experiment, run, values: trial.point.values() };
        let mut events = told.summary(&loaded.stage_names(), done, calls);
        let (ending, diff) = match how {
            TrialEnd::Completed => (Ending::Completed { of: sweep.experiment.samples }, None),
            TrialEnd::Pruned { diff } => (Ending::Pruned, Some(diff)),
        };
        let end = loaded.end(tally, ending);
        events.extend(end.error().map(|error| told.failed(error)));
        events.extend(diff.filter(|_| end.error().is_none()).map(|diff| told.pruned(&end, diff)));
        let completed = (end.error().is_none() && diff.is_none()).then(|| told.completed(&end));
        let ending = RunEnding { completed, lead: told.lead(&end), end };
        Ok((DecidedEnd { trial: no, run, done, diff, ending }, events))
    }
}

fn new_run(
    catalog: &Catalog,
    experiment: &StoredExperiment,
    ids: &dyn Ids,
    work: &Work,
) -> Result<NewRun, Problem> {
    let (configuration, config) = catalog.configure(&experiment.definition, work.point.values().clone())?;
    let asked = samples(work.up_to);
    Ok(NewRun {
        id: RunId::new(ids.next()),
        trial: work.trial,
        config_hash: sha256(&configuration.canonical()),
        config,
        asked,
        is_final: asked >= experiment.samples,
        why: work.why.to_owned(),
    })
}

fn extension(sweep: &ConductedSweep, work: &Work) -> Result<Extension, Trouble> {
    let asked = samples(work.up_to);
    Ok(Extension {
        trial: work.trial,
        run: run_of(sweep, work.trial)?,
        asked,
        is_final: asked >= sweep.experiment.samples,
        why: work.why.to_owned(),
    })
}

fn run_of(sweep: &ConductedSweep, trial: u64) -> Result<RunId, Trouble> {
    let runs = sweep.history.as_ref().map_or(&[][..], |history| &history.runs);
    usize::try_from(trial).ok().and_then(|at| runs.get(at).copied()).ok_or_else(|| unknown(trial))
}

fn trial_of(trials: &[Trial], trial: u64) -> Result<&Trial, Trouble> {
    usize::try_from(trial).ok().and_then(|at| trials.get(at)).ok_or_else(|| unknown(trial))
}

fn unknown(trial: u64) -> Trouble {
    Trouble::Contradiction(format!("trial {trial} has no run"))
}

fn samples(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
