//! The task of a call.

use domain::call::ChatCall;

use super::dice::Dice;
use super::skill::Skill;
use super::{classify, extract, prompt, summarise};

/// A task that the simulation supports, with the text that it is about.
pub(super) enum Task {
    /// Select the best label.
    Classify { labels: Vec<String>, item: String },
    /// Find the value of each key.
    Extract { keys: Vec<String>, item: String },
    /// Summarize, or answer a question from the text.
    Summarise { limit: summarise::Limit, item: String, question: Option<String> },
}

/// The task of a call: extraction if it asks for JSON, classification if it lists labels, otherwise a summary.
pub(super) fn of(call: &ChatCall) -> Task {
    let item = prompt::item(call);
    let keys = prompt::keys(call);
    if !keys.is_empty() {
        return Task::Extract { keys, item };
    }
    let labels = prompt::labels(call);
    if labels.len() > 1 {
        return Task::Classify { labels, item };
    }
    let question = prompt::question(call, &item);
    Task::Summarise { limit: summarise::Limit::of(call), item, question }
}

impl Task {
    /// The text that the task is about.
    pub(super) fn item(&self) -> &str {
        match self {
            Self::Classify { item, .. } | Self::Extract { item, .. } | Self::Summarise { item, .. } => item,
        }
    }

    /// The answer with this skill.
    pub(super) fn answer(&self, skill: &Skill, dice: &mut Dice) -> String {
        match self {
            Self::Classify { labels, item } => classify::answer(labels, item, skill, dice),
            Self::Extract { keys, item } => extract::answer(keys, item, skill, dice),
            Self::Summarise { limit, item, question } => {
                summarise::answer(*limit, (item, question.as_deref()), skill, dice)
            }
        }
    }
}
