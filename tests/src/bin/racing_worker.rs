//! A worker whose guide races: `racing_worker DATABASE EXPERIMENT [slow | broken]`. It starts a sweep of the
//! experiment if there is none, and works until the sweep has ended. The database is a folder, or the URL of a
//! PostgreSQL.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use application::engine::Engine;
use application::ports::{Ids as _, SweepStore};
use application::sweeps::{self, SweepError, SweepRequest, Sweeps};
use domain::access::{Actor, Scope};
use domain::id::{ExperimentId, SweepId, WorkerId};
use domain::secret::Secret;
use domain::sweep::{SweepKind, SweepLimits};
use persistence::{Database, Stores};
use promptlooper_tests::support::home::SECRET_KEY;
use promptlooper_tests::support::racing;
use security::SecretVault;
use system::SystemIds;

type Failed = Box<dyn Error>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [database, experiment, rest @ ..] = words.as_slice() else {
        return Err("racing_worker DATABASE EXPERIMENT [slow | broken]".into());
    };
    let experiment: ExperimentId = experiment.parse().map_err(|_| "no experiment")?;
    let stores = Arc::new(stores(database).await?);
    let ports = racing::ports(&stores)?;
    let sweeps = Sweeps::new(sweeps::Ports::of_engine(&ports));
    let sweep = begin(&sweeps, experiment, request(rest)).await?;
    let engine = Engine::new(ports, racing::engine_settings(), WorkerId::new(SystemIds.next()));
    let engine = Arc::new(engine);
    let working = engine.run();
    let (worked, looked) = tokio::join!(working, async {
        let looked = until_over(&*stores, sweep).await;
        engine.stop();
        looked
    });
    worked?;
    looked
}

async fn stores(database: &str) -> Result<Stores, Failed> {
    let opened = if database.contains("://") {
        Database::postgres(database).await?
    } else {
        Database::sqlite(Path::new(database)).await?
    };
    let vault = SecretVault::from_text(&Secret::new(SECRET_KEY))?;
    Ok(opened.stores(Arc::new(vault)).await?)
}

fn request(words: &[String]) -> SweepRequest {
    let is = |word: &str| words.iter().any(|given| given == word);
    let seed = if is("broken") { racing::BROKEN_SEED } else { 7 };
    let kind = SweepKind::Grid { shuffle: is("slow") };
    SweepRequest { kind, seed: Some(seed), limits: SweepLimits::default() }
}

/// The experiment's sweep, which is started if there is none.
async fn begin(sweeps: &Sweeps, experiment: ExperimentId, request: SweepRequest) -> Result<SweepId, Failed> {
    let by = Actor::key("racing".to_owned(), Scope::Write).writer().map_err(|_| "no right to write")?;
    if let Some(latest) = sweeps.latest(experiment).await? {
        return Ok(latest.id);
    }
    match sweeps.start(&by, experiment, sweeps.capped(request), None).await {
        // Another worker has started it.
        Err(SweepError::Active) => Ok(sweeps.latest(experiment).await?.ok_or("no sweep")?.id),
        begun => Ok(begun?),
    }
}

async fn until_over(stores: &dyn SweepStore, sweep: SweepId) -> Result<(), Failed> {
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    loop {
        if stores.sweep(sweep).await?.ok_or("the sweep is gone")?.status.is_over() {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
