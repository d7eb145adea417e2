//! Which schemas OpenAI's protocols hold a model to strictly. A server refuses a strict schema that says more than it can hold.

use domain::value::{Map, Value};

/// What is sent as `strict`: what was asked for, else true where the schema qualifies, else nothing.
pub(super) fn strictness(schema: &Value, asked: Option<bool>) -> Option<bool> {
    let qualifies = || schema.as_map().is_some_and(|root| is_object(root) && qualifies(schema));
    asked.or_else(|| qualifies().then_some(true))
}

/// Words that strict schemas do not have.
const REFUSED: [&str; 9] = [
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
];

/// Words of which a schema has one unless it allows anything.
const NARROWING: [&str; 5] = ["type", "anyOf", "$ref", "enum", "const"];

/// Whether every object in a schema has `additionalProperties: false` and requires all its properties, and nothing else
/// stands in the way.
fn qualifies(schema: &Value) -> bool {
    let Some(fields) = schema.as_map() else { return false };
    let has = |words: &[&str]| words.iter().any(|word| fields.contains_key(*word));
    has(&NARROWING)
        && !has(&REFUSED)
        && (!is_object(fields) || is_closed(fields))
        && children(fields).into_iter().all(qualifies)
}

fn is_object(fields: &Map) -> bool {
    let names_it = |kind: &Value| kind.as_text() == Some("object");
    fields.contains_key("properties")
        || fields.get("type").is_some_and(|kind| {
            names_it(kind) || kind.as_list().is_some_and(|kinds| kinds.iter().any(names_it))
        })
}

fn is_closed(fields: &Map) -> bool {
    let required = fields.get("required").and_then(Value::as_list).unwrap_or_default();
    let properties = fields.get("properties").and_then(Value::as_map);
    let mut names = properties.into_iter().flat_map(Map::keys);
    fields.get("additionalProperties") == Some(&Value::Bool(false))
        && names.all(|name| required.iter().any(|required| required.as_text() == Some(name)))
}

/// The schemas directly within a schema.
fn children(fields: &Map) -> Vec<&Value> {
    let named = ["properties", "$defs", "definitions"].iter().filter_map(|word| fields.get(*word)?.as_map());
    let any_of = fields.get("anyOf").and_then(Value::as_list).unwrap_or_default();
    named.flat_map(Map::values).chain(any_of).chain(fields.get("items")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(schema: serde_json::Value, asked: Option<bool>) -> Option<bool> {
        strictness(&crate::exchange::json::to_value(schema, &mut false), asked)
    }

    /// An object of these properties, all required.
    fn closed(properties: &serde_json::Value) -> serde_json::Value {
        let names: Vec<&String> = properties.as_object().unwrap().keys().collect();
        json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
    }

    #[test]
    fn schemas_qualify_where_each_object_is_closed_and_requires_all_it_has() {
        let text = json!({"type": "string"});
        let open = json!({"type": "object", "properties": {"a": text}, "required": ["a"]});
        let optional = json!({"type": "object", "properties": {"a": text, "b": text}, "required": ["a"],
            "additionalProperties": false});
        let with = |word: &str, value: serde_json::Value| {
            let mut schema = closed(&json!({"a": text}));
            schema[word] = value;
            schema
        };
        let nullable = json!({"anyOf": [closed(&json!({"b": text})), {"type": "null"}]});
        for (schema, qualifies) in [
            (closed(&json!({})), true),
            (closed(&json!({"a": text, "b": {"enum": [1, 2]}})), true),
            (closed(&json!({"a": {"type": "array", "items": closed(&json!({"b": text}))}})), true),
            (closed(&json!({"a": nullable, "b": {"$ref": "#/$defs/c"}})), true),
            (with("$defs", json!({"c": closed(&json!({"d": text}))})), true),
            (json!({"type": "object"}), false),
            (open.clone(), false),
            (optional.clone(), false),
            (closed(&json!({"a": open})), false),
            (closed(&json!({"a": {"type": "array", "items": optional}})), false),
            (closed(&json!({"a": {"anyOf": [text, open]}})), false),
            (closed(&json!({"a": {"type": ["object", "null"]}})), false),
            (closed(&json!({"a": {}})), false),
            (closed(&json!({"a": true})), false),
            (with("$defs", json!({"c": open})), false),
            (with("definitions", json!({"c": open})), false),
            (with("allOf", json!([])), false),
            (text, false),
            (json!({"anyOf": [closed(&json!({}))]}), false),
            (json!("object"), false),
        ] {
            assert_eq!(sent(schema.clone(), None), qualifies.then_some(true), "{schema}");
            for asked in [true, false] {
                assert_eq!(sent(schema.clone(), Some(asked)), Some(asked), "{schema}");
            }
        }
    }
}
