//! Everything that can be asked for, over whatever protocol.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::endpoints::Endpoints;
use crate::estimate::Estimates;
use crate::experiments::Experiments;
use crate::exports::Exports;
use crate::feed::Feed;
use crate::installation::Installation;
use crate::leaderboard::Leaderboards;
use crate::live::Live;
use crate::once::Once;
use crate::ports::{Clock, EventStore};
use crate::preview::Previews;
use crate::projects::Projects;
use crate::runs::Runs;
use crate::scores::Scores;
use crate::sweeps::Sweeps;

/// The use cases of an installation.
#[expect(missing_docs, reason = "each use case says what it is")]
pub struct Services {
    pub accounts: Arc<Accounts>,
    pub projects: Projects,
    pub experiments: Experiments,
    pub previews: Previews,
    pub estimates: Estimates,
    pub sweeps: Arc<Sweeps>,
    pub runs: Runs,
    pub scores: Scores,
    pub exports: Exports,
    pub leaderboards: Arc<Leaderboards>,
    pub endpoints: Endpoints,
    pub installation: Installation,
    pub live: Live,
    pub feed: Arc<Feed>,
    pub events: Arc<dyn EventStore>,
    pub once: Once,
    pub clock: Arc<dyn Clock>,
}
