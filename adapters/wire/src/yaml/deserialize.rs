//! Passes the nodes of a document to serde.

use std::fmt;

use domain::value::Number;
use serde::de::{self, Deserializer, Unexpected, Visitor};

use super::Place;
use super::access::{Fields, Items, Word};
use super::scalar::{Plain, Scalar, Value};
use super::shape::{Position, Reading};
use super::tree::{Entry, Kind, Node};

/// An error of serde or of a type that is read.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) detail: String,
    /// The innermost known place.
    pub(super) at: Option<Place>,
}

impl Error {
    pub(super) fn at(mut self, place: Place) -> Self {
        self.at.get_or_insert(place);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(told: T) -> Self {
        Self { detail: told.to_string(), at: None }
    }
}

/// A node with its position in the document.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'a> {
    node: &'a Node,
    position: Position<'a>,
}

impl<'a> NodeDeserializer<'a> {
    pub(super) const fn new(node: &'a Node, position: Position<'a>) -> Self {
        Self { node, position }
    }

    pub(super) const fn scalar(&self) -> Option<&'a Scalar> {
        if let Kind::Scalar(scalar) = &self.node.kind { Some(scalar) } else { None }
    }

    /// The scalar without quotes, if it is one.
    fn plain(&self) -> Option<Plain> {
        self.scalar().filter(|scalar| scalar.plain).map(Scalar::reading)
    }

    fn is_null(&self) -> bool {
        matches!(self.plain(), Some(Plain::Null))
    }

    pub(super) fn located(&self, error: Error) -> Error {
        error.at(self.node.at)
    }

    pub(super) fn wrong(&self, detail: impl fmt::Display) -> Error {
        Error { detail: detail.to_string(), at: Some(self.node.at) }
    }

    /// Reads any value. Where a text is allowed, a scalar is read as it is written.
    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::List(items) => {
                let mut items = Items { items: items.iter(), position: self.position.item() };
                visitor.visit_seq(&mut items)
            }
            Kind::Map(entries) => self.map(entries, visitor),
            Kind::Scalar(scalar) if scalar.plain => self.plain_scalar(scalar, visitor),
            Kind::Scalar(scalar) => visitor.visit_str(&scalar.text),
        }
    }

    fn plain_scalar<'de, V: Visitor<'de>>(self, scalar: &Scalar, visitor: V) -> Result<V::Value, Error> {
        let text = scalar.text.as_str();
        match (scalar.reading(), self.position.reading()) {
            (Plain::NotFinite, _) => Err(self.wrong(not_finite(text))),
            (Plain::Null, _) => visitor.visit_unit(),
            (Plain::Bool(flag), _) => visitor.visit_bool(flag),
            (Plain::Number(number), _) => visit_number(number, visitor),
            (Plain::Text, _) | (Plain::Respelled(_) | Plain::Unclear(_), Reading::Text) => {
                visitor.visit_str(text)
            }
            (Plain::Unclear(told), Reading::Value | Reading::Refuse) => Err(self.wrong(told)),
            (Plain::Respelled(value), Reading::Value) => visit(value, visitor),
            (Plain::Respelled(value), Reading::Refuse) => {
                let plain = spelled(value);
                Err(self.wrong(format!(
                    "`{text}` would become {plain}: write {plain}, or quote it as \"{text}\" where the text is meant"
                )))
            }
        }
    }

    fn map<'de, V: Visitor<'de>>(self, entries: &'a [Entry], visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Fields { entries: entries.iter(), value: None, position: self.position })
    }

    /// Reads a number or boolean in any clear notation.
    fn value<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain() {
            Some(Plain::Respelled(value)) => visit(value, visitor),
            Some(Plain::Unclear(told)) => Err(self.wrong(told)),
            _ => self.any(visitor),
        }
        .map_err(|error| self.located(error))
    }

    /// Reads a text as it is written.
    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar() {
            Some(scalar) if !self.is_null() => visitor.visit_str(&scalar.text),
            _ => self.any(visitor),
        }
        .map_err(|error| self.located(error))
    }
}

fn not_finite(text: &str) -> String {
    format!(
        "`{text}` is not a number that JSON and models know: quote it as \"{text}\" where the text is meant"
    )
}

fn spelled(value: Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
    }
}

fn visit<'de, V: Visitor<'de>>(value: Value, visitor: V) -> Result<V::Value, Error> {
    match value {
        Value::Null => visitor.visit_unit(),
        Value::Bool(flag) => visitor.visit_bool(flag),
        Value::Number(number) => visit_number(number, visitor),
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: Number, visitor: V) -> Result<V::Value, Error> {
    match (number.as_u64(), number.as_i64()) {
        (Some(whole), _) => visitor.visit_u64(whole),
        (None, Some(whole)) => visitor.visit_i64(whole),
        (None, None) => visitor.visit_f64(number.as_f64()),
    }
}

/// Similar methods.
macro_rules! forward {
    ($to:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$to(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Error;

    forward!(value: deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64);
    forward!(text: deserialize_char deserialize_str deserialize_string deserialize_identifier);
    forward!(deserialize_any: deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_seq deserialize_map);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.any(visitor).map_err(|error| self.located(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if matches!(self.node.kind, Kind::List(_)) {
            return Err(self.located(de::Error::invalid_type(Unexpected::Seq, &visitor)));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Word(self)).map_err(|error| self.located(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}
