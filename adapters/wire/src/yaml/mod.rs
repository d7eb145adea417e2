//! Reads YAML documents as YAML 1.2 has them, and changes nothing of what is written.
//!
//! A general reader makes the number 12.5 of `12.50` and a boolean of `no`, and whoever meant the text finds it compared
//! with something else. Here the tree keeps how each scalar was written, and the [`Shape`] of the document says whether a
//! text can stand in its place.

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

/// Where something stands in a text: line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    at: Place,
    detail: String,
}

impl Fault {
    fn new(at: Place, detail: impl Into<String>) -> Self {
        Self { at, detail: detail.into() }
    }

    /// The fault for people, with the lines around it.
    fn told(&self, text: &str) -> String {
        excerpt(text, self.at, &self.detail)
    }
}

/// Reads a YAML document of this shape.
///
/// # Errors
/// The first thing that is wrong, with line, column and the lines around it.
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
