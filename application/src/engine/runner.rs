//! Executes one run: sample by sample through the stages, block by block into the journal.

mod stretch;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::endpoint::Endpoint;
use domain::pipeline::Pipeline;
use domain::run::tally::{Ending, ResumedScores, Tally};
use domain::sample::Sample;
use domain::service::ServiceOrigin;
use futures::future::{FusedFuture, FutureExt as _, OptionFuture};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use self::stretch::Stretch;
use super::caller::{Blocked, Caller};
use super::ending::Announcement;
use super::examination::{Attempt, EvaluatedSample, Examination};
use super::loaded::LoadedExperiment;
use super::sample_cache::LoadedSample;
use crate::catalog::Catalog;
use crate::ports::{
    ClaimedRun, Commit, CommitError, ExperimentStore, Journal, Receipt, RunEnding, RunStore, StoreError,
    Timer,
};

/// Samples that are committed together, at most.
const BLOCK_SAMPLES: u32 = 64;

/// Stage results that are committed together, at most, unless one sample has more.
const BLOCK_RESULTS: u32 = 1_024;

/// How long a finished sample waits for its block to fill up, so that a slow run shows progress.
const FLUSH_PARTIAL_BLOCK_AFTER: Duration = Duration::from_secs(1);

/// How long to wait before a database that did not answer is asked again.
const RETRY_STORE_AFTER: Duration = Duration::from_millis(500);

/// Samples of a block, each of which has so many results.
fn block_samples(results: u32) -> u32 {
    (BLOCK_RESULTS / results.max(1)).clamp(1, BLOCK_SAMPLES)
}

/// The outcome of executing a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunOutcome {
    /// Every sample asked for is done.
    Finished,
    /// It has to be released.
    GivenBack(Blocked),
    /// Another worker has it now.
    Lost,
}

/// What a run is executed with.
pub(super) struct Prepared {
    /// Its experiment.
    pub loaded: Arc<LoadedExperiment>,
    /// Its configuration.
    pub pipeline: Pipeline,
    /// The endpoint of each stage's calls; `None` where it calls no model.
    pub endpoints: Vec<Option<Arc<Endpoint>>>,
    /// The endpoints that its scorers can ask; empty where they ask none.
    pub catalog: Catalog,
}

/// The ports that a runner uses.
#[derive(Clone)]
pub(super) struct Ports {
    /// Gives samples.
    pub experiments: Arc<dyn ExperimentStore>,
    /// Takes blocks.
    pub journal: Arc<dyn Journal>,
    /// Knows what an interrupted run had stored.
    pub runs: Arc<dyn RunStore>,
    /// Waits.
    pub timer: Arc<dyn Timer>,
}

/// One run in execution.
pub(super) struct Runner {
    ports: Ports,
    caller: Arc<Caller>,
    run: ClaimedRun,
    loaded: Arc<LoadedExperiment>,
    pipeline: Arc<Pipeline>,
    endpoints: Vec<Option<Arc<Endpoint>>>,
    catalog: Catalog,
    /// Repeats of samples that are worked on concurrently.
    ahead: usize,
    /// Samples that are committed together.
    block: u32,
    halt: Arc<AtomicBool>,
}

/// One repetition of a sample that is to be examined.
struct Repetition {
    index: u32,
    repeat: u32,
    sample: LoadedSample,
}

/// Every repetition of these samples, in order; each is made when it is its turn.
fn repetitions(
    samples: Vec<(u32, LoadedSample)>,
    repeats: u32,
) -> impl Iterator<Item = Result<Repetition, Blocked>> {
    samples.into_iter().flat_map(move |(index, sample)| {
        let each = (1..).zip(std::iter::repeat_n(sample, repeats as usize));
        each.map(move |(repeat, sample)| Ok(Repetition { index, repeat, sample }))
    })
}

