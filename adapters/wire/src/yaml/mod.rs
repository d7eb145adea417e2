//! Reads YAML 1.2 documents without changing what is written.
//!
//! A general reader turns `12.50` into the number 12.5 and `no` into a boolean. Where a text was meant, it would be
//! compared as another text. Here the tree keeps the notation of each scalar, and the [`Shape`] of the document
//! determines where a text is allowed.

mod access;
mod deserialize;
mod excerpt;
mod merge;
mod scalar;
mod shape;
mod syntax;
mod tree;

use std::rc::Rc;

use serde::de::DeserializeOwned;

pub use self::shape::Shape;

use self::deserialize::NodeDeserializer;
use self::tree::Node;
use crate::wording;

pub(crate) use self::excerpt::excerpt;

/// A place in a text: line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A problem with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    at: Place,
    detail: String,
}

impl Fault {
    fn new(at: Place, detail: impl Into<String>) -> Self {
        Self { at, detail: detail.into() }
    }

    /// The message for people, with the lines around the place.
    fn told(&self, text: &str) -> String {
        excerpt(text, self.at, &self.detail)
    }
}

/// Reads a YAML document of this shape.
///
/// # Errors
/// The first problem, with line, column and the lines around it.
pub fn read<T: DeserializeOwned>(text: &str, shape: Shape) -> Result<T, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root: Rc<Node> = tree::build(text).map_err(|fault| fault.told(text))?;
    T::deserialize(NodeDeserializer::new(&root, shape.root())).map_err(|error| {
        let detail = wording::plain(&error.detail);
        Fault::new(error.at.unwrap_or(root.at), detail).told(text)
    })
}

#[cfg(test)]
mod tests;
