//! What is decided of sweeps and their runs.

use domain::call::Digest;
use domain::id::{ExperimentId, RunId, SweepId};
use domain::sweep::{SweepKind, SweepLimits, SweepStatus};

use crate::ports::{RunConfig, RunEnding};

/// What a sweep's conductor decided of its trials after it had asked the guide once.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The sweep.
    pub sweep: SweepId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// The conductor's lease of it.
    pub epoch: i64,
    /// The version that the decision rests on; launching does not change it.
    pub version: i64,
    /// How many such decisions the sweep had before this one.
    pub ask: u64,
    /// The last block that the guide had been told of; 0 where it does not learn.
    pub seen: u64,
    /// Runs of new trials, in the order of these. The first trial is the next that the sweep has not begun.
    pub new: Vec<NewRun>,
    /// Runs that go on.
    pub extend: Vec<Extension>,
    /// Runs that end with the samples that they have.
    pub end: Vec<DecidedEnd>,
}

/// A run that goes on to more samples.
#[derive(Debug, Clone)]
pub struct Extension {
    /// Its trial.
    pub trial: u64,
    /// The run, which is not over.
    pub run: RunId,
    /// Samples asked for, more than before.
    pub asked: u32,
    /// Its worker ends it when it has them.
    pub is_final: bool,
    /// Why, in a stable word.
    pub why: String,
}

/// The end of a run by decision, which is refused unless the run has just these samples and nobody works on it.
#[derive(Debug, Clone)]
pub struct DecidedEnd {
    /// Its trial.
    pub trial: u64,
    /// The run.
    pub run: RunId,
    /// The samples that it has, all of those that it was asked for.
    pub done: u32,
    /// How far it was behind the leader, where that is why it ends.
    pub diff: Option<f64>,
    /// Its end.
    pub ending: RunEnding,
}

/// A run to be made.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id, where its configuration is new to the sweep.
    pub id: RunId,
    /// The trial that asked for it, from 0.
    pub trial: u64,
    /// The SHA-256 of its configuration's canonical text.
    pub config_hash: Digest,
    /// Its configuration as it is stored.
    pub config: RunConfig,
    /// Samples asked for.
    pub asked: u32,
    /// Its worker ends it when it has them; else it rests until it is decided that it goes on or ends.
    pub is_final: bool,
    /// Why its configuration was chosen, in a stable word.
    pub why: String,
}

/// A run of its own, outside any sweep.
#[derive(Debug, Clone)]
pub struct SingleRun {
    /// Its id.
    pub id: RunId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// The revision of the experiment that it was configured from.
    pub revision: i64,
    /// The SHA-256 of its configuration's canonical text.
    pub config_hash: Digest,
    /// Its configuration as it is stored.
    pub config: RunConfig,
    /// Samples asked for.
    pub asked: u32,
}

/// A sweep that begins.
#[derive(Debug, Clone)]
pub struct NewSweep {
    /// Its id.
    pub id: SweepId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// The revision of the experiment that was checked for it.
    pub revision: i64,
    /// Its strategy.
    pub kind: SweepKind,
    /// The seed of its random choices.
    pub seed: u64,
    /// Its limits.
    pub limits: SweepLimits,
}

/// A sweep's change of status. Pending and running runs are given back with `recall`, and cancelled with `cancel`.
#[derive(Debug, Clone)]
pub struct SweepMove {
    /// The sweep.
    pub sweep: SweepId,
    /// Its experiment, whose status follows.
    pub experiment: ExperimentId,
    /// The version that the decision rests on; the move makes it one higher.
    pub version: i64,
    /// The new status.
    pub status: SweepStatus,
    /// Take running runs away from their workers.
    pub recall: bool,
    /// End every run that is not over.
    pub cancel: bool,
    /// New limits, where they change with it.
    pub limits: Option<SweepLimits>,
}