impl Runner {
    /// A runner for a claimed run. `halt` tells it to begin nothing more.
    #[must_use]
    pub(super) fn new(
        ports: Ports,
        caller: Arc<Caller>,
        run: ClaimedRun,
        prepared: Prepared,
        halt: Arc<AtomicBool>,
    ) -> Self {
        let Prepared { loaded, pipeline, endpoints, catalog } = prepared;
        let of_endpoints = endpoints.iter().flatten().map(|endpoint| endpoint.limits.concurrency.get());
        let of_services = pipeline.calls_services().then_some(ServiceOrigin::CONCURRENCY);
        let concurrency = of_endpoints.chain(of_services).max();
        let ahead = if run.alone { 1 } else { 2 * concurrency.unwrap_or(1) as usize };
        let stages = u32::try_from(pipeline.stages().len()).unwrap_or(u32::MAX);
        let block = block_samples(stages.saturating_mul(loaded.definition().repeats()));
        let pipeline = Arc::new(pipeline);
        Self { ports, caller, run, loaded, pipeline, endpoints, catalog, ahead, block, halt }
    }

    /// Executes the run from its last block to its end, or until it has to be released. Calls in flight are always waited
    /// for, so that nothing paid is lost.
    ///
    /// # Errors
    /// A store that fails.
    pub(super) async fn execute(self) -> Result<RunOutcome, StoreError> {
        let resumed = match self.run.done {
            0 => ResumedScores::default(),
            _ => self.ports.runs.resumed(self.run.lease.run).await?,
        };
        let mut tally = Tally::resume(self.loaded.scorers().len(), resumed);
        match self.blocks(&mut tally).await {
            Ok(()) => Ok(RunOutcome::Finished),
            Err(StopReason::Blocked(Blocked::Store(error))) => Err(error),
            Err(StopReason::Blocked(blocked)) => Ok(RunOutcome::GivenBack(blocked)),
            Err(StopReason::Lost) => Ok(RunOutcome::Lost),
        }
    }

    /// Examines samples ahead while blocks are being committed, one commit at a time.
    async fn blocks(&self, tally: &mut Tally) -> Result<(), StopReason> {
        let mut samples = self.samples().fuse();
        let mut commit = std::pin::pin!(OptionFuture::from(None).fuse());
        let mut stretch = Stretch::default();
        let (mut at, mut no) = (self.run.done, self.run.blocks);
        let mut patience = std::pin::pin!(OptionFuture::from(None).fuse());
        let (mut stopped, mut overdue) = (None, false);
        loop {
            futures::select_biased! {
                landed = commit => landed_or_stop(landed, &self.halt, &mut stopped),
                passed = patience => overdue = passed.is_some(),
                examined = samples.next() => match examined {
                    None => break,
                    Some(Err(blocked)) => self.stop(StopReason::Blocked(blocked), &mut stopped),
                    Some(Ok(examined)) => {
                        if stretch.len() == 0 {
                            patience.set(OptionFuture::from(Some(self.ports.timer.sleep(FLUSH_PARTIAL_BLOCK_AFTER))).fuse());
                            overdue = false;
                        }
                        stretch.samples.push(examined);
                    }
                },
            }
            let full = stretch.len() == self.block || at + stretch.len() == self.run.asked;
            if (full || overdue && commit.is_terminated()) && stopped.is_none() && stretch.len() > 0 {
                if !commit.is_terminated() {
                    landed_or_stop(commit.as_mut().await, &self.halt, &mut stopped);
                }
                at += stretch.len();
                let next = self.next_commit(std::mem::take(&mut stretch), at, no, tally);
                commit.set(OptionFuture::from(Some(self.ports.journal.commit(next))).fuse());
                no += 1;
            }
        }
        if !commit.is_terminated() {
            landed_or_stop(commit.await, &self.halt, &mut stopped);
        }
        stopped.map_or(Ok(()), Err)
    }

    fn stop(&self, why: StopReason, stopped: &mut Option<StopReason>) {
        self.halt.store(true, Ordering::Relaxed);
        // The first reason is the cause; later ones follow from the stop.
        stopped.get_or_insert(why);
    }

