//! Moves annotations of schemas to where client generators read them; never changes which values a schema admits.
//!
//! - The framework writes a described property of a named type as `allOf: [{$ref}, {description, default}]`.
//!   Generators take the second part for a type of its own, so it becomes `allOf: [{$ref}]` with the description
//!   beside it.
//! - A property with a `default` is required in some generated types, although requests may leave it out. So the
//!   default is removed, and the description says which value an absent property stands for.

use serde_json::{Map, Value};

/// Keys that do not restrict a schema.
const ANNOTATIONS: [&str; 4] = ["default", "description", "example", "title"];

/// Rewrites a schema and those inside it.
pub(super) fn rewrite(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    lift_annotations(schema);
    describe_default(schema);
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    fields.into_iter().flat_map(|fields| fields.values_mut()).for_each(rewrite);
    for key in ["items", "additionalProperties"] {
        schema.get_mut(key).into_iter().for_each(rewrite);
    }
}

/// Moves those parts of an `allOf` that only annotate next to it.
fn lift_annotations(schema: &mut Map<String, Value>) {
    let Some(parts) = schema.get_mut("allOf").and_then(Value::as_array_mut) else { return };
    let (annotating, typed) = std::mem::take(parts).into_iter().partition(annotates);
    *parts = typed;
    let annotating: Vec<Value> = annotating;
    for (key, value) in annotating.iter().filter_map(Value::as_object).flatten() {
        schema.entry(key).or_insert_with(|| value.clone());
    }
}

fn annotates(part: &Value) -> bool {
    part.as_object().is_some_and(|part| part.keys().all(|key| ANNOTATIONS.contains(&key.as_str())))
}

/// Replaces a default by a sentence at the end of the description.
fn describe_default(schema: &mut Map<String, Value>) {
    let Some(default) = schema.remove("default").filter(|default| !is_empty(default)) else { return };
    let sentence = match default {
        Value::String(word) => format!("`{word}` where absent."),
        other => format!("`{other}` where absent."),
    };
    let text = match schema.get("description").and_then(Value::as_str) {
        Some(text) => format!("{text} {sentence}"),
        None => sentence,
    };
    schema.insert("description".to_owned(), Value::String(text));
}

/// Whether a default is the same as absence.
fn is_empty(default: &Value) -> bool {
    match default {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rewritten(mut schema: Value) -> Value {
        rewrite(&mut schema);
        schema
    }

    #[test]
    fn annotations_stand_beside_the_only_part() {
        let written = json!({"allOf": [{"$ref": "#/A"}, {"description": "a"}], "description": "a"});
        assert_eq!(rewritten(written), json!({"allOf": [{"$ref": "#/A"}], "description": "a"}));
        let two = json!({"allOf": [{"$ref": "#/A"}, {"required": ["b"]}]});
        assert_eq!(rewritten(two.clone()), two);
    }

    #[test]
    fn defaults_are_described() {
        for (schema, expected) in [
            (
                json!({"default": 1, "description": "How often."}),
                json!({"description": "How often. `1` where absent."}),
            ),
            (
                json!({"allOf": [{"$ref": "#/A"}, {"default": "grid"}]}),
                json!({"allOf": [{"$ref": "#/A"}], "description": "`grid` where absent."}),
            ),
            (json!({"default": {"shuffle": null}, "type": "object"}), json!({"type": "object"})),
            (json!({"default": []}), json!({})),
        ] {
            let properties = json!({"properties": {"default": schema}, "type": "object"});
            assert_eq!(rewritten(properties)["properties"]["default"], expected);
        }
    }
}
