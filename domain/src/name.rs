//! Names of stages and dimensions, which templates refer to.

use std::borrow::Borrow;
use std::fmt;

/// A name: a letter or underscore, then letters, digits and underscores (ASCII), at most 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// A text that is not a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName(String);

impl Name {
    /// The longest name there is, in bytes.
    pub const MAX: usize = 64;

    /// Checks that a text is a name.
    ///
    /// # Errors
    /// [`InvalidName`] if it is not.
    pub fn try_new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        let goes_on = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if starts && goes_on && text.len() <= Self::MAX { Ok(Self(text)) } else { Err(InvalidName(text)) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a name: use letters, digits and underscores, not starting with a digit, at most {}",
            self.0.escape_debug(),
            Name::MAX
        )
    }
}

impl std::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_templates_can_spell() {
        for good in ["a", "_x", "top_p", "Stage2"] {
            assert!(Name::try_new(good).is_ok(), "{good} was refused");
        }
        for bad in ["", "2nd", "a-b", "a b", "é", &"x".repeat(65)] {
            assert!(Name::try_new(bad).is_err(), "{bad} was accepted");
        }
    }
}
