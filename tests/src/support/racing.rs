//! A guide that races trials against each other, and an engine with it. It tests that sweeps can learn, and is not
//! part of the product.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::engine;
use application::ports::{Clock, FormatChecker};
use async_trait::async_trait;
use domain::scoring::{Format, Judgement};
use domain::strategy::{Guide, History, Proposal, Reason, Step, Trial, TrialState, Work, guide};
use domain::sweep::SweepKind;
use llm::{HttpServices, Servers, SimulatedServer};
use outbound::{AddressPolicy, Client};
use persistence::Stores;
use queue::LocalBell;
use system::{BlockingThreads, SystemChance, SystemClock, SystemIds, TokioTasks, TokioTimer};

/// The numbers of samples after which the better half continues and the rest is pruned.
const RUNGS: [usize; 3] = [3, 6, 12];

/// How long the slow guide computes: longer than the lease of [`engine_settings`].
pub const THINKING: Duration = Duration::from_millis(2_500);

/// The seed of sweeps whose guide panics.
pub const BROKEN_SEED: u64 = 13;

/// Successive halving over all points of a space. A rung is judged when all remaining trials have reached it, so that
/// the decision does not depend on their order of arrival.
#[derive(Debug, Clone, Copy)]
pub struct Halving;

impl Guide for Halving {
    fn propose(&self, history: &History<'_>, _want: usize) -> Proposal {
        assert_ne!(history.seed, BROKEN_SEED, "a planted defect");
        let trials = history.trials;
        let new = (history.asked..).map_while(|trial| {
            let point = history.space.point(u128::from(trial))?;
            Some(Step::Evaluate(Work { trial, point, up_to: RUNGS[0], why: "first rung" }))
        });
        let mut steps: Vec<Step> = new.collect();
        let racing: Vec<(u64, &Trial)> =
            (0..).zip(trials).filter(|(_, trial)| trial.state == TrialState::Open).collect();
        if steps.is_empty() && racing.iter().any(|(_, trial)| trial.is_pending()) {
            return Proposal::Wait;
        }
        if steps.is_empty() {
            steps = halve(racing, history.samples);
        }
        if steps.is_empty() { Proposal::Done(Reason::Converged) } else { Proposal::Steps(steps) }
    }

    fn learns(&self) -> bool {
        true
    }
}

/// The better half continues to the next rung, and from the last one to all samples. At the last rung the others are
/// completed rather than pruned.
fn halve(mut racing: Vec<(u64, &Trial)>, samples: usize) -> Vec<Step> {
    racing.sort_by(|(a, one), (b, other)| mean(other).total_cmp(&mean(one)).then(b.cmp(a)));
    let Some((_, leader)) = racing.first().copied() else { return Vec::new() };
    let keep = racing.len().div_ceil(2);
    let next = RUNGS.into_iter().find(|rung| *rung > leader.asked);
    let step = |(rank, (trial, of)): (usize, (u64, &Trial))| {
        if rank < keep {
            Step::Evaluate(Work {
                trial,
                point: of.point.clone(),
                up_to: next.unwrap_or(samples),
                why: "ahead",
            })
        } else if next.is_none() {
            Step::Complete { trial }
        } else {
            Step::Prune { trial, diff: mean(of) - mean(leader) }
        }
    };
    racing.into_iter().enumerate().map(step).collect()
}

fn mean(trial: &Trial) -> f64 {
    trial.scores.iter().sum::<f64>() / trial.scores.len() as f64
}

/// The same guide, but it computes for a long time.
#[derive(Debug, Clone, Copy)]
struct Slow;

/// The seeds of the sweeps that it is computing for.
static THINKING_NOW: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

fn thinking_now() -> MutexGuard<'static, BTreeSet<u64>> {
    THINKING_NOW.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guide for Slow {
    fn propose(&self, history: &History<'_>, want: usize) -> Proposal {
        assert!(thinking_now().insert(history.seed), "asked twice at once");
        std::thread::sleep(THINKING);
        thinking_now().remove(&history.seed);
        Halving.propose(history, want)
    }

    fn learns(&self) -> bool {
        true
    }
}

/// Grids race, shuffled ones slowly. Random sweeps use the product's own guide.
#[must_use]
pub fn guides(kind: SweepKind) -> Box<dyn Guide> {
    match kind {
        SweepKind::Grid { shuffle: false } => Box::new(Halving),
        SweepKind::Grid { shuffle: true } => Box::new(Slow),
        SweepKind::Random => guide(kind),
    }
}

/// Racing experiments have no formats to check.
struct NoFormats;

#[async_trait]
impl FormatChecker for NoFormats {
    async fn check(&self, _: &Format, _: &str) -> Result<Judgement, String> {
        Err("there are no formats here".to_owned())
    }
}

/// The ports of an engine with these guides, over real stores and the real HTTP client.
///
/// # Errors
/// Where there is no HTTP client to be had.
pub fn ports(stores: &Arc<Stores>) -> Result<engine::Ports, outbound::Error> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let client = Client::new(AddressPolicy::endpoints())?;
    Ok(engine::Ports {
        boards: stores.clone(),
        facts: stores.clone(),
        standings: stores.clone(),
        bell: Arc::new(LocalBell::new()),
        calls: stores.clone(),
        chance: Arc::new(SystemChance),
        clock: Arc::clone(&clock),
        endpoints: stores.clone(),
        experiments: stores.clone(),
        fetch: Arc::new(HttpServices::new(client.clone(), Arc::clone(&clock))),
        formats: Arc::new(NoFormats),
        guides,
        ids: Arc::new(SystemIds),
        journal: stores.clone(),
        log: stores.clone(),
        offload: Arc::new(BlockingThreads::default()),
        runs: stores.clone(),
        servers: Arc::new(Servers::new(&client, &clock, SimulatedServer::new(0.0))),
        rates: stores.clone(),
        rescorings: stores.clone(),
        settings: stores.clone(),
        slots: stores.clone(),
        sweeps: stores.clone(),
        tasks: Arc::new(TokioTasks),
        thinking: Arc::new(BlockingThreads::default()),
        timer: Arc::new(TokioTimer),
        workers: stores.clone(),
    })
}

/// The settings of such an engine, with short leases.
#[must_use]
pub fn engine_settings() -> engine::Settings {
    let lease = Duration::from_secs(1);
    engine::Settings { lease, poll: lease / 4, ..engine::Settings::default() }
}
