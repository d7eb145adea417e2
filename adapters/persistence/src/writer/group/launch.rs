//! Stores what a conductor decided of a sweep's trials: new runs, runs that go on, runs that end.

use std::collections::{BTreeMap, BTreeSet};

use application::ports::{DecidedEnd, Extension, Launch, NewRun, RunConfig, SingleRun};
use domain::call::Digest;
use domain::event::NewEvent;
use domain::id::{ExperimentId, RunId, SweepId};
use domain::run::RunEnd;
use domain::value::Value;
use sea_orm::{ConnectionTrait, DbErr};

use super::end;
use crate::batch::Rows;
use crate::columns::Column;
use crate::deltas::Delta;
use crate::dialect::{
    Session, corrupt, id, json, maybe_id, maybe_real, maybe_text, maybe_whole, raw_json, text, whole,
};
use crate::figures;
use crate::rows::Row;

/// Each decision of a sweep is stored once.
const LAUNCH: &str = "UPDATE sweep SET asked = asked + $4, asks = asks + 1 \
     WHERE id = $1 AND epoch = $2 AND version = $3 AND asks = $5 AND status = 'running'";

const DUPLICATES: &str = "UPDATE sweep SET duplicates = duplicates + $2 WHERE id = $1";

/// The run that had a configuration first.
const FIRST: &str = "SELECT id FROM run WHERE sweep_id = $1 AND config_hash = $2";

const EXTEND: &str =
    "UPDATE run SET asked = $2, final = $3 WHERE id = $1 AND completed_at IS NULL AND asked < $2";

/// The run still has the samples that its end rests on, and has no more to take.
const RESTING: &str = "UPDATE run SET lease_epoch = lease_epoch + 1 \
     WHERE id = $1 AND completed_at IS NULL AND done = $2 AND asked = $2";

/// The run of its own is made from what its experiment still is.
const UNCHANGED: &str = "SELECT id FROM experiment WHERE id = $1 AND revision = $2 {for share}";

/// What a launch came to.
pub(super) struct LaunchReceipt {
    /// The new trials that have no run of their own.
    pub(super) duplicates: Vec<u64>,
    /// What listeners are told of runs that ended.
    pub(super) told: Vec<NewEvent>,
}

