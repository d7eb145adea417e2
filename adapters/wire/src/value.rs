//! The domain's values in all formats that serde supports.

use std::borrow::Cow;
use std::fmt;

use application::json::{from_json, to_json};
use domain::value::{Map, Number, Value};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseFromJSON, ParseResult, ToJSON, Type};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Any JSON-shaped data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Any(pub Value);

/// A map from names to any JSON-shaped data.
pub type AnyMap = std::collections::BTreeMap<String, Any>;

/// Converts to the domain's map.
#[must_use]
pub fn into_map(map: AnyMap) -> Map {
    map.into_iter().map(|(name, value)| (name, value.0)).collect()
}

/// Converts from the domain's map.
#[must_use]
pub fn from_map(map: &Map) -> AnyMap {
    map.iter().map(|(name, value)| (name.clone(), Any(value.clone()))).collect()
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON-shaped data")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(Self)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, whole: i64) -> Result<Value, E> {
        Ok(Value::from(whole))
    }

    fn visit_u64<E: Error>(self, whole: u64) -> Result<Value, E> {
        Ok(Value::from(whole))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        let number = Number::from_f64(number);
        number.map(Value::Number).ok_or_else(|| E::custom("infinity and NaN are not numbers here"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Any(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Any(value))) = fields.next_entry::<String, Any>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("`{name}` is there twice")));
            }
            map.insert(name, value);
        }
        Ok(Value::Map(map))
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(AnyVisitor).map(Self)
    }
}

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, sink)
    }
}

/// A borrowed value.
struct Borrowed<'a>(&'a Value);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, sink)
    }
}

fn serialize<S: Serializer>(value: &Value, sink: S) -> Result<S::Ok, S::Error> {
    match value {
        Value::Null => sink.serialize_unit(),
        Value::Bool(flag) => sink.serialize_bool(*flag),
        Value::Number(number) => serialize_number(*number, sink),
        Value::Text(text) => sink.serialize_str(text),
        Value::List(items) => sink.collect_seq(items.iter().map(Borrowed)),
        Value::Map(fields) => {
            let mut map = sink.serialize_map(Some(fields.len()))?;
            for (name, value) in fields {
                map.serialize_entry(name, &Borrowed(value))?;
            }
            map.end()
        }
    }
}

fn serialize_number<S: Serializer>(number: Number, sink: S) -> Result<S::Ok, S::Error> {
    match (number.as_i64(), number.as_u64()) {
        (Some(whole), _) => sink.serialize_i64(whole),
        (None, Some(whole)) => sink.serialize_u64(whole),
        (None, None) => sink.serialize_f64(number.as_f64()),
    }
}

/// Documented as any value.
impl Type for Any {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "any".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::ANY))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for Any {
    fn parse_from_json(value: Option<serde_json::Value>) -> ParseResult<Self> {
        Ok(Self(value.map_or(Value::Null, from_json)))
    }
}

impl ToJSON for Any {
    fn to_json(&self) -> Option<serde_json::Value> {
        Some(to_json(&self.0))
    }
}

impl JsonSchema for Any {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_pass_through_json_and_yaml() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,0.25,"x\ny"],"b":{}}"#;
        let Any(value) = serde_json::from_str(text).unwrap();
        assert_eq!(value.canonical(), text);
        assert_eq!(serde_json::to_string(&Any(value.clone())).unwrap(), text);
        let yaml = serde_saphyr::to_string(&Any(value.clone())).unwrap();
        assert_eq!(serde_saphyr::from_str::<Any>(&yaml).unwrap().0, value);
    }

    #[test]
    fn values_that_json_cannot_hold_are_refused() {
        assert!(serde_saphyr::from_str::<Any>("[.nan]").is_err());
        assert!(serde_saphyr::from_str::<Any>("[.inf]").is_err());
        assert!(serde_json::from_str::<Any>(r#"{"a":1,"a":2}"#).is_err());
    }
}
