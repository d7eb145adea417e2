//! The engine of one process: executes runs and conducts sweeps, beside any number of others on the same database.

mod caller;
mod conductor;
mod ending;
mod examination;
mod executor;
mod gate;
mod loaded;
mod pulse;
mod rescoring;
mod run_answers;
mod runner;
mod sample_cache;
mod scorer_calls;
mod settings;
mod standings;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::{ExperimentId, RunId, WorkerId};
use futures::future::{BoxFuture, Either, FutureExt as _, join_all, select};
use thiserror::Error;

pub(crate) use self::caller::{Blocked, CallAnswer, Destination};
use self::caller::{CallRequest, Caller};
use self::executor::ActiveRun;
use self::loaded::{LoadedExperiment, LoadedExperiments};
pub use self::rescoring::RatingRefusal;
pub use self::settings::Settings;
pub use crate::ports::{EnginePorts as Ports, Guides};
use crate::ports::{ExperimentForm, Panicked, RunLease, StoreError};
use crate::scoring;
use crate::sweeps::Sweeps;
use crate::walk::HashedCall;

/// How soon an engine that could not register tries again.
const REGISTER_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How long the shutdown waits for the database.
const RETIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// The engine of one process.
pub struct Engine {
    ports: Ports,
    settings: Settings,
    worker: WorkerId,
    caller: Arc<Caller>,
    sweeps: Sweeps,
    held: Mutex<HashMap<RunId, ActiveRun>>,
    loaded: LoadedExperiments,
    /// Runs that could not be released yet, and how long each is to rest.
    left_over: Mutex<Vec<(RunLease, Duration)>>,
    stopping: AtomicBool,
}

/// Why an engine ended before it was told to.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The database refuses this process, or something could not be released at the end.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One of its loops panicked.
    #[error("a part of the engine ended: {0}")]
    Panicked(#[from] Panicked),
}

