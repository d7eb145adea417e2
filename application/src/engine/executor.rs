//! Claims runs and executes them, as many at once as this process may.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::endpoint::Endpoint;
use domain::id::{RunId, SweepId};
use domain::run::{ErrorKind, RunEnd, RunError};
use domain::sweep::Interruption;
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::FuturesUnordered;

use super::caller::Blocked;
use super::ending::Announcement;
use super::runner::{self, Prepared, RunOutcome, Runner};
use super::{Engine, loaded::LoadedExperiment};
use crate::catalog::Catalog;
use crate::ports::{Breaker, ClaimedRun, Commit, CommitError, RunClaim, RunLease, StoreError, started};

/// A run that this process executes.
pub(super) struct ActiveRun {
    pub(super) lease: RunLease,
    pub(super) sweep: Option<SweepId>,
    pub(super) halt: Arc<AtomicBool>,
}

/// The runs in execution, each in a task of its own.
#[derive(Default)]
struct Executing {
    tasks: FuturesUnordered<BoxFuture<'static, ()>>,
    /// Whether the one run in execution was claimed to be executed alone.
    alone: bool,
}

/// How long a run rests that was released because the store failed.
const RETRY_RUN_AFTER: Duration = Duration::from_secs(5);

/// Workers that may be lost on a run executed alone before it is failed.
const LOSSES: u32 = 3;

impl Engine {
    /// Claims and executes runs until the engine stops; then waits for the calls in flight and releases the runs.
    pub(super) async fn execute(self: &Arc<Self>) {
        let mut executing = Executing::default();
        loop {
            let seen = self.ports.bell.rings();
            if self.is_stopping() {
                while executing.tasks.next().await.is_some() {}
                return;
            }
            let full = self.claim(&mut executing).await;
            self.next_work(seen, full, &mut executing).await;
        }
    }

    /// Claims runs up to the concurrency limit. Returns whether there may be more.
    async fn claim(self: &Arc<Self>, executing: &mut Executing) -> bool {
        let mut free = self.settings.concurrent_runs.saturating_sub(executing.tasks.len());
        if executing.tasks.is_empty() {
            let suspects = self.claimed(1, true).await;
            executing.alone = !suspects.is_empty();
            self.begin(suspects, executing);
        }
        if executing.alone {
            free = 0;
        }
        if free == 0 {
            return true;
        }
        let claimed = self.claimed(free, false).await;
        let full = claimed.len() == free;
        self.begin(claimed, executing);
        full
    }

