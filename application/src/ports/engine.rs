use std::sync::Arc;

use domain::strategy::{Guide, SweepKind};

use super::{
    Bell, BoardStore, CallStore, Chance, Clock, EndpointStore, ExperimentStore, FactStore, Fetch,
    FormatChecker, Ids, Journal, ModelServer, Offload, OutcomeLog, RateStore, RescoringStore, RunStore,
    SettingStore, SlotStore, StandingsStore, SweepStore, Tasks, Timer, WorkerStore,
};

/// The guide of a kind of sweep: [`domain::strategy::guide`], or another choice.
pub type Guides = fn(SweepKind) -> Box<dyn Guide>;

/// The ports that the engine uses.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct EnginePorts {
    pub bell: Arc<dyn Bell>,
    pub boards: Arc<dyn BoardStore>,
    pub calls: Arc<dyn CallStore>,
    pub chance: Arc<dyn Chance>,
    pub clock: Arc<dyn Clock>,
    pub endpoints: Arc<dyn EndpointStore>,
    pub experiments: Arc<dyn ExperimentStore>,
    pub facts: Arc<dyn FactStore>,
    pub fetch: Arc<dyn Fetch>,
    pub formats: Arc<dyn FormatChecker>,
    pub guides: Guides,
    pub ids: Arc<dyn Ids>,
    pub journal: Arc<dyn Journal>,
    pub log: Arc<dyn OutcomeLog>,
    pub offload: Arc<dyn Offload>,
    pub rescorings: Arc<dyn RescoringStore>,
    pub runs: Arc<dyn RunStore>,
    pub servers: Arc<dyn ModelServer>,
    pub settings: Arc<dyn SettingStore>,
    pub rates: Arc<dyn RateStore>,
    pub slots: Arc<dyn SlotStore>,
    pub standings: Arc<dyn StandingsStore>,
    pub sweeps: Arc<dyn SweepStore>,
    pub tasks: Arc<dyn Tasks>,
    /// Runs guides that learn on threads of their own, so that a slow one delays nothing else.
    pub thinking: Arc<dyn Offload>,
    pub timer: Arc<dyn Timer>,
    pub workers: Arc<dyn WorkerStore>,
}
