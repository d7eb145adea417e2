//! Serves a sample project on the built-in simulation, for whoever wants to see what this is.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use application::accounts::Credentials;
use application::ports::AccountStore as _;
use application::services::Services;
use application::sweeps::SweepRequest;
use domain::access::{Actor, Writer};
use domain::id::{ExperimentId, UserId};
use domain::sweep::SweepStatus;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::serve::{listen, serve, url};
use crate::document::Document;
use crate::failure::Failure;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::wiring::Wired;

const TRIAGE: &str = include_str!("../../examples/support-triage.yaml");
const TICKETS: &[u8] = include_bytes!("../../examples/support-tickets.csv");
const RETRIEVAL: &str = include_str!("../../examples/handbook-questions.yaml");
const PROJECT: &str = "Demo";
const USERNAME: &str = "demo";
/// The simulation answers about as fast as a hosted model would, so that there is something to watch.
const PACE: f64 = 15.0;
/// The sweep waits so long for somebody to watch it.
const WATCHER_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_millis(100);

pub(crate) async fn run(settings: Settings, screen: &Screen) -> Result<(), Failure> {
    let settings = Settings {
        // Nothing of this gets into a database that is used in earnest.
        data_dir: settings.data_dir.join("demo"),
        database_url: None,
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        simulated_pace: PACE,
        ..settings
    };
    let listener = free_listener(&settings, screen).await?;
    let address = listener.local_addr().map_err(Failure::error)?;
    let wired = Wired::listening(&settings, Some(address)).await?;
    let engine = wired.engine(None);
    let services = Arc::new(wired.services(&settings, &engine).await?);
    let by = system()?;
    let triage = sample(&wired, &by, Document::built_in("support-triage.yaml", TRIAGE, TICKETS)?).await?;
    let retrieval =
        sample(&wired, &by, Document::built_in("handbook-questions.yaml", RETRIEVAL, &[])?).await?;
    let code = security::fresh_code().map_err(Failure::error)?;
    services.accounts.admit(&code, account(&wired, &services).await?);
    let address = url(address);
    screen.say(
        "The sample project runs on a built-in simulation: its answers come from rules, not from a model.",
    );
    screen.say(
        "Open this link to watch a sweep of 30 configurations; it logs you in for as long as this runs:",
    );
    screen.say(&format!(
        "\n  {address}/login?once={}&next=/experiments/{}\n",
        code.expose(),
        triage.experiment
    ));
    screen.say(&format!("Its data is in {}. Ctrl-C stops.", settings.data_dir.display()));
    let sweeping = sweep_in_turn(&wired, &services, &by, [triage, retrieval]);
    let (served, begun) = tokio::join!(serve(&settings, engine, Arc::clone(&services), listener), sweeping);
    served.and(begun)
}

/// The usual port, or any where that is taken.
async fn free_listener(settings: &Settings, screen: &Screen) -> Result<TcpListener, Failure> {
    match listen(settings.host, settings.port).await {
        Ok(listener) => Ok(listener),
        Err(_) => {
            screen.say(&format!("port {} is taken: another one is used", settings.port));
            listen(settings.host, 0).await
        }
    }
}

/// Whoever starts this program on their own machine may do everything in it.
pub(crate) fn system() -> Result<Writer, Failure> {
    #[expect(clippy::disallowed_methods, reason = "this is the program's own start")]
    Actor::system().writer().map_err(Failure::error)
}

/// The demo's account, whose password nobody knows.
async fn account(wired: &Wired, services: &Services) -> Result<UserId, Failure> {
    if let Some(known) = wired.stores.by_username(USERNAME).await.map_err(Failure::error)? {
        return Ok(known.user.id);
    }
    let password = security::fresh_secret().map_err(Failure::error)?;
    let credentials = Credentials { username: USERNAME.to_owned(), password };
    let session = services.accounts.set_up(credentials).await.map_err(Failure::error)?;
    Ok(session.user.id)
}

/// An experiment of the sample project, with its sweep.
#[derive(Clone, Copy)]
struct SampleExperiment {
    experiment: ExperimentId,
    request: SweepRequest,
}

async fn sample(wired: &Wired, by: &Writer, document: Document) -> Result<SampleExperiment, Failure> {
    let request = document.request;
    let project = wired.experiments.project(by, PROJECT).await.map_err(Failure::error)?;
    let experiment = wired.experiments.of_document(by, project, document.digest, document.draft).await;
    Ok(SampleExperiment { experiment: experiment.map_err(Failure::error)?, request })
}

/// Starts the first sweep once somebody watches, or after a while, and the next one once it no longer runs. One that is not over
/// is not started again.
async fn sweep_in_turn(
    wired: &Wired,
    services: &Services,
    by: &Writer,
    samples: [SampleExperiment; 2],
) -> Result<(), Failure> {
    let begun = Instant::now();
    while !services.feed.has_listeners() && begun.elapsed() < WATCHER_TIMEOUT {
        if services.feed.is_stopping() {
            return Ok(());
        }
        sleep(POLL_EVERY).await;
    }
    for SampleExperiment { experiment, request } in samples {
        if status(wired, experiment).await?.is_none_or(SweepStatus::is_over) {
            let started = wired.sweeps.start(by, experiment, wired.sweeps.capped(request), None).await;
            started.map_err(Failure::error)?;
        }
        while status(wired, experiment).await? == Some(SweepStatus::Running) {
            if services.feed.is_stopping() {
                return Ok(());
            }
            sleep(POLL_EVERY).await;
        }
    }
    Ok(())
}

/// The status of an experiment's newest sweep. One that was interrupted goes on by itself.
async fn status(wired: &Wired, experiment: ExperimentId) -> Result<Option<SweepStatus>, Failure> {
    let latest = wired.sweeps.latest(experiment).await.map_err(Failure::error)?;
    Ok(latest.map(|sweep| sweep.status))
}
