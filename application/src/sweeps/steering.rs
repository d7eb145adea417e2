//! Changes a sweep's status or limits: by a person's command, by what executing it brought to light, at its own end.

use domain::access::Writer;
use domain::id::{ExperimentId, SweepId};
use domain::strategy::Reason;
use domain::sweep::{Command, Interruption, PauseReason, SpentBudget, SweepLimits, SweepStatus, Transition};

use super::announcement::{self, Cause};
use super::{SweepError, Sweeps, TRIES};
use crate::ports::{Commit, CommitError, StoreError, StoredSweep, SweepMove, SweepTotals};
use crate::sweeps::SweepView;

/// A change of a sweep, to be committed against the version that it was decided from.
struct Change {
    transition: Transition,
    limits: Option<SweepLimits>,
}

impl From<Transition> for Change {
    fn from(transition: Transition) -> Self {
        Self { transition, limits: None }
    }
}

impl Sweeps {
    /// Carries out a command for an experiment's newest sweep.
    ///
    /// # Errors
    /// Where the experiment has no sweep, or the sweep's state does not allow it.
    pub async fn steer(
        &self,
        by: &Writer,
        experiment: ExperimentId,
        command: Command,
    ) -> Result<SweepView, SweepError> {
        let sweep = self.newest(experiment).await?;
        self.command(by, sweep, command).await
    }

    /// Resumes an experiment's newest sweep. Limits that are set in `limits` take the place of the sweep's own.
    ///
    /// # Errors
    /// Where the experiment has no sweep or its state does not allow it, where a used-up budget is not raised, and where the
    /// new limits cannot hold.
    pub async fn resume(
        &self,
        by: &Writer,
        experiment: ExperimentId,
        limits: SweepLimits,
    ) -> Result<SweepView, SweepError> {
        let sweep = self.newest(experiment).await?;
        self.resume_sweep(by, sweep, limits).await
    }

    /// Carries out a command.
    ///
    /// # Errors
    /// Where the sweep's state does not allow it.
    pub async fn command(&self, by: &Writer, id: SweepId, command: Command) -> Result<SweepView, SweepError> {
        if command == Command::Resume {
            return self.resume_sweep(by, id, SweepLimits::default()).await;
        }
        let decide = |stored: &StoredSweep, _: &SweepTotals| Ok(Some(stored.status.command(command)?.into()));
        self.change(id, Cause::Person(by), decide).await?;
        self.view(id).await
    }

    async fn resume_sweep(
        &self,
        by: &Writer,
        id: SweepId,
        raise: SweepLimits,
    ) -> Result<SweepView, SweepError> {
        let stored = self.ports.sweeps.sweep(id).await?.ok_or(SweepError::NoSweep)?;
        if raise.is_budgeted() {
            self.check_budget(stored.experiment, &raise).await?;
        }
        self.close_breakers(&stored).await?;
        let decide = |stored: &StoredSweep, totals: &SweepTotals| {
            let transition = stored.status.command(Command::Resume)?;
            let limits = self.capped_limits(stored.limits.replaced_by(raise));
            if stored.status == SweepStatus::Paused(PauseReason::Budget) {
                limits.check_raise(&stored.limits, totals.spent())?;
            }
            Ok(Some(Change { transition, limits: (limits != stored.limits).then_some(limits) }))
        };
        self.change(id, Cause::Person(by), decide).await?;
        self.view(id).await
    }

    /// Goes on with a sweep that is not over, under these limits.
    ///
    /// # Errors
    /// Where it is over, or a store fails.
    pub async fn go_on(&self, by: &Writer, id: SweepId, limits: SweepLimits) -> Result<(), SweepError> {
        let stored = self.ports.sweeps.sweep(id).await?.ok_or(SweepError::NoSweep)?;
        self.close_breakers(&stored).await?;
        let decide = |stored: &StoredSweep, _: &SweepTotals| {
            let limits = (stored.limits != limits).then_some(limits);
            let transition = match stored.status {
                SweepStatus::Running if limits.is_none() => return Ok(None),
                SweepStatus::Running => Transition::to(SweepStatus::Running),
                status => status.command(Command::Resume)?,
            };
            Ok(Some(Change { transition, limits }))
        };
        self.change(id, Cause::Person(by), decide).await
    }

