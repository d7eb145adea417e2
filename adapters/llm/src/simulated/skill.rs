//! The quality of a model's answer to a call.

use domain::call::{ChatCall, ResponseFormat, Role};

use super::dice::{Dice, temperature};

/// The models of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Small,
    Medium,
    Large,
}

impl Model {
    pub(super) const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "sim-small",
            Self::Medium => "sim-medium",
            Self::Large => "sim-large",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.as_str() == name)
    }

    /// The least milliseconds of its answers.
    pub(super) const fn pace(self) -> f64 {
        match self {
            Self::Small => 5.0,
            Self::Medium => 9.0,
            Self::Large => 15.0,
        }
    }

    /// Its error rate, for an average prompt at the best temperature.
    const fn slips(self) -> f64 {
        match self {
            Self::Small => 0.28,
            Self::Medium => 0.15,
            Self::Large => 0.08,
        }
    }

    /// How often it adds chat, if the prompt does not forbid it.
    const fn chats(self) -> f64 {
        match self {
            Self::Small => 0.45,
            Self::Medium => 0.3,
            Self::Large => 0.2,
        }
    }

    /// How far its judgements are off at most, on a scale from 0 to 1.
    pub(super) const fn misjudges(self) -> f64 {
        match self {
            Self::Small => 0.18,
            Self::Medium => 0.1,
            Self::Large => 0.05,
        }
    }

    /// How often it puts a code fence around JSON.
    pub(super) const fn fences(self) -> f64 {
        match self {
            Self::Small => 0.15,
            Self::Medium => 0.1,
            Self::Large => 0.05,
        }
    }
}

/// Error rates of an answer to one call, from 0 to 1.
pub(super) struct Skill {
    /// Errors in the content.
    pub(super) slip: f64,
    /// Errors in the form.
    pub(super) chat: f64,
    /// Whether the answer begins with reasoning.
    pub(super) thinks_aloud: bool,
}

impl Skill {
    /// The temperature with the fewest errors.
    const BEST_TEMPERATURE: f64 = 0.25;

    /// The skill of a model at a call about this text.
    pub(super) fn of(model: Model, call: &ChatCall, item: &str) -> Self {
        let prompt = Qualities::of(call);
        let heat = 1.0 + 1.5 * (temperature(call) - Self::BEST_TEMPERATURE).powi(2);
        let difficulty = 0.4 + 1.2 * Dice::of(item, "difficulty").unit();
        let form = if call.response_format == ResponseFormat::Text { 1.0 } else { 0.0 };
        Self {
            slip: (model.slips() * heat * difficulty * prompt.slips()).min(0.9),
            chat: (model.chats() * heat * prompt.chats() * form).min(0.9),
            thinks_aloud: prompt.thinks && !prompt.terse,
        }
    }
}

/// Helpful properties of a prompt.
#[expect(clippy::struct_excessive_bools, reason = "they are as independent as they look")]
struct Qualities {
    /// It asks for the answer only.
    terse: bool,
    /// It contains examples.
    examples: bool,
    /// It defines its terms.
    definitions: bool,
    /// It asks for reasoning first.
    thinks: bool,
    /// It assigns a role.
    persona: bool,
}

impl Qualities {
    fn of(call: &ChatCall) -> Self {
        let text: String =
            call.messages.iter().map(|message| message.content.to_ascii_lowercase() + "\n").collect();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let bullets = text.lines().filter(|line| line.trim_start().starts_with(['-', '*'])).count();
        Self {
            terse: says(&["one word", "single word", "only", "nothing else", "no explanation", "exactly"]),
            examples: says(&["example", "for instance", "->", "=>"])
                || call.messages.iter().any(|message| message.role == Role::Assistant),
            definitions: says(&["means ", "definition", "is about", "covers "]) || bullets >= 3,
            thinks: says(&["step by step", "think carefully", "reason about", "explain your"]),
            persona: says(&["you are a"]),
        }
    }

    fn slips(&self) -> f64 {
        let helped = |is: bool, factor: f64| if is { factor } else { 1.0 };
        helped(self.examples, 0.6)
            * helped(self.definitions, 0.7)
            * helped(self.thinks, 0.75)
            * helped(self.persona, 0.93)
    }

    fn chats(&self) -> f64 {
        let terse = if self.terse { 0.12 } else { 1.0 };
        terse * if self.examples { 0.5 } else { 1.0 }
    }
}