/// What becomes of a run that there is.
enum RunStep<'a> {
    Extend(&'a Extension),
    End(&'a DecidedEnd),
}

/// Stores a decision; `None` where the sweep has moved, or a run is not what the decision rests on.
pub(super) async fn launch<C: ConnectionTrait>(
    session: Session<'_, C>,
    launch: &Launch,
    delta: &mut Delta,
) -> Result<Option<LaunchReceipt>, DbErr> {
    let values = vec![
        id(launch.sweep.bits()),
        whole(launch.epoch),
        whole(launch.version),
        whole(launch.new.len() as u64),
        whole(launch.ask),
    ];
    if session.execute(LAUNCH, values).await?.rows_affected() == 0 {
        return Ok(None);
    }
    let duplicates = begin(session, launch).await?;
    let told = go_on(session, launch, delta).await?;
    Ok(told.map(|told| LaunchReceipt { duplicates, told }))
}

/// Makes runs of what is new to the sweep; the trials that are not.
async fn begin<C: ConnectionTrait>(session: Session<'_, C>, launch: &Launch) -> Result<Vec<u64>, DbErr> {
    let row = |run: &NewRun| {
        let origin =
            RunOrigin { experiment: launch.experiment, sweep: Some(launch.sweep), trial: Some(run.trial) };
        run_row(origin, run.id, (run.config_hash, &run.config), (run.asked, run.is_final))
    };
    let rows = launch.new.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let then = "ON CONFLICT (sweep_id, config_hash) DO NOTHING RETURNING id";
    let made = session.insert_rows("run", rows, then).await?;
    let made: BTreeSet<RunId> = made.iter().map(|row| Row(row).run_id("id")).collect::<Result<_, _>>()?;
    let new = launch.new.iter().filter(|run| made.contains(&run.id));
    let values = new.flat_map(|run| figures::value_rows(run.id, launch.experiment, &run.config.values));
    session.insert(Rows { insert: figures::VALUES, then: "", values: values.collect() }).await?;
    let duplicates: Vec<&NewRun> = launch.new.iter().filter(|run| !made.contains(&run.id)).collect();
    let firsts = firsts(session, launch.sweep, &duplicates).await?;
    let trials = launch.new.iter().map(|run| trial_row(launch, run, &firsts)).collect();
    session.insert_rows("trial", trials, "").await?;
    if !duplicates.is_empty() {
        let values = vec![id(launch.sweep.bits()), whole(duplicates.len() as u64)];
        session.execute(DUPLICATES, values).await?;
    }
    Ok(duplicates.iter().map(|run| run.trial).collect())
}

/// The runs that had these configurations first, by the trials that are not new.
async fn firsts<C: ConnectionTrait>(
    session: Session<'_, C>,
    sweep: SweepId,
    duplicates: &[&NewRun],
) -> Result<BTreeMap<u64, u128>, DbErr> {
    let mut firsts = BTreeMap::new();
    for run in duplicates {
        let values = vec![id(sweep.bits()), text(run.config_hash.to_string())];
        if let Some(row) = session.one(FIRST, values).await? {
            firsts.insert(run.trial, Row(&row).id("id")?);
        }
    }
    Ok(firsts)
}

fn trial_row(launch: &Launch, run: &NewRun, firsts: &BTreeMap<u64, u128>) -> [Column; 8] {
    let of = firsts.get(&run.trial).copied().unwrap_or_else(|| run.id.bits());
    [
        ("sweep_id", id(launch.sweep.bits())),
        ("no", whole(run.trial)),
        ("run_id", id(of)),
        ("ask", whole(launch.ask)),
        ("seen_seq", whole(launch.seen)),
        ("upto", whole(run.asked)),
        ("point", json(&Value::Map(run.config.values.clone()))),
        ("why", text(run.why.as_str())),
    ]
}

/// Lets runs go on and ends others, in the order of their ids; what listeners are told of the ends.
async fn go_on<C: ConnectionTrait>(
    session: Session<'_, C>,
    launch: &Launch,
    delta: &mut Delta,
) -> Result<Option<Vec<NewEvent>>, DbErr> {
    let extend = launch.extend.iter().map(|extension| (extension.run, RunStep::Extend(extension)));
    let end = launch.end.iter().map(|end| (end.run, RunStep::End(end)));
    let mut steps: Vec<(RunId, RunStep<'_>)> = extend.chain(end).collect();
    steps.sort_by_key(|(run, _)| *run);
    let mut endings = Vec::new();
    for (_, step) in &steps {
        let taken = match step {
            RunStep::Extend(extension) => extend_run(session, extension).await?,
            RunStep::End(decided) => {
                endings.push((decided.run, &decided.ending));
                is_resting(session, decided).await?
            }
        };
        if !taken {
            return Ok(None);
        }
    }
    launch.end.iter().for_each(|decided| delta.ended(decided.ending.end.status()));
    let told = end::write(session, &endings, Vec::new()).await?;
    let rows = steps.iter().map(|(_, step)| step_row(launch, step)).collect();
    session.insert_rows("trial_step", rows, "").await?;
    Ok(Some(told))
}

async fn extend_run<C: ConnectionTrait>(
    session: Session<'_, C>,
    extension: &Extension,
) -> Result<bool, DbErr> {
    let is_final = whole(i64::from(extension.is_final));
    let values = vec![id(extension.run.bits()), whole(extension.asked), is_final];
    Ok(session.execute(EXTEND, values).await?.rows_affected() > 0)
}

/// Whether the run has just the samples that its end rests on; nobody can go on with it any more then.
async fn is_resting<C: ConnectionTrait>(
    session: Session<'_, C>,
    decided: &DecidedEnd,
) -> Result<bool, DbErr> {
    let values = vec![id(decided.run.bits()), whole(decided.done)];
    Ok(session.execute(RESTING, values).await?.rows_affected() > 0)
}

fn step_row(launch: &Launch, step: &RunStep<'_>) -> [Column; 8] {
    let (trial, upto, end, why): (_, _, Option<(&RunEnd, Option<f64>)>, _) = match step {
        RunStep::Extend(step) => (step.trial, Some(step.asked), None, Some(step.why.clone())),
        RunStep::End(step) => (step.trial, None, Some((&step.ending.end, step.diff)), None),
    };
    [
        ("sweep_id", id(launch.sweep.bits())),
        ("ask", whole(launch.ask)),
        ("trial", whole(trial)),
        ("seen_seq", whole(launch.seen)),
        ("upto", maybe_whole(upto)),
        ("status", maybe_text(end.map(|(end, _)| end.status().as_str().to_owned()))),
        ("diff", maybe_real(end.and_then(|(_, diff)| diff))),
        ("why", maybe_text(why)),
    ]
}

/// Makes a run of its own; `false` where its experiment has changed.
pub(super) async fn insert_single<C: ConnectionTrait>(
    session: Session<'_, C>,
    single: &SingleRun,
) -> Result<bool, DbErr> {
    let experiment = vec![id(single.experiment.bits()), whole(single.revision)];
    if session.one(UNCHANGED, experiment).await?.is_none() {
        return Ok(false);
    }
    let origin = RunOrigin { experiment: single.experiment, sweep: None, trial: None };
    let row = run_row(origin, single.id, (single.config_hash, &single.config), (single.asked, true))?;
    session.insert_rows("run", vec![row], "").await?;
    let values = figures::value_rows(single.id, single.experiment, &single.config.values);
    session.insert(Rows { insert: figures::VALUES, then: "", values }).await?;
    Ok(true)
}

/// What a run is made for.
#[derive(Clone, Copy)]
struct RunOrigin {
    experiment: ExperimentId,
    sweep: Option<SweepId>,
    trial: Option<u64>,
}

fn run_row(
    origin: RunOrigin,
    run: RunId,
    (hash, config): (Digest, &RunConfig),
    (asked, is_final): (u32, bool),
) -> Result<[Column; 9], DbErr> {
    let config = wire::stored::write(&wire::stored::RunConfigDocument::from(config)).map_err(corrupt)?;
    Ok([
        ("id", id(run.bits())),
        ("experiment_id", id(origin.experiment.bits())),
        ("sweep_id", maybe_id(origin.sweep.map(SweepId::bits))),
        ("config_hash", text(hash.to_string())),
        ("config", raw_json(&config)?),
        ("status", text("pending")),
        ("asked", whole(asked)),
        ("final", whole(i64::from(is_final))),
        ("trial", maybe_whole(origin.trial)),
    ])
}