    /// Takes note of a fact that executing or conducting brought to light.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn observe(&self, id: SweepId, fact: &Interruption) -> Result<(), StoreError> {
        let decide =
            |stored: &StoredSweep, _: &SweepTotals| Ok(stored.status.interrupted(fact).map(Change::from));
        match self.change(id, Cause::Interruption(fact), decide).await {
            Ok(()) | Err(SweepError::NoSweep) => Ok(()),
            Err(SweepError::Store(error)) => Err(error),
            Err(SweepError::Busy) => Err(StoreError::Unavailable(SweepError::Busy.to_string())),
            Err(other) => Err(StoreError::Corrupt(other.to_string())),
        }
    }

    /// Ends a sweep that has come to its own end.
    pub(crate) async fn complete(&self, stored: &StoredSweep, reason: Reason) -> Result<(), CommitError> {
        let change = Transition::to(SweepStatus::Completed(reason)).into();
        let totals = self.ports.sweeps.totals(stored.id).await?;
        let commit = self.change_commit(stored, &totals, change, Cause::End).await?;
        self.ports.journal.commit(commit).await?;
        self.ports.bell.ring();
        Ok(())
    }

    async fn newest(&self, experiment: ExperimentId) -> Result<SweepId, SweepError> {
        self.ports.facts.facts(experiment).await?.ok_or(SweepError::NoExperiment)?;
        Ok(self.latest(experiment).await?.ok_or(SweepError::NoSweep)?.id)
    }

    /// Refuses budgets under which the experiment's calls have no bound or no price.
    async fn check_budget(&self, experiment: ExperimentId, limits: &SweepLimits) -> Result<(), SweepError> {
        let stored = self.ports.experiments.experiment(experiment).await?.ok_or(SweepError::NoExperiment)?;
        let problems = self.catalog().await?.unbounded(&stored.definition, limits);
        if problems.is_empty() { Ok(()) } else { Err(SweepError::Problems(problems)) }
    }

    /// Lets a sweep that an endpoint paused try again: closes the breakers of the endpoints that its experiment can call, and of
    /// no others.
    async fn close_breakers(&self, stored: &StoredSweep) -> Result<(), SweepError> {
        if stored.status != SweepStatus::Paused(PauseReason::Endpoint) {
            return Ok(());
        }
        let experiment = self.ports.experiments.experiment(stored.experiment).await?;
        let experiment = experiment.ok_or(SweepError::NoExperiment)?;
        let catalog = self.catalog().await?;
        let mut called: Vec<_> =
            catalog.calls(&experiment.definition).into_iter().map(|(endpoint, _)| endpoint.id).collect();
        called.dedup();
        for endpoint in called {
            self.ports.endpoints.close_breaker(endpoint).await?;
        }
        Ok(())
    }

    /// Loads the sweep, decides, commits; again where somebody else was quicker.
    async fn change(
        &self,
        id: SweepId,
        cause: Cause<'_>,
        decide: impl Fn(&StoredSweep, &SweepTotals) -> Result<Option<Change>, SweepError>,
    ) -> Result<(), SweepError> {
        for _ in 0..TRIES {
            let stored = self.ports.sweeps.sweep(id).await?.ok_or(SweepError::NoSweep)?;
            let totals = self.ports.sweeps.totals(id).await?;
            let Some(change) = decide(&stored, &totals)? else { return Ok(()) };
            let commit = self.change_commit(&stored, &totals, change, cause).await?;
            match self.commit(commit).await {
                Err(SweepError::Busy) => {}
                landed => return landed,
            }
        }
        Err(SweepError::Busy)
    }

    async fn change_commit(
        &self,
        stored: &StoredSweep,
        totals: &SweepTotals,
        change: Change,
        cause: Cause<'_>,
    ) -> Result<Commit, StoreError> {
        let Change { transition: Transition { status, recall, cancel }, limits } = change;
        let moved = SweepMove {
            sweep: stored.id,
            experiment: stored.experiment,
            version: stored.version,
            status,
            recall,
            cancel,
            limits,
        };
        let best = match status {
            SweepStatus::Completed(_) => self.ports.boards.leader(stored.experiment).await?,
            _ => None,
        };
        let events = if status == stored.status {
            Vec::new()
        } else {
            announcement::moved(stored, status, totals, best.as_ref(), cause)
        };
        Ok(Commit { moved: Some(moved), events, ..Commit::default() })
    }
}

impl SweepTotals {
    /// What counts against the sweep's budget: what was paid, and what calls of unknown outcome can have cost at most.
    fn spent(&self) -> SpentBudget {
        let tokens = self.tokens.total().saturating_add(self.unknown_tokens);
        SpentBudget { tokens, cost: self.cost.unwrap_or_default() }
    }
}
