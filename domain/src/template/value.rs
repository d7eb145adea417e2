//! Values during rendering, borrowed from the data where possible.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use super::Fault;
use super::limits::{Bounded, Budget};
use crate::value::{Map, Number, Value, write_text};

/// A value. Floats stay floats here, so that the results of filters are written as Jinja writes them.
#[derive(Debug, Clone)]
pub(super) enum Val<'a> {
    /// A missing value, with the name that was looked up.
    Undefined(Rc<str>),
    None,
    Bool(bool),
    Whole(i128),
    Float(f64),
    Text(Cow<'a, str>),
    List(List<'a>),
    Map(&'a Map),
}

/// A list from the data, or one that the template created.
#[derive(Debug, Clone)]
pub(super) enum List<'a> {
    Stored(&'a [Value]),
    Made { items: Rc<Vec<Val<'a>>>, depth: usize },
}

impl<'a> From<&'a Value> for Val<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::number(*number),
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::List(items) => Self::List(List::Stored(items)),
            Value::Map(map) => Self::Map(map),
        }
    }
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Stored(items) => items.len(),
            Self::Made { items, .. } => items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Val<'a>> {
        match self {
            Self::Stored(items) => items.get(index).map(Val::from),
            Self::Made { items, .. } => items.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Val<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub(super) const fn depth(&self) -> usize {
        match self {
            Self::Stored(_) => 1,
            Self::Made { depth, .. } => *depth,
        }
    }
}

impl Val<'_> {
    /// The value as data; null if it is missing.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Undefined(_) | Self::None => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Whole(whole) => i64::try_from(*whole)
                .map(Value::from)
                .or_else(|_| u64::try_from(*whole).map(Value::from))
                .unwrap_or_else(|_| Value::number(*whole as f64)),
            Self::Float(float) => Value::number(*float),
            Self::Text(text) => Value::from(&**text),
            Self::List(items) => Value::List(items.iter().map(|item| item.to_value()).collect()),
            Self::Map(map) => Value::Map((*map).clone()),
        }
    }

    fn number(number: Number) -> Self {
        match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Self::Whole(whole.into()),
            (None, Some(whole)) => Self::Whole(whole.into()),
            (None, None) => Self::Float(number.as_f64()),
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// What kind of value this is, for errors.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "undefined",
            Self::None => "none",
            Self::Bool(_) => "a boolean",
            Self::Whole(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Whether it is non-empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(flag) => *flag,
            Self::Whole(whole) => *whole != 0,
            Self::Float(float) => *float != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => list.len() > 0,
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// The text for `{{ … }}`: null is empty text, and numbers are written canonically.
    pub(super) fn shown(&self) -> Result<Cow<'_, str>, String> {
        Ok(match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::None => Cow::Borrowed(""),
            Self::Bool(true) => Cow::Borrowed("True"),
            Self::Bool(false) => Cow::Borrowed("False"),
            Self::Whole(whole) => Cow::Owned(whole.to_string()),
            // A `1.0` here was written by a template.
            Self::Float(float) => Cow::Owned(format!("{float:?}")),
            Self::Undefined(name) => return Err(format!("`{name}` is not defined")),
            Self::List(_) => {
                return Err("this is a list: write `| json` or `| join(\", \")` behind it".to_owned());
            }
            Self::Map(_) => {
                return Err("this is a map: write `| json` behind it, or name one of its fields".to_owned());
            }
        })
    }
}

/// Digits with a point, to distinguish it from a whole number, and never with an exponent.
pub(super) fn float_text(float: f64) -> String {
    let mut text = float.to_string();
    if !text.contains('.') && float.is_finite() {
        text.push_str(".0");
    }
    text
}

/// Whether two values are equal.
pub(super) fn equal(a: &Val<'_>, b: &Val<'_>, budget: &mut Budget, at: usize) -> Result<bool, Fault> {
    budget.spend(1, at)?;
    match (a, b) {
        (Val::Undefined(name), _) | (_, Val::Undefined(name)) => {
            Err(Fault::new(at, format!("`{name}` is not defined")))
        }
        (Val::Bool(_), Val::Whole(_) | Val::Float(_)) | (Val::Whole(_) | Val::Float(_), Val::Bool(_)) => {
            Err(Fault::new(at, "a boolean is not compared with a number"))
        }
        (Val::None, Val::None) => Ok(true),
        (Val::Bool(a), Val::Bool(b)) => Ok(a == b),
        (Val::Text(a), Val::Text(b)) => Ok(a == b),
        (Val::List(a), Val::List(b)) => equal_lists(a, b, budget, at),
        (Val::Map(a), Val::Map(b)) => equal_maps(a, b, budget, at),
        (Val::Whole(_) | Val::Float(_), Val::Whole(_) | Val::Float(_)) => {
            Ok(order(a, b) == Some(Ordering::Equal))
        }
        _ => Ok(false),
    }
}

fn equal_lists(a: &List<'_>, b: &List<'_>, budget: &mut Budget, at: usize) -> Result<bool, Fault> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b.iter()) {
        if !equal(&a, &b, budget, at)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_maps(a: &Map, b: &Map, budget: &mut Budget, at: usize) -> Result<bool, Fault> {
    if !a.keys().eq(b.keys()) {
        return Ok(false);
    }
    for (a, b) in a.values().zip(b.values()) {
        if !equal(&Val::from(a), &Val::from(b), budget, at)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two numbers or two texts.
pub(super) fn order(a: &Val<'_>, b: &Val<'_>) -> Option<Ordering> {
    match (a, b) {
        (Val::Whole(a), Val::Whole(b)) => Some(a.cmp(b)),
        (Val::Text(a), Val::Text(b)) => Some(a.cmp(b)),
        _ => as_float(a)?.partial_cmp(&as_float(b)?),
    }
}

fn as_float(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Whole(whole) => Some(*whole as f64),
        Val::Float(float) => Some(*float),
        _ => None,
    }
}

/// Appends the canonical text of a value.
pub(super) fn write_json(
    value: &Val<'_>,
    out: &mut Bounded,
    budget: &mut Budget,
    at: usize,
) -> Result<(), Fault> {
    budget.spend(1, at)?;
    match value {
        Val::Undefined(name) => Err(Fault::new(at, format!("`{name}` is not defined"))),
        Val::None => out.push("null", at),
        Val::Bool(flag) => out.push(if *flag { "true" } else { "false" }, at),
        Val::Whole(whole) => out.push(&whole.to_string(), at),
        Val::Float(float) => out.push(&Value::number(*float).canonical(), at),
        Val::Text(text) => push_literal(text, out, budget, at),
        Val::List(list) => {
            out.push("[", at)?;
            for (i, item) in list.iter().enumerate() {
                out.push(if i > 0 { "," } else { "" }, at)?;
                write_json(&item, out, budget, at)?;
            }
            out.push("]", at)
        }
        Val::Map(map) => {
            out.push("{", at)?;
            for (i, (name, item)) in map.iter().enumerate() {
                out.push(if i > 0 { "," } else { "" }, at)?;
                push_literal(name, out, budget, at)?;
                out.push(":", at)?;
                write_json(&Val::from(item), out, budget, at)?;
            }
            out.push("}", at)
        }
    }
}

fn push_literal(text: &str, out: &mut Bounded, budget: &mut Budget, at: usize) -> Result<(), Fault> {
    budget.spend(text.len(), at)?;
    let mut literal = String::with_capacity(text.len() + 2);
    write_text(text, &mut literal);
    out.push(&literal, at)
}
