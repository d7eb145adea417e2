//! Runs an experiment file's sweep from start to winner.

mod report;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use application::catalog::Catalog;
use application::digest::sha256;
use application::engine::Engine;
use application::experiments::ExperimentError;
use application::model_defaults::ModelDefaults;
use application::ports::{
    Clock as _, EndpointStore as _, ExperimentStore as _, StoreError, StoredSweep, SweepStore as _,
};
use application::sweeps::{self, SweepRequest, SweepView};
use domain::access::Writer;
use domain::call::Digest;
use domain::endpoint::{Endpoint, EndpointKind};
use domain::experiment::Definition;
use domain::id::{ExperimentId, SweepId};
use domain::sweep::{Command, SweepStatus};
use system::SystemClock;

use self::report::RunReport;
use crate::cli::{Format, RunOptions};
use crate::commands::demo::system;
use crate::document::Document;
use crate::failure::Failure;
use crate::preflight;
use crate::progress::{ProgressDisplay, Screen};
use crate::settings::Settings;
use crate::stop::{self, Signal};
use crate::wiring::Wired;

/// How often progress is shown.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// The least time between two looks for the sweep's end: at first, and while the bell does not stop ringing.
const MIN_POLL_GAP: Duration = Duration::from_millis(1);
const MAX_POLL_GAP: Duration = Duration::from_millis(20);

/// The project that experiments from files belong to.
pub(crate) const PROJECT: &str = "cli";

pub(crate) async fn run(settings: &Settings, screen: &Screen, options: RunOptions) -> Result<(), Failure> {
    let mut document = Document::read(&options.file)?;
    let formats = formats(&options)?;
    let definition = document.definition.clone();
    check_gates(&options, &definition)?;
    let samples = document.draft.samples.len() as u64;

    let wired = Wired::new(settings).await?;
    document.request = *wired.sweeps.capped(document.request);
    let catalog = wired.catalog_with(&document.endpoints).await?;
    sweeps::check(&catalog, &definition, &document.request).map_err(|error| refusal(&options, error))?;
    if !options.no_check {
        preflight::check(&*wired.ports.servers, &catalog, &definition, screen).await?;
    }
    if catalog
        .calls(&definition)
        .iter()
        .any(|(endpoint, _)| endpoint.identity.kind == EndpointKind::Simulated)
    {
        screen.say("note: endpoint `simulated` is a built-in simulation: its answers come from rules, not from a model");
    }
    let begun = wired.begin(document).await?;
    if begun.continued {
        screen.say(&resuming(&wired.sweeps.view(begun.sweep).await.map_err(Failure::error)?));
    }

    let (view, stopped_by) = conduct(&wired, screen, begun.sweep, samples).await?;
    let is_interrupted = stopped_by == Some(Signal::Interrupt);
    let report =
        RunReport { wired: &wired, options: &options, experiment: begun.experiment, view, is_interrupted };
    report.print(screen, &formats).await
}

fn resuming(view: &SweepView) -> String {
    let of = view.total.map(|total| format!(" of {total}")).unwrap_or_default();
    format!("Resuming the unfinished sweep ({}{of} runs done)", view.totals.ended())
}

/// The format of each output, and whether there is a place for it, before anything is done for it.
fn formats(options: &RunOptions) -> Result<Vec<Format>, Failure> {
    let format = |file: &std::path::PathBuf| {
        if file.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            return Err(Failure::errors(&file.display(), ["there is no such folder: create it first"]));
        }
        Format::of(file).ok_or_else(|| {
            let advice = "--output takes files that end in .json, .yaml, .env, .md, .csv or .jsonl, not";
            Failure::Usage(format!("{advice} {}", file.display()))
        })
    };
    options.output.iter().map(format).collect()
}

fn check_gates(options: &RunOptions, definition: &Definition) -> Result<(), Failure> {
    let scorers: Vec<&str> = definition.scoring().iter().map(|entry| entry.name.as_str()).collect();
    options.gate.iter().try_for_each(|gate| gate.check(&scorers)).map_err(Failure::Usage)
}

fn refusal(options: &RunOptions, error: sweeps::SweepError) -> Failure {
    match error {
        sweeps::SweepError::Problems(problems) => Failure::errors(&options.file.display(), problems),
        other => Failure::errors(&options.file.display(), [other]),
    }
}

/// The experiment that a file stands for.
pub(crate) struct StoredFile {
    pub(crate) experiment: ExperimentId,
    /// It was not there before.
    pub(crate) is_new: bool,
}

/// A sweep that runs.
struct StartedSweep {
    experiment: ExperimentId,
    sweep: SweepId,
    continued: bool,
}

impl Wired {
    /// The endpoints there are, with those of a file as they would be stored, and the settings' defaults.
    async fn catalog_with(&self, endpoints: &[Endpoint]) -> Result<Catalog, Failure> {
        let mut all = self.stores.all().await.map_err(Failure::error)?;
        for endpoint in endpoints {
            let mut endpoint = endpoint.clone();
            if let Some(known) = all.iter().position(|known| known.label == endpoint.label) {
                endpoint = endpoint.in_place_of(all.swap_remove(known));
            }
            all.push(endpoint);
        }
        let defaults = ModelDefaults::load(&*self.stores).await.map_err(Failure::error)?;
        Ok(Catalog::new(all, defaults))
    }