impl Engine {
    /// An engine that has not started.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings, worker: WorkerId) -> Self {
        let calling = caller::Ports {
            calls: Arc::clone(&ports.calls),
            journal: Arc::clone(&ports.journal),
            servers: Arc::clone(&ports.servers),
            fetch: Arc::clone(&ports.fetch),
            endpoints: Arc::clone(&ports.endpoints),
            slots: Arc::clone(&ports.slots),
            rates: Arc::clone(&ports.rates),
            clock: Arc::clone(&ports.clock),
            timer: Arc::clone(&ports.timer),
            chance: Arc::clone(&ports.chance),
        };
        Self {
            caller: Arc::new(Caller::new(calling, worker)),
            sweeps: Sweeps::new(crate::sweeps::Ports::of_engine(&ports)),
            ports,
            settings,
            worker,
            held: Mutex::default(),
            loaded: LoadedExperiments::default(),
            left_over: Mutex::default(),
            stopping: AtomicBool::new(false),
        }
    }

    /// Runs until [`stop`](Self::stop) is called, then stores the calls in flight, releases everything and returns.
    ///
    /// # Errors
    /// Where the database refuses this process, something cannot be given back at the end, or a loop of the engine breaks down.
    pub async fn run(self: &Arc<Self>) -> Result<(), EngineError> {
        if !self.register().await? {
            return Ok(());
        }
        let [executor, conductor, heart, keeper, ranker, rescorer] =
            std::array::from_fn(|_| Arc::clone(self));
        let mut loops = vec![
            self.supervised(async move { heart.until_ended(heart.keep_alive()).await }.boxed()),
            self.supervised(async move { keeper.until_ended(keeper.look_after()).await }.boxed()),
        ];
        if self.settings.executes {
            loops.push(self.supervised(async move { executor.execute().await }.boxed()));
            loops.push(self.supervised(async move { conductor.conduct().await }.boxed()));
            loops.push(self.supervised(async move { ranker.keep_standings().await }.boxed()));
            loops.push(self.supervised(async move { rescorer.rescore().await }.boxed()));
        }
        let ended = join_all(loops).await;
        self.release_left_over().await?;
        self.retire().await;
        ended.into_iter().collect::<Result<(), Panicked>>().map_err(EngineError::from)
    }

    /// Registers this worker, waiting for a database that does not answer. `false` if the engine is stopped meanwhile.
    async fn register(&self) -> Result<bool, StoreError> {
        loop {
            let sent = self.ports.clock.now();
            let registered = self.ports.workers.register(self.worker, self.settings.lease);
            let Either::Left((registered, _)) = select(registered, self.stopped()).await else {
                return Ok(false);
            };
            match registered {
                Ok(()) => {
                    self.caller.alive_until(sent.after(self.settings.lease), false);
                    return Ok(true);
                }
                Err(StoreError::Unavailable(reason)) => {
                    tracing::warn!(reason, "the engine cannot begin yet");
                    self.ports.timer.sleep(REGISTER_AGAIN_AFTER).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes this worker, so that others need not wait for its lease to expire. A database that does not answer is not
    /// waited for.
    async fn retire(&self) {
        let retired = self.ports.workers.retire(self.worker);
        match select(retired, self.ports.timer.sleep(RETIRE_TIMEOUT)).await {
            Either::Left((Ok(()), _)) => {}
            Either::Left((Err(error), _)) => tracing::warn!(%error, "others learn of the end by the lease"),
            Either::Right(_) => {
                tracing::warn!("the database does not answer: others learn of the end by the lease");
            }
        }
    }

    /// Answers calls outside any run, in their order: from the cache, or by making them within the limits of where they go.
    pub(crate) async fn answer_apart(
        &self,
        calls: Vec<HashedCall>,
        to: &Destination,
    ) -> Result<Vec<CallAnswer>, StoreError> {
        if let Destination::Endpoint(endpoint) = to {
            self.caller.read_breaker(endpoint.id).await?;
        }
        let requests = calls.into_iter().map(|call| CallRequest {
            call,
            to: to.clone(),
            payer: None,
            sweep: None,
            reserve: None,
            halt: Arc::default(),
        });
        Ok(self.caller.answer_all(requests.collect()).await)
    }

    /// Runs a loop in a task of its own. If it panics, the other loops are stopped.
    async fn supervised(&self, task: BoxFuture<'static, ()>) -> Result<(), Panicked> {
        let ended = self.ports.tasks.start(task).await;
        if let Err(panicked) = &ended {
            tracing::error!(%panicked, "a part of the engine ended: the engine stops");
            self.stop();
        }
        ended
    }

    /// Releases claims and runs whose release failed before.
    async fn release_left_over(&self) -> Result<(), StoreError> {
        self.caller.release_left_over().await?;
        let left_over = std::mem::take(&mut *self.left_over());
        for (at, (lease, wait)) in left_over.iter().enumerate() {
            if let Err(error) = self.ports.runs.release(*lease, *wait).await {
                self.left_over().extend_from_slice(&left_over[at..]);
                return Err(error);
            }
        }
        Ok(())
    }

    fn left_over(&self) -> std::sync::MutexGuard<'_, Vec<(RunLease, Duration)>> {
        self.left_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts nothing more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.halt(|_| true);
        self.caller.stop();
        self.ports.bell.ring();
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Returns once the engine is to stop.
    fn stopped(&self) -> BoxFuture<'_, ()> {
        self.once(Self::is_stopping)
    }

    /// Returns once a condition holds whose changes ring the bell.
    fn once(&self, holds: fn(&Self) -> bool) -> BoxFuture<'_, ()> {
        async move {
            loop {
                let seen = self.ports.bell.rings();
                if holds(self) {
                    return;
                }
                self.ports.bell.rung_after(seen).await;
            }
        }
        .boxed()
    }

    /// An experiment of this form, from memory or the store. If it has changed since, its current form.
    async fn load(
        &self,
        experiment: ExperimentId,
        form: ExperimentForm,
    ) -> Result<Option<Arc<LoadedExperiment>>, StoreError> {
        if let Some(loaded) = self.loaded.get(experiment, form) {
            return Ok(Some(loaded));
        }
        let Some(stored) = self.ports.experiments.experiment(experiment).await? else { return Ok(None) };
        let ports = scoring::Ports::of_engine(&self.ports);
        Ok(Some(self.loaded.keep(LoadedExperiment::new(stored, ports))))
    }
}
