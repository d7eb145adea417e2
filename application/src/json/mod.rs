//! Between the domain's values and JSON text.

pub mod strict;
mod wording;

use domain::value::{Map, Number, Value};
use serde_json::Value as Json;

/// Reads JSON that a model or program wrote, taking what is ambiguous as serde does. What people bring is read by
/// [`strict`].
///
/// # Errors
/// What the parser says, with line and column. Nesting beyond 128 levels is an error, not a crash.
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Json>(text).map(from_json)
}

/// The domain's value for parsed JSON.
#[must_use]
pub fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => from_number(&number),
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(from_json).collect()),
        Json::Object(fields) => {
            Value::Map(fields.into_iter().map(|(name, json)| (name, from_json(json))).collect())
        }
    }
}

fn from_number(number: &serde_json::Number) -> Value {
    if let Some(whole) = number.as_i64() {
        return Value::from(whole);
    }
    if let Some(whole) = number.as_u64() {
        return Value::from(whole);
    }
    number.as_f64().map_or(Value::Null, Value::number)
}

/// Parsed JSON for the domain's value.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => to_number(*number),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(fields) => Json::Object(object(fields)),
    }
}

fn object(fields: &Map) -> serde_json::Map<String, Json> {
    fields.iter().map(|(name, value)| (name.clone(), to_json(value))).collect()
}

fn to_number(number: Number) -> Json {
    match (number.as_i64(), number.as_u64()) {
        (Some(whole), _) => Json::from(whole),
        (None, Some(whole)) => Json::from(whole),
        (None, None) => serde_json::Number::from_f64(number.as_f64()).map_or(Json::Null, Json::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_way_there_and_back() {
        for text in ["null", "[true,-1,18446744073709551615,0.1,1e300]", r#"{"a":{"b":["x\n\"y"]},"z":""}"#] {
            let value = parse(text).unwrap();
            assert_eq!(value.canonical(), text);
            assert_eq!(from_json(to_json(&value)), value);
            assert_eq!(parse(&to_json(&value).to_string()).unwrap(), value);
        }
        assert_eq!(parse("1.0").unwrap(), Value::from(1_i64));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
