//! Passes lists, objects and the words of enums to serde.

use std::rc::Rc;

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeSeed, EnumAccess, Error as _, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::deserialize::{Error, NodeDeserializer};
use super::shape::Position;
use super::tree::{Entry, Node};

pub(super) struct Items<'a> {
    pub(super) items: std::slice::Iter<'a, Rc<Node>>,
    pub(super) position: Position<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let item = self.items.next().map(|node| NodeDeserializer::new(node, self.position));
        item.map(|item| seed.deserialize(item).map_err(|error| item.located(error))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

pub(super) struct Fields<'a> {
    pub(super) entries: std::slice::Iter<'a, Entry>,
    pub(super) value: Option<NodeDeserializer<'a>>,
    pub(super) position: Position<'a>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        let position = self.position.field(&entry.name, &entry.node);
        self.value = Some(NodeDeserializer::new(&entry.node, position));
        let name: StrDeserializer<'_, Error> = entry.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| error.at(entry.at))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let value = self.value.take().ok_or_else(|| Error::custom("a value is missing"))?;
        seed.deserialize(value).map_err(|error| value.located(error))
    }
}

/// A word of an enum.
pub(super) struct Word<'a>(pub(super) NodeDeserializer<'a>);

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Error> {
        let Some(scalar) = self.0.scalar() else {
            return Err(self.0.wrong("this takes one of its words, not a list or an object"));
        };
        let word: StringDeserializer<Error> = scalar.text.clone().into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Err(self.0.wrong("this word stands for an object"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(self.0.wrong("this word stands for a list"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(self.0.wrong("this word stands for an object"))
    }
}
