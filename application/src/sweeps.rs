//! Starts, steers and shows sweeps.

mod announcement;
mod error;
mod steering;

use std::sync::Arc;
use std::time::Duration;

use domain::access::Writer;
use domain::experiment::Definition;
use domain::id::{ExperimentId, SweepId};
use domain::strategy::check_start;
use domain::sweep::{SweepKind, SweepLimits, SweepStatus};
use domain::time::Timestamp;

pub use self::error::SweepError;
use crate::catalog::Catalog;
use crate::once::Reservation;
use crate::page::Page;
use crate::ports::{
    Bell, BoardRun, BoardStore, Commit, CommitError, EndpointStore, EnginePorts, ExperimentStore, FactStore,
    Ids, Journal, NewSweep, SettingStore, StoreError, StoredSweep, SweepStore, SweepTotals,
};

/// What the use cases need from the world.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    pub bell: Arc<dyn Bell>,
    pub boards: Arc<dyn BoardStore>,
    pub endpoints: Arc<dyn EndpointStore>,
    pub experiments: Arc<dyn ExperimentStore>,
    pub facts: Arc<dyn FactStore>,
    pub ids: Arc<dyn Ids>,
    pub journal: Arc<dyn Journal>,
    pub settings: Arc<dyn SettingStore>,
    pub sweeps: Arc<dyn SweepStore>,
}

impl Ports {
    /// Those that an engine has too.
    #[must_use]
    pub fn of_engine(ports: &EnginePorts) -> Self {
        Self {
            bell: Arc::clone(&ports.bell),
            boards: Arc::clone(&ports.boards),
            endpoints: Arc::clone(&ports.endpoints),
            experiments: Arc::clone(&ports.experiments),
            facts: Arc::clone(&ports.facts),
            ids: Arc::clone(&ports.ids),
            journal: Arc::clone(&ports.journal),
            settings: Arc::clone(&ports.settings),
            sweeps: Arc::clone(&ports.sweeps),
        }
    }
}

/// A sweep to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepRequest {
    /// How it chooses.
    pub kind: SweepKind,
    /// What its random choices hang on; made up where absent.
    pub seed: Option<u64>,
    /// What it may use up.
    pub limits: SweepLimits,
}

/// A sweep to be started, within the installation's own limit: see [`Sweeps::capped`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CappedRequest(SweepRequest);

impl std::ops::Deref for CappedRequest {
    type Target = SweepRequest;

    fn deref(&self) -> &SweepRequest {
        &self.0
    }
}

/// How often a change is decided anew while others change the same.
const TRIES: u32 = 50;

/// The use cases of sweeps.
pub struct Sweeps {
    ports: Ports,
    /// The installation's own limit, which holds for every sweep.
    most_tokens: Option<u64>,
}

/// A sweep with its counters.
#[derive(Debug, Clone)]
pub struct SweepView {
    /// The sweep.
    pub sweep: StoredSweep,
    /// Its counters.
    pub totals: SweepTotals,
    /// Runs it will make in all, where that is known.
    pub total: Option<u64>,
    /// Samples of each run.
    pub samples: u64,
    /// The leading run of its experiment.
    pub best: Option<BoardRun>,
}

impl SweepView {
    /// How much longer a running sweep takes if it goes on at the speed it had so far.
    #[must_use]
    pub fn eta(&self, now: Timestamp) -> Option<Duration> {
        if self.sweep.status != SweepStatus::Running || self.totals.samples == 0 {
            return None;
        }
        let all = self.total?.checked_mul(self.samples)?;
        let left = all.saturating_sub(self.totals.samples) as f64 / self.totals.samples as f64;
        Duration::try_from_secs_f64(now.since(self.sweep.started_at).as_secs_f64() * left).ok()
    }
}

impl Sweeps {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(ports: Ports) -> Self {
        Self { ports, most_tokens: None }
    }

    /// The same, where no sweep may pay for more than so many tokens.
    #[must_use]
    pub fn with_most_tokens(self, most_tokens: Option<u64>) -> Self {
        Self { most_tokens, ..self }
    }

    /// What a sweep asks for, within the installation's own limit.
    #[must_use]
    pub fn capped(&self, request: SweepRequest) -> CappedRequest {
        CappedRequest(SweepRequest { limits: self.capped_limits(request.limits), ..request })
    }

    fn capped_limits(&self, limits: SweepLimits) -> SweepLimits {
        let max_tokens = [limits.max_tokens, self.most_tokens].into_iter().flatten().min();
        SweepLimits { max_tokens, ..limits }
    }