    async fn claimed(&self, want: usize, alone: bool) -> Vec<ClaimedRun> {
        let (lease, only) = (self.settings.lease, self.settings.only);
        let claim = RunClaim { by: self.worker, want, lease, only, alone };
        self.ports.runs.claim(claim).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "runs could not be claimed");
            Vec::new()
        })
    }

    /// Starts runs that were claimed.
    fn begin(self: &Arc<Self>, claimed: Vec<ClaimedRun>, executing: &mut Executing) {
        for run in claimed {
            let engine = Arc::clone(self);
            executing.tasks.push(async move { engine.hold(run).await }.boxed());
        }
    }

    /// Waits until there may be something to claim: a run ended, the bell rang, or the poll is due.
    async fn next_work(&self, seen: u64, full: bool, executing: &mut Executing) {
        let mut look = self.ports.timer.sleep(self.settings.poll).fuse();
        let mut stopping = self.stopped().fuse();
        if full {
            futures::select! {
                () = executing.tasks.select_next_some() => {}
                () = look => {}
                () = stopping => {}
            }
        } else {
            let mut rung = self.ports.bell.rung_after(seen).fuse();
            futures::select! {
                () = executing.tasks.select_next_some() => {}
                _ = rung => {}
                () = look => {}
                () = stopping => {}
            }
        }
    }

    /// Executes a run in a task of its own while its lease is renewed. A run that panics is failed: it would panic in any
    /// process.
    async fn hold(self: &Arc<Self>, run: ClaimedRun) {
        let (lease, sweep) = (run.lease, run.sweep);
        let halt = Arc::new(AtomicBool::new(self.is_stopping()));
        self.held().insert(lease.run, ActiveRun { lease, sweep, halt: Arc::clone(&halt) });
        let (engine, performed) = (Arc::clone(self), run.clone());
        let task = async move { engine.perform(performed, halt).await };
        let outcome = match started(&*self.ports.tasks, task).await {
            // What is stored contradicts itself, and will go on doing so.
            Ok(Err(StoreError::Corrupt(reason))) => {
                self.fail(&run, run_error(ErrorKind::Corrupt, reason)).await
            }
            Ok(Ok(RunOutcome::GivenBack(Blocked::Misconfigured(error)))) => self.fail(&run, error).await,
            Ok(outcome) => outcome,
            Err(panicked) => {
                tracing::error!(run = %lease.run, %panicked, "a run broke down");
                self.fail(
                    &run,
                    run_error(ErrorKind::Internal, format!("executing it broke down: {}", panicked.0)),
                )
                .await
            }
        };
        self.conclude(&run, outcome).await;
        self.held().remove(&lease.run);
        self.ports.bell.ring();
    }

    async fn perform(&self, run: ClaimedRun, halt: Arc<AtomicBool>) -> Result<RunOutcome, StoreError> {
        if run.losses_alone >= LOSSES {
            return self.fail(&run, worker_lost()).await;
        }
        let Some(loaded) = self.load(run.experiment, run.form).await? else {
            return Ok(RunOutcome::Lost);
        };
        let prepared = match self.prepare(&run, loaded).await? {
            Ok(prepared) => prepared,
            Err(error) => return self.fail(&run, error).await,
        };
        let ports = runner::Ports {
            experiments: Arc::clone(&self.ports.experiments),
            journal: Arc::clone(&self.ports.journal),
            runs: Arc::clone(&self.ports.runs),
            timer: Arc::clone(&self.ports.timer),
        };
        Runner::new(ports, Arc::clone(&self.caller), run, prepared, halt).execute().await
    }

    /// The run's pipeline and the endpoints of its stages, or why it cannot be executed.
    async fn prepare(
        &self,
        run: &ClaimedRun,
        loaded: Arc<LoadedExperiment>,
    ) -> Result<Result<Prepared, RunError>, StoreError> {
        let mut endpoints = Vec::with_capacity(run.config.stages.len());
        for (stage, binding) in run.config.stages.iter().enumerate() {
            let Some(binding) = binding else {
                endpoints.push(None);
                continue;
            };
            match self.ports.endpoints.endpoint(binding.endpoint).await? {
                Some(endpoint) if endpoint.identity == binding.identity => {
                    self.caller.read_breaker(endpoint.id).await?;
                    endpoints.push(Some(Arc::new(endpoint)));
                }
                changed => return Ok(Err(endpoint_error(&loaded, stage, changed.as_ref()))),
            }
        }
        let catalog = self.scorer_catalog(&loaded).await?;
        let pipeline = loaded.pipeline(&run.config);
        Ok(pipeline.map(|pipeline| Prepared { loaded, pipeline, endpoints, catalog }))
    }

    /// The endpoints that an experiment's scorers can ask, as they are now; none where they ask none.
    pub(super) async fn scorer_catalog(&self, loaded: &LoadedExperiment) -> Result<Catalog, StoreError> {
        if !loaded.may_ask_models() {
            return Ok(Catalog::default());
        }
        let catalog = Catalog::load(&*self.ports.endpoints, &*self.ports.settings).await?;
        for endpoint in catalog.asked_by(loaded.definition().scoring()) {
            self.caller.read_breaker(endpoint.id).await?;
        }
        Ok(catalog)
    }

    /// Ends a run that cannot be executed at all.
    async fn fail(&self, run: &ClaimedRun, error: RunError) -> Result<RunOutcome, StoreError> {
        let mut block = crate::ports::Block::empty(run.lease, run.sweep, run.blocks, run.done);
        let event = Announcement::of(run).failed(&error);
        block.ending = Some(RunEnd::failed(error).into());
        match self
            .ports
            .journal
            .commit(Commit { block: Some(block), events: vec![event], ..Commit::default() })
            .await
        {
            Ok(_) => Ok(RunOutcome::Finished),
            Err(CommitError::Store(error)) => Err(error),
            Err(_) => Ok(RunOutcome::Lost),
        }
    }

    /// Releases a run if it has to be.
    async fn conclude(&self, run: &ClaimedRun, outcome: Result<RunOutcome, StoreError>) {
        let wait = match outcome {
            Ok(RunOutcome::Finished) if run.is_final => return,
            // It may have been asked for more since it was claimed.
            Ok(RunOutcome::Finished | RunOutcome::Lost) => Duration::ZERO,
            Ok(RunOutcome::GivenBack(blocked)) => match self.blocked(run, blocked).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(run = %run.lease.run, %error, "why a run came back could not be told");
                    RETRY_RUN_AFTER
                }
            },
            Err(error) => {
                tracing::warn!(run = %run.lease.run, %error, "a run was interrupted");
                RETRY_RUN_AFTER
            }
        };
        if let Err(error) = self.ports.runs.release(run.lease, wait).await {
            tracing::warn!(run = %run.lease.run, %error, "a run could not be given back; it will be tried again");
            self.left_over().push((run.lease, wait));
        }
    }

    /// Interrupts the sweep for the reason that a run was released. Returns how long the run rests. A single run fails
    /// instead.
    async fn blocked(&self, run: &ClaimedRun, blocked: Blocked) -> Result<Duration, StoreError> {
        let interruption = match blocked {
            Blocked::Stopping | Blocked::Misconfigured(_) | Blocked::Store(_) => return Ok(Duration::ZERO),
            Blocked::Postponed(wait) => return Ok(wait),
            Blocked::Budget => Interruption::BudgetExhausted,
            Blocked::Endpoint(Breaker { kind, reason }) => {
                tracing::warn!(reason, "an endpoint refuses every call");
                if run.sweep.is_none() {
                    self.fail(run, run_error(kind.into(), reason)).await?;
                }
                Interruption::EndpointBroken
            }
        };
        match run.sweep {
            Some(sweep) => self.sweeps.observe(sweep, &interruption).await.map(|()| Duration::ZERO),
            None => Ok(RETRY_RUN_AFTER),
        }
    }

    /// The runs this process executes, by id.
    pub(super) fn held(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, ActiveRun>> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Tells runs to start nothing more.
    pub(super) fn halt(&self, which: impl Fn(&ActiveRun) -> bool) {
        for held in self.held().values().filter(|held| which(held)) {
            held.halt.store(true, Ordering::Relaxed);
        }
    }
}

const fn run_error(kind: ErrorKind, message: String) -> RunError {
    RunError { kind, message, stage: None, sample: None }
}

fn worker_lost() -> RunError {
    let message = format!(
        "{LOSSES} times the process that executed this run ended while it executed nothing else: look at the memory that it \
         may use, and at what is special about this configuration"
    );
    run_error(ErrorKind::WorkerLost, message)
}

fn endpoint_error(loaded: &LoadedExperiment, stage: usize, now: Option<&Endpoint>) -> RunError {
    let message = match now {
        None => "its endpoint has been removed since the run was made".to_owned(),
        Some(endpoint) => format!(
            "the URL of endpoint `{}` has changed since the run was made: start a new sweep",
            endpoint.label
        ),
    };
    let stage = loaded.stage_names().get(stage).map(|name| (*name).to_owned());
    RunError { kind: ErrorKind::EndpointChanged, message, stage, sample: None }
}
