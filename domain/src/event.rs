//! Events, for timelines and listeners.

use crate::access::Writer;
use crate::id::ExperimentId;
use crate::time::Timestamp;
use crate::value::{Map, Value};

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// The types of event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType {
            $($(#[$doc])* $name),+
        }

        impl EventType {
            /// Every type there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

event_types! {
    /// A sweep began.
    ExperimentStarted = "experiment.started",
    /// A sweep reached its own end.
    ExperimentCompleted = "experiment.completed",
    /// A sweep was paused, by a person or by itself.
    ExperimentPaused = "experiment.paused",
    /// A paused sweep was resumed.
    ExperimentResumed = "experiment.resumed",
    /// A person ended a sweep.
    ExperimentStopped = "experiment.stopped",
    /// Ended runs are scored again, because their experiment is scored otherwise since.
    ExperimentRescored = "experiment.rescored",
    /// A run was claimed for the first time.
    RunStarted = "run.started",
    /// A run ended with a score.
    RunCompleted = "run.completed",
    /// A run failed.
    RunFailed = "run.failed",
    /// A run was ended early because it was behind.
    RunPruned = "run.pruned",
    /// A run has processed its samples at a stage.
    StageCompleted = "stage.completed",
    /// A run had answers from the cache.
    CacheHit = "cache.hit",
    /// A run was rated, or given a score from outside.
    ScoreAdded = "score.added",
    /// A run took the lead.
    NewBestFound = "new_best_found",
    /// A budget is used up.
    BudgetExhausted = "budget.exhausted",
    /// A person has to decide.
    HumanNeeded = "human_needed",
}

impl EventType {
    /// The type with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// Data by name, without values that are null.
#[must_use]
pub fn known<const N: usize>(data: [(&str, Value); N]) -> Map {
    let known = data.into_iter().filter(|(_, value)| *value != Value::Null);
    known.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An event to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The experiment it belongs to.
    pub experiment: Option<ExperimentId>,
    /// What happened.
    pub kind: EventType,
    /// The name of the person or program that caused it, if there is one.
    pub by: Option<String>,
    /// Its data.
    pub data: Map,
}

impl NewEvent {
    /// An event of an experiment. Data that are null are left out.
    #[must_use]
    pub fn new<const N: usize>(experiment: ExperimentId, kind: EventType, data: [(&str, Value); N]) -> Self {
        Self { experiment: Some(experiment), kind, by: None, data: known(data) }
    }

    /// The same event, caused by a person or program.
    #[must_use]
    pub fn by(mut self, who: Option<&Writer>) -> Self {
        self.by = who.map(|who| who.name().to_owned());
        self
    }
}

/// A stored event. Its number is its place in the order of commits, over the whole installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in commit order.
    pub seq: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// Its content.
    pub event: NewEvent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for kind in EventType::ALL {
            assert_eq!(EventType::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(EventType::parse("run.exploded"), None);
    }
}