    /// Starts a sweep, for the request with a key that `reservation` stands for, where there is one.
    ///
    /// # Errors
    /// [`SweepError`] says why not; nothing is stored then.
    pub async fn start(
        &self,
        by: &Writer,
        experiment: ExperimentId,
        CappedRequest(request): CappedRequest,
        reservation: Option<&Reservation>,
    ) -> Result<SweepId, SweepError> {
        let id = SweepId::new(self.ports.ids.next());
        let seed = request.seed.unwrap_or_else(|| made_up_seed(id));
        for _ in 0..TRIES {
            let stored = self.ports.experiments.experiment(experiment).await?;
            let stored = stored.ok_or(SweepError::NoExperiment)?;
            check(&self.catalog().await?, &stored.definition, &request)?;
            let (kind, limits, revision) = (request.kind, request.limits, stored.revision);
            let begin = NewSweep { id, experiment, revision, kind, seed, limits };
            let events = vec![announcement::started(&begin, by)];
            let mark = reservation.map(|reservation| reservation.mark(id.bits()));
            match self.commit(Commit { begin: Some(begin), mark, events, ..Commit::default() }).await {
                // The experiment was changed meanwhile.
                Err(SweepError::Busy) => {}
                begun => return begun.map(|()| id),
            }
        }
        Err(SweepError::Busy)
    }

    /// The newest sweep of an experiment.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn latest(&self, experiment: ExperimentId) -> Result<Option<StoredSweep>, StoreError> {
        self.ports.sweeps.latest(experiment).await
    }

    /// A page of an experiment's sweeps, newest first.
    ///
    /// # Errors
    /// Where there is no such experiment.
    pub async fn list(
        &self,
        experiment: ExperimentId,
        before: Option<SweepId>,
        limit: usize,
    ) -> Result<Page<SweepView>, SweepError> {
        self.ports.facts.facts(experiment).await?.ok_or(SweepError::NoExperiment)?;
        let page = Page::of(self.ports.sweeps.sweeps(experiment, before, limit + 1).await?, limit);
        let mut items = Vec::with_capacity(page.items.len());
        for sweep in page.items {
            items.push(self.viewed(sweep).await?);
        }
        Ok(Page { items, more: page.more })
    }

    /// A sweep with its counters.
    ///
    /// # Errors
    /// Where there is none, or a store fails.
    pub async fn view(&self, id: SweepId) -> Result<SweepView, SweepError> {
        let sweep = self.ports.sweeps.sweep(id).await?.ok_or(SweepError::NoSweep)?;
        Ok(self.viewed(sweep).await?)
    }

    async fn viewed(&self, sweep: StoredSweep) -> Result<SweepView, StoreError> {
        let totals = self.ports.sweeps.totals(sweep.id).await?;
        let facts = self.ports.facts.facts_of_sweep(sweep.id).await?;
        let size = facts.as_ref().and_then(|facts| facts.outline.points);
        let total = match (size, sweep.limits.max_runs) {
            (Some(size), Some(limit)) => Some(size.min(limit)),
            (size, limit) => size.or(limit),
        };
        let samples = facts.map_or(0, |facts| u64::from(facts.samples));
        let best = self.ports.boards.leader(sweep.experiment).await?;
        Ok(SweepView { sweep, totals, total, samples, best })
    }

    async fn catalog(&self) -> Result<Catalog, StoreError> {
        Catalog::load(&*self.ports.endpoints, &*self.ports.settings).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), SweepError> {
        let landed = self.ports.journal.commit(commit).await;
        self.ports.bell.ring();
        match landed {
            Ok(_) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(CommitError::SweepActive) => Err(SweepError::Active),
            Err(CommitError::Conflict) => Err(SweepError::Busy),
        }
    }
}

/// Finds out whether a sweep of an experiment could start with these endpoints.
///
/// # Errors
/// Why it could not.
pub fn check(catalog: &Catalog, definition: &Definition, request: &SweepRequest) -> Result<(), SweepError> {
    check_start(definition.space(), request.kind, request.limits.max_runs)?;
    let mut problems = catalog.check(definition);
    problems.extend(catalog.unbounded(definition, &request.limits));
    if problems.is_empty() { Ok(()) } else { Err(SweepError::Problems(problems)) }
}

/// A seed nobody chose.
fn made_up_seed(id: SweepId) -> u64 {
    u64::try_from(id.bits() & u128::from(u64::MAX >> 11)).unwrap_or_default()
}
