//! Claims runs and executes them, as many at once as this process may.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::endpoint::Endpoint;
use domain::id::{RunId, SweepId};
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::FuturesUnordered;

use super::caller::Blocked;
use super::runner::{self, Outcome, Runner, failed_event};
use super::{Engine, loaded::Loaded};
use crate::ports::{ClaimedRun, CommitError, RunEnd, RunError, RunLease, StoreError, Unit};

/// A run that this process executes.
pub(super) struct Held {
    pub(super) lease: RunLease,
    pub(super) sweep: Option<SweepId>,
    pub(super) halt: Arc<AtomicBool>,
}

type Executing<'a> = FuturesUnordered<BoxFuture<'a, RunId>>;

/// How long a run rests that a store's fault gave back.
const REST: Duration = Duration::from_secs(5);

impl Engine {
    /// Claims and executes until the engine stops; then waits for the calls in flight and gives the runs back.
    pub(super) async fn execute(&self) {
        let mut executing: Executing<'_> = FuturesUnordered::new();
        loop {
            let seen = self.ports.bell.rings();
            if self.is_stopping() {
                while executing.next().await.is_some() {}
                return;
            }
            let free = self.settings.concurrent_runs.saturating_sub(executing.len());
            let full = self.claim(free, &mut executing).await;
            self.next_work(seen, full, &mut executing).await;
        }
    }

