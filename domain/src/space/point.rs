use crate::value::{Map, Value};

/// A point of a space: the values of the dimensions that are active there, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Point(Map);

impl From<Map> for Point {
    /// A stored point, from its values.
    fn from(values: Map) -> Self {
        Self(values)
    }
}

impl Point {
    /// The value of a dimension, if it is active.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The values, by name.
    #[must_use]
    pub const fn values(&self) -> &Map {
        &self.0
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }
}