    /// Stores what a document describes: its endpoints, and the experiment it stands for.
    pub(crate) async fn store(&self, by: &Writer, document: Document) -> Result<StoredFile, Failure> {
        let catalog = self.catalog_with(&document.endpoints).await?;
        let digest = digest(&document, &catalog);
        for endpoint in document.endpoints {
            self.stores.put(endpoint).await.map_err(Failure::error)?;
        }
        let project = self.experiments.project(by, PROJECT).await.map_err(Failure::error)?;
        let known = self.stores.by_document(project, digest).await.map_err(Failure::error)?;
        let experiment = self.experiments.of_document(by, project, digest, document.draft).await;
        let experiment = experiment.map_err(|error| match error {
            ExperimentError::Problems(problems) => Failure::errors(&document.name, problems),
            ExperimentError::Store(error) => Failure::error(error),
        })?;
        Ok(StoredFile { experiment, is_new: known.is_none() })
    }

    /// Stores what the document describes, and starts its sweep or goes on with the one that is not over.
    async fn begin(&self, document: Document) -> Result<StartedSweep, Failure> {
        let by = &system()?;
        let request = document.request;
        let experiment = self.store(by, document).await?.experiment;
        let latest = self.sweeps.latest(experiment).await.map_err(Failure::error)?;
        if let Some(unfinished) = latest.filter(|sweep| !sweep.status.is_over()) {
            if same(&unfinished, &request) {
                self.sweeps.go_on(by, unfinished.id, request.limits).await.map_err(Failure::error)?;
                return Ok(StartedSweep { experiment, sweep: unfinished.id, continued: true });
            }
            self.sweeps.command(by, unfinished.id, Command::Stop).await.map_err(Failure::error)?;
        }
        let sweep = self
            .sweeps
            .start(by, experiment, self.sweeps.capped(request), None)
            .await
            .map_err(Failure::error)?;
        Ok(StartedSweep { experiment, sweep, continued: false })
    }
}

/// What an experiment from a file is known by: its document and the servers that it asks. What was measured at one server says
/// nothing of another, even if both have had the same label.
fn digest(document: &Document, catalog: &Catalog) -> Digest {
    let calls = catalog.calls(&document.definition);
    let servers: BTreeSet<(&str, &str)> = calls
        .iter()
        .map(|(endpoint, _)| (endpoint.identity.kind.as_str(), endpoint.identity.url.as_str()))
        .collect();
    sha256(&format!("{} {servers:?}", document.digest))
}

/// Whether an unfinished sweep is the one that a file asks for. Its limits may have changed.
fn same(sweep: &StoredSweep, request: &SweepRequest) -> bool {
    sweep.kind == request.kind && request.seed.is_none_or(|seed| seed == sweep.seed)
}

/// Works on the sweep until it is over, pauses, or somebody stops this process, with the signal that did.
async fn conduct(
    wired: &Wired,
    screen: &Screen,
    sweep: SweepId,
    samples: u64,
) -> Result<(SweepView, Option<Signal>), Failure> {
    let engine = wired.engine(Some(sweep));
    let watching = async {
        let watched = watch(wired, screen, sweep, samples, &engine).await;
        engine.stop();
        watched
    };
    let (worked, watched) = tokio::join!(engine.run(), watching);
    worked.map_err(Failure::error)?;
    let stopped_by = watched?;
    Ok((wired.sweeps.view(sweep).await.map_err(Failure::error)?, stopped_by))
}

async fn watch(
    wired: &Wired,
    screen: &Screen,
    sweep: SweepId,
    samples: u64,
    engine: &Arc<Engine>,
) -> Result<Option<Signal>, Failure> {
    let first = wired.sweeps.view(sweep).await.map_err(Failure::error)?;
    let mut progress = ProgressDisplay::new(screen, samples, SystemClock.now(), first.totals.samples);
    let (mut stop, mut stopped_by) = (Box::pin(stop::asked()), None);
    loop {
        if let Some((view, best)) = look(wired, sweep).await? {
            progress.show(&view, best, SystemClock.now());
            if view.sweep.status != SweepStatus::Running {
                break;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(SHOW_EVERY) => {}
            () = rests(wired, sweep) => {}
            asked = &mut stop => {
                stopped_by = Some(asked.map_err(Failure::error)?);
                screen.say("stopping: calls in flight are stored first; press Ctrl-C again to stop at once");
                engine.stop();
                break;
            }
        }
    }
    progress.finish();
    Ok(stopped_by)
}

/// Returns once the sweep no longer runs. Whoever ends or pauses it rings the bell.
async fn rests(wired: &Wired, sweep: SweepId) {
    let mut gap = MIN_POLL_GAP;
    loop {
        let seen = wired.ports.bell.rings();
        match wired.stores.sweep(sweep).await {
            Ok(Some(stored)) if stored.status == SweepStatus::Running => {}
            Ok(_) => return,
            // The next look says so.
            Err(_) => std::future::pending().await,
        }
        tokio::time::sleep(gap).await;
        gap = (2 * gap).min(MAX_POLL_GAP);
        wired.ports.bell.rung_after(seen).await;
    }
}

/// The sweep and its best score; `None` while the database is away, which the engine waits for too.
async fn look(wired: &Wired, sweep: SweepId) -> Result<Option<(SweepView, Option<f64>)>, Failure> {
    let view = match wired.sweeps.view(sweep).await {
        Err(sweeps::SweepError::Store(StoreError::Unavailable(_))) => return Ok(None),
        view => view.map_err(Failure::error)?,
    };
    let best = view.best.as_ref().and_then(|best| best.score);
    Ok(Some((view, best)))
}