    /// Every sample that is left, examined, in order. Repetitions of samples go side by side.
    fn samples(&self) -> impl stream::Stream<Item = Result<EvaluatedSample, Blocked>> + Unpin {
        let starts = (self.run.done..self.run.asked).step_by(self.block as usize);
        let end = self.run.asked;
        let loaded = stream::iter(starts)
            .then(move |start| self.load(start..start.saturating_add(self.block).min(end)));
        let repeats = self.loaded.definition().repeats();
        let repetitions = loaded.flat_map(move |block| match block {
            Ok(samples) => stream::iter(repetitions(samples, repeats)).left_stream(),
            Err(blocked) => stream::iter([Err(blocked)]).right_stream(),
        });
        let attempts = repetitions.map(|repetition| self.examine(repetition)).buffered(self.ahead);
        let samples = attempts.try_chunks(repeats as usize);
        Box::pin(samples.map(|attempts| attempts.map(EvaluatedSample::of).map_err(|stopped| stopped.1)))
    }

    async fn load(&self, range: Range<u32>) -> Result<Vec<(u32, LoadedSample)>, Blocked> {
        if self.halt.load(Ordering::Relaxed) {
            return Err(Blocked::Stopping);
        }
        let indices = self.loaded.order(range).ok_or_else(|| {
            let detail = "this run asks for more samples than its experiment has".to_owned();
            Blocked::Store(StoreError::Corrupt(detail))
        })?;
        if let Some(kept) = self.loaded.samples().all(indices) {
            return Ok(kept);
        }
        let samples = self.read(indices).await.map_err(Blocked::Store)?;
        let each = indices.iter().zip(samples);
        let samples: Vec<_> =
            each.map(|(index, sample)| (*index, LoadedSample::new(sample, *index))).collect();
        self.loaded.samples().keep(&samples);
        Ok(samples)
    }

    /// Reads samples; a database that is away is waited for.
    async fn read(&self, indices: &[u32]) -> Result<Vec<Sample>, StoreError> {
        loop {
            match self.ports.experiments.samples(self.loaded.sample_set(), indices).await {
                Err(StoreError::Unavailable(_)) if !self.halt.load(Ordering::Relaxed) => {
                    self.ports.timer.sleep(RETRY_STORE_AFTER).await;
                }
                read => return read,
            }
        }
    }

    async fn examine(&self, repetition: Result<Repetition, Blocked>) -> Result<Attempt, Blocked> {
        let Repetition { index, repeat, sample } = repetition?;
        let examination = Examination {
            caller: &self.caller,
            run: &self.run,
            loaded: &self.loaded,
            pipeline: &self.pipeline,
            endpoints: &self.endpoints,
            catalog: &self.catalog,
            halt: &self.halt,
        };
        examination.attempt(index, repeat, sample).await
    }

    fn next_commit(&self, stretch: Stretch, upto: u32, no: u32, tally: &mut Tally) -> Commit {
        let mut block = stretch.into_block(&self.run, upto, no, tally);
        let mut events = Vec::new();
        if upto == self.run.asked && self.run.is_final {
            let told = Announcement::of(&self.run);
            events = told.summary(&self.loaded.stage_names(), upto, tally.calls());
            let end = self.loaded.end(std::mem::take(tally), Ending::Completed { of: upto });
            events.extend(end.error().map(|error| told.failed(error)));
            let completed = end.error().is_none().then(|| told.completed(&end));
            block.ending = Some(RunEnding { completed, lead: told.lead(&end), end });
        }
        Commit { block: Some(block), events, ..Commit::default() }
    }
}

/// Why a run stops committing blocks before its end.
#[derive(Debug)]
enum StopReason {
    Blocked(Blocked),
    Lost,
}

fn landed_or_stop(
    landed: Option<Result<Receipt, CommitError>>,
    halt: &AtomicBool,
    stopped: &mut Option<StopReason>,
) {
    let why = match landed {
        None | Some(Ok(_)) => return,
        Some(Err(CommitError::Store(error))) => StopReason::Blocked(Blocked::Store(error)),
        Some(Err(CommitError::Conflict | CommitError::SweepActive)) => StopReason::Lost,
    };
    halt.store(true, Ordering::Relaxed);
    stopped.get_or_insert(why);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_bounded_by_samples_and_by_results() {
        for (results, samples) in [(0, 64), (1, 64), (16, 64), (17, 60), (1_000, 1), (5_000, 1)] {
            assert_eq!(block_samples(results), samples, "{results} results a sample");
        }
    }
}
