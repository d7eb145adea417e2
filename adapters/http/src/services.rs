//! The use cases that the server offers.

use std::sync::Arc;

use application::accounts::Accounts;
use application::endpoints::Endpoints;
use application::estimate::Estimates;
use application::experiments::Experiments;
use application::exports::Exports;
use application::feed::Feed;
use application::leaderboard::Leaderboards;
use application::live::Live;
use application::ports::{Clock, EventStore, IdempotencyStore};
use application::preview::Previews;
use application::projects::Projects;
use application::runs::Runs;
use application::sweeps::Sweeps;

/// Everything that requests can ask for.
#[expect(missing_docs, reason = "each use case says what it is")]
pub struct Services {
    pub accounts: Arc<Accounts>,
    pub projects: Projects,
    pub experiments: Experiments,
    pub previews: Previews,
    pub estimates: Estimates,
    pub sweeps: Arc<Sweeps>,
    pub runs: Runs,
    pub exports: Exports,
    pub leaderboards: Arc<Leaderboards>,
    pub endpoints: Endpoints,
    pub live: Live,
    pub feed: Arc<Feed>,
    pub events: Arc<dyn EventStore>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub clock: Arc<dyn Clock>,
}