    /// Claims up to `free` runs; whether it got as many.
    async fn claim<'a>(&'a self, free: usize, executing: &mut Executing<'a>) -> bool {
        if free == 0 {
            return true;
        }
        let claimed = self.ports.runs.claim(self.worker, free, self.settings.lease, self.settings.only);
        let claimed = beside(executing, claimed).await;
        let claimed = claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, "runs could not be claimed");
            Vec::new()
        });
        let full = claimed.len() == free;
        for run in claimed {
            executing.push(self.hold(run).boxed());
        }
        full
    }

    /// Waits until there may be something to claim: a run ended, the bell rang, or it is time to look.
    async fn next_work(&self, seen: u64, full: bool, executing: &mut Executing<'_>) {
        let mut look = self.ports.timer.sleep(self.settings.poll).fuse();
        let mut stopping = self.stopped().fuse();
        if full {
            futures::select! {
                _ = executing.select_next_some() => {}
                () = look => {}
                () = stopping => {}
            }
        } else {
            let mut rung = self.ports.bell.rung_after(seen).fuse();
            futures::select! {
                _ = executing.select_next_some() => {}
                _ = rung => {}
                () = look => {}
                () = stopping => {}
            }
        }
    }

    /// Executes a run while its lease is kept alive, and deals with what it came to.
    async fn hold(&self, run: ClaimedRun) -> RunId {
        let (lease, sweep) = (run.lease, run.sweep);
        let halt = Arc::new(AtomicBool::new(self.is_stopping()));
        self.held().insert(lease.run, Held { lease, sweep, halt: Arc::clone(&halt) });
        let outcome = self.perform(run, halt).await;
        if let Err(error) = self.conclude(lease, sweep, outcome).await {
            tracing::warn!(run = %lease.run, %error, "a run could not be given back; its lease will expire");
        }
        self.held().remove(&lease.run);
        self.ports.bell.ring();
        lease.run
    }

    async fn perform(&self, run: ClaimedRun, halt: Arc<AtomicBool>) -> Result<Outcome, StoreError> {
        let Some(loaded) = self.load(run.experiment).await? else {
            return Ok(Outcome::Lost);
        };
        let prepared = match self.prepare(&run, &loaded).await? {
            Ok(prepared) => prepared,
            Err(error) => return self.fail(&run, error).await,
        };
        let (pipeline, endpoints) = prepared;
        let ports = runner::Ports {
            experiments: Arc::clone(&self.ports.experiments),
            journal: Arc::clone(&self.ports.journal),
            runs: Arc::clone(&self.ports.runs),
            timer: Arc::clone(&self.ports.timer),
        };
        Runner::new(ports, Arc::clone(&self.caller), run, loaded, pipeline, endpoints, halt).execute().await
    }

    /// The run's pipeline and where its stages' calls go, or why it cannot be executed.
    async fn prepare(
        &self,
        run: &ClaimedRun,
        loaded: &Loaded,
    ) -> Result<Result<(domain::pipeline::Pipeline, Vec<Arc<Endpoint>>), RunError>, StoreError> {
        let mut endpoints = Vec::new();
        for (stage, binding) in run.config.stages.iter().enumerate() {
            match self.ports.endpoints.endpoint(binding.endpoint).await? {
                Some(endpoint) if endpoint.identity == binding.identity => {
                    let gate = self.caller.gate(endpoint.id);
                    gate.set_broken(
                        self.ports.endpoints.breaker(endpoint.id).await?.map(|breaker| breaker.reason),
                    );
                    endpoints.push(Arc::new(endpoint));
                }
                changed => return Ok(Err(endpoint_error(loaded, stage, changed.as_ref()))),
            }
        }
        Ok(loaded.pipeline(&run.config).map(|pipeline| (pipeline, endpoints)))
    }

    /// Ends a run that cannot be executed at all.
    async fn fail(&self, run: &ClaimedRun, error: RunError) -> Result<Outcome, StoreError> {
        let mut block = crate::ports::Block::empty(run.lease, run.sweep, run.blocks, run.done);
        let event = failed_event(run, &error);
        block.end = Some(RunEnd::failed(error));
        match self
            .ports
            .journal
            .commit(Unit { block: Some(block), events: vec![event], ..Unit::default() })
            .await
        {
            Ok(_) => Ok(Outcome::Finished),
            Err(CommitError::Store(error)) => Err(error),
            Err(_) => Ok(Outcome::Lost),
        }
    }

    async fn conclude(
        &self,
        lease: RunLease,
        sweep: Option<SweepId>,
        outcome: Result<Outcome, StoreError>,
    ) -> Result<(), StoreError> {
        let wait = match outcome {
            Ok(Outcome::Finished | Outcome::Lost) => return Ok(()),
            Ok(Outcome::GivenBack(blocked)) => self.blocked(sweep, blocked).await?,
            Err(error) => {
                tracing::warn!(run = %lease.run, %error, "a run was interrupted");
                REST
            }
        };
        self.ports.runs.release(lease, wait).await
    }

    /// Tells the sweep why a run came back; how long the run is to rest.
    async fn blocked(&self, sweep: Option<SweepId>, blocked: Blocked) -> Result<Duration, StoreError> {
        let outcome = match blocked {
            Blocked::Stopping | Blocked::Store(_) => return Ok(Duration::ZERO),
            Blocked::Postponed(wait) => return Ok(wait),
            Blocked::Budget => domain::sweep::Outcome::BudgetExhausted,
            Blocked::Endpoint(reason) => {
                tracing::warn!(reason, "an endpoint refuses every call");
                domain::sweep::Outcome::EndpointBroken
            }
        };
        match sweep {
            Some(sweep) => self.sweeps.observe(sweep, outcome).await.map(|()| Duration::ZERO),
            None => Ok(REST),
        }
    }

    /// The runs this process executes, by id.
    pub(super) fn held(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Held>> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Tells runs to begin nothing more.
    pub(super) fn halt(&self, which: impl Fn(&Held) -> bool) {
        for held in self.held().values().filter(|held| which(held)) {
            held.halt.store(true, Ordering::Relaxed);
        }
    }
}

/// Waits for something while the runs in execution go on.
async fn beside<T>(executing: &mut Executing<'_>, wanted: impl Future<Output = T>) -> T {
    let mut wanted = std::pin::pin!(wanted.fuse());
    loop {
        futures::select! {
            came = wanted => return came,
            _ = executing.select_next_some() => {}
        }
    }
}

fn endpoint_error(loaded: &Loaded, stage: usize, now: Option<&Endpoint>) -> RunError {
    let message = match now {
        None => "its endpoint has been removed since the run was made".to_owned(),
        Some(endpoint) => format!(
            "the URL of endpoint `{}` has changed since the run was made: start a new sweep",
            endpoint.label
        ),
    };
    let stage = loaded.stage_names().get(stage).map(|name| (*name).to_owned());
    RunError { kind: "endpoint_changed".to_owned(), message, stage, sample: None }
}
