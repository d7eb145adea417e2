//! Units of text lengths.

use crate::pricing::estimated_tokens;

/// A unit of text lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextUnit {
    /// Unicode scalar values.
    #[default]
    Characters,
    /// Sequences of characters without white space.
    Words,
    /// Tokens, estimated as a quarter of the UTF-8 bytes.
    Tokens,
}

impl TextUnit {
    /// The words for every unit there is.
    pub const WORDS: [&str; 3] = ["characters", "words", "tokens"];

    /// The word for it in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Words => "words",
            Self::Tokens => "tokens",
        }
    }

    /// The unit with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Characters, Self::Words, Self::Tokens].into_iter().find(|unit| unit.as_str() == word)
    }

    /// The length of a text.
    #[must_use]
    pub fn count(self, text: &str) -> u64 {
        match self {
            Self::Characters => text.chars().count() as u64,
            Self::Words => text.split_whitespace().count() as u64,
            Self::Tokens => estimated_tokens(text),
        }
    }
}
