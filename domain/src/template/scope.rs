//! The names that a template can use.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::value::Value;

/// Values by name. They are shared, so that a scope of large ones is made quickly.
pub type SharedMap = BTreeMap<String, Arc<Value>>;

/// The names that a template can use.
#[derive(Debug, Clone, Default)]
pub struct Scope<'a> {
    names: Vec<(String, Named<'a>)>,
}

#[derive(Debug, Clone)]
enum Named<'a> {
    Value(&'a Value),
    /// A map whose values are shared. It is copied into one value only for a template that reads it as a whole.
    Map {
        fields: &'a SharedMap,
        whole: OnceLock<Value>,
    },
}

impl<'a> Scope<'a> {
    /// A scope without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The scope with one more name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &'a Value) -> Self {
        self.names.push((name.to_owned(), Named::Value(value)));
        self
    }

    /// The scope with one more name, for a map.
    #[must_use]
    pub fn with_map(mut self, name: &str, fields: &'a SharedMap) -> Self {
        self.names.push((name.to_owned(), Named::Map { fields, whole: OnceLock::new() }));
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        Some(match self.named(name)? {
            Named::Value(value) => value,
            Named::Map { fields, whole } => whole.get_or_init(|| {
                let copied = fields.iter().map(|(name, value)| (name.clone(), Value::clone(value)));
                Value::Map(copied.collect())
            }),
        })
    }

    /// The map with shared values, if the name is one.
    pub(super) fn shared_map(&self, name: &str) -> Option<&'a SharedMap> {
        match self.named(name)? {
            Named::Value(_) => None,
            Named::Map { fields, .. } => Some(fields),
        }
    }

    fn named(&self, name: &str) -> Option<&Named<'a>> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, named)| named)
    }
}
