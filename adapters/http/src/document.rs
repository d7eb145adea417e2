//! Completes the API's document: adds what the framework cannot express, and removes what does not apply to an
//! operation.

mod annotations;
#[cfg(test)]
mod schema_tests;

use std::collections::BTreeSet;

use domain::event::EventType;
use domain::run::RunStatus;
use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::exported::{AsTable, Forms as _};

/// Examples of schemas, and of answers that have none.
const EXAMPLES: &str = include_str!("examples.json");

/// Operations with a limit of failed attempts.
const THROTTLED: [&str; 2] = ["log_in", "change_password"];

/// The completed document, indented and with a final line break, so that it can be kept in a file.
pub(crate) fn completed(spec: &str) -> String {
    let mut spec: Value = serde_json::from_str(spec).unwrap_or_default();
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    for (path, operations) in members(spec.get_mut("paths")) {
        for (method, operation) in members(Some(operations)) {
            complete(operation, path, method, &examples["answers"]);
        }
    }
    let read = schemas_read(&spec);
    for (name, schema) in members(spec.pointer_mut("/components/schemas")) {
        annotations::rewrite(schema);
        if read.contains(name) && schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
        }
        if let Some(example) = examples["schemas"].get(name) {
            schema["example"] = example.clone();
        }
    }
    let mut text = serde_json::to_string_pretty(&spec).unwrap_or_default();
    text.push('\n');
    text
}

fn members(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

fn complete(operation: &mut Value, path: &str, method: &str, examples: &Value) {
    let takes = Takes::of(path, method, operation);
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(words) = words(path, parameter["name"].as_str().unwrap_or_default()) {
            parameter["schema"]["enum"] = json!(words);
        }
    }
    let examples = examples.get(operation["operationId"].as_str().unwrap_or_default());
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        responses.retain(|status, _| takes.may_answer(status));
    }
    for (media_type, content) in members(operation.pointer_mut("/responses/200/content")) {
        if let Some(example) = examples.and_then(|examples| examples.get(media_type)) {
            content["example"] = example.clone();
        }
    }
}

/// The only words that a parameter takes, where it takes no others.
fn words(path: &str, parameter: &str) -> Option<Vec<&'static str>> {
    Some(match parameter {
        "type" => EventType::ALL.iter().map(|kind| kind.as_str()).collect(),
        "status" => RunStatus::ALL.iter().map(|status| status.as_str()).collect(),
        "format" if path.ends_with("/export/runs") => AsTable::ALL.iter().map(|form| form.word()).collect(),
        _ => return None,
    })
}

/// The names of the schemas of request bodies, and of all schemas in them. These refuse unknown fields.
fn schemas_read(spec: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for operation in spec["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in operation.as_object().into_iter().flat_map(|operations| operations.values()) {
            collect(&operation["requestBody"], spec, &mut names);
        }
    }
    names
}

fn collect(value: &Value, spec: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next());
            if let Some(name) = name.filter(|name| names.insert((*name).to_owned())) {
                collect(&spec["components"]["schemas"][name], spec, names);
            }
            fields.values().for_each(|value| collect(value, spec, names));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, spec, names)),
        _ => {}
    }
}

/// What an operation takes. It determines which answers are possible.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
struct Takes {
    body: bool,
    id: bool,
    token: bool,
    credentials: bool,
    state: bool,
}

impl Takes {
    fn of(path: &str, method: &str, operation: &Value) -> Self {
        let name = operation["operationId"].as_str().unwrap_or_default();
        Self {
            body: operation.get("requestBody").is_some(),
            id: path.contains('{'),
            token: operation.get("security").is_some(),
            credentials: THROTTLED.contains(&name),
            // An operation that only reads can conflict with the state of things where there is nothing to export.
            state: method != "get" || path.contains("/export/"),
        }
    }

    fn may_answer(&self, status: &str) -> bool {
        let status = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
        match status {
            Some(
                StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ) => self.body,
            Some(StatusCode::UNAUTHORIZED) => self.token || self.credentials,
            Some(StatusCode::FORBIDDEN) => self.token,
            Some(StatusCode::NOT_FOUND) => self.id,
            Some(StatusCode::CONFLICT) => self.state,
            Some(StatusCode::TOO_MANY_REQUESTS) => self.credentials,
            _ => true,
        }
    }
}
