//! What has happened, for timelines and listeners.

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
    /// A sweep came to its end.
    ExperimentCompleted = "experiment.completed",
    /// A sweep was paused, or paused itself.
    ExperimentPaused = "experiment.paused",
    /// A paused sweep goes on.
    ExperimentResumed = "experiment.resumed",
    /// A sweep was ended by a person.
    ExperimentStopped = "experiment.stopped",
    /// A run was claimed for the first time.
    RunStarted = "run.started",
    /// A run came to its end.
    RunCompleted = "run.completed",
    /// A run came to nothing.
    RunFailed = "run.failed",
    /// A run was ended early because it was behind.
    RunPruned = "run.pruned",
    /// A run has taken its samples through a stage.
    StageCompleted = "stage.completed",
    /// A run had answers from the cache.
    CacheHit = "cache.hit",
    /// A run took the lead.
    NewBestFound = "new_best_found",
    /// A budget is used up.
    BudgetExhausted = "budget.exhausted",
    /// A person is asked for.
    HumanNeeded = "human_needed",
}

impl EventType {
    /// The type with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// Particulars by name; those that are not known, written as null, are left out.
#[must_use]
pub fn known<const N: usize>(data: [(&str, Value); N]) -> Map {
    let known = data.into_iter().filter(|(_, value)| *value != Value::Null);
    known.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An event that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The experiment it belongs to.
    pub experiment: Option<ExperimentId>,
    /// What happened.
    pub kind: EventType,
    /// Who did it, where it was somebody.
    pub by: Option<String>,
    /// Its particulars.
    pub data: Map,
}

impl NewEvent {
    /// An event of an experiment; particulars that are not known, written as null, are left out.
    #[must_use]
    pub fn new<const N: usize>(experiment: ExperimentId, kind: EventType, data: [(&str, Value); N]) -> Self {
        Self { experiment: Some(experiment), kind, by: None, data: known(data) }
    }

    /// The same event, done by somebody.
    #[must_use]
    pub fn by(mut self, who: Option<&Writer>) -> Self {
        self.by = who.map(|who| who.name().to_owned());
        self
    }
}

/// A stored event: sequence is commit order over the whole installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in commit order.
    pub seq: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// What it says.
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
