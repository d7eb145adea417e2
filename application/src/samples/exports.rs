//! Knows the files that other products write, where the names of their fields do not say enough.

use domain::value::{Map, Value};

use super::table::{Row, Table};
use super::{SampleError, SampleFormat};

/// Fields of fine-tuning lines beside their messages.
const CHAT_FIELDS: [&str; 5] = ["messages", "tools", "parallel_tool_calls", "functions", "weight"];

/// Fields of Inspect's samples that need a machine of their own.
const AGENT_FIELDS: [&str; 3] = ["sandbox", "files", "setup"];

/// The format that the fields of a table tell.
pub(super) fn recognise(table: &Table) -> Option<SampleFormat> {
    let only = |known: &[&str]| table.names.iter().all(|name| known.contains(&name.as_str()));
    let url = || table.all_have(&["url"]) || table.all_have(&["method"]);
    if table.all_have(&["custom_id", "body"]) && url() {
        Some(SampleFormat::OpenAiBatch)
    } else if table.all_have(&["item"]) && only(&["item", "sample"]) {
        Some(SampleFormat::OpenAiEvals)
    } else if table.all_have(&["messages"]) && only(&CHAT_FIELDS) && table.rows.iter().all(ends_with_answer) {
        Some(SampleFormat::OpenAiChat)
    } else {
        None
    }
}

fn ends_with_answer(row: &Row) -> bool {
    let last = row.fields.get("messages").and_then(Value::as_list).and_then(<[Value]>::last);
    last.is_some_and(|message| role(message) == "assistant")
}

/// The rows of an export as rows with `input`, `reference` and the rest.
pub(super) fn convert(
    table: Table,
    format: SampleFormat,
    warnings: &mut Vec<String>,
) -> Result<Table, SampleError> {
    let change: fn(Map) -> Result<Map, String> = match format {
        SampleFormat::OpenAiBatch => batch_request,
        SampleFormat::OpenAiChat => conversation,
        _ => return plain(table, warnings),
    };
    if format == SampleFormat::OpenAiBatch {
        warnings.push("models and parameters of the requests are left out: set them on the stage".to_owned());
    }
    let rows = table.rows.into_iter().map(|Row { place, fields }| {
        let fields = change(fields).map_err(|detail| SampleError::at(place, detail))?;
        Ok(Row { place, fields })
    });
    Ok(Table::of_rows(rows.collect::<Result<_, _>>()?))
}

/// Rows whose names say what they are, but for what must not be taken.
fn plain(mut table: Table, warnings: &mut Vec<String>) -> Result<Table, SampleError> {
    let has = |name: &str| table.names.iter().any(|known| known == name);
    if has("input") && has("target") {
        for row in &table.rows {
            let set = |name: &&&str| row.fields.get(**name).is_some_and(|value| !is_nothing(value));
            if let Some(name) = AGENT_FIELDS.iter().find(set) {
                let detail = format!(
                    "`{name}` makes this an evaluation of agents, which need a machine of their own: remove the field, or the sample"
                );
                return Err(SampleError::at(row.place, detail));
            }
        }
    }
    if (has("expectedOutput") || has("expected_output")) && has("status") {
        let before = table.rows.len();
        let is_archived = |row: &Row| row.fields.get("status").and_then(Value::as_text) == Some("ARCHIVED");
        table.rows.retain(|row| !is_archived(row));
        let left_out = before - table.rows.len();
        if left_out > 0 {
            warnings.push(format!("archived items are left out: {left_out}"));
        }
    }
    Ok(table)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What a request of the batch API asks.
fn batch_request(mut fields: Map) -> Result<Map, String> {
    let Some(Value::Map(mut body)) = fields.remove("body") else {
        return Err("`body` is not an object".to_owned());
    };
    let mut row = Map::new();
    let asked = body.remove("messages").or_else(|| body.remove("input")).or_else(|| body.remove("prompt"));
    match asked {
        Some(Value::List(messages)) if messages.iter().all(is_message) && !messages.is_empty() => {
            put_messages(&mut row, messages);
        }
        Some(asked) => drop(row.insert("input".to_owned(), asked)),
        None => return Err("`body` has neither `messages` nor `input`".to_owned()),
    }
    if let Some(instructions) = body.remove("instructions") {
        row.insert("instructions".to_owned(), instructions);
    }
    if let Some(id) = fields.remove("custom_id") {
        row.insert("custom_id".to_owned(), id);
    }
    Ok(row)
}

/// A conversation whose last answer is the reference.
fn conversation(mut fields: Map) -> Result<Map, String> {
    let messages = fields.remove("messages");
    let Some(Value::List(mut messages)) = messages else { return Err("`messages` is not a list".to_owned()) };
    if !messages.iter().all(is_message) {
        return Err("each of `messages` is an object such as {\"role\": \"user\", \"content\": …}".to_owned());
    }
    let Some(answer) = messages.pop_if(|message| role(message) == "assistant") else {
        return Err("`messages` does not end with the assistant's answer".to_owned());
    };
    if messages.is_empty() {
        return Err("`messages` holds nothing but an answer".to_owned());
    }
    let mut row = fields;
    row.insert("reference".to_owned(), content(&answer));
    put_messages(&mut row, messages);
    Ok(row)
}

/// System messages become `system`; one message that is left becomes a text, several stay a list.
fn put_messages(row: &mut Map, messages: Vec<Value>) {
    let (system, mut rest): (Vec<Value>, Vec<Value>) =
        messages.into_iter().partition(|message| ["system", "developer"].contains(&role(message)));
    match system.as_slice() {
        [] => {}
        [only] => drop(row.insert("system".to_owned(), content(only))),
        several => {
            row.insert("system".to_owned(), Value::List(several.iter().map(content).collect()));
        }
    }
    let input = match rest.as_slice() {
        [only] if role(only) == "user" => content(only),
        _ => Value::List(std::mem::take(&mut rest)),
    };
    row.insert("input".to_owned(), input);
}

fn is_message(value: &Value) -> bool {
    value.as_map().is_some_and(|message| message.contains_key("role"))
}

fn role(message: &Value) -> &str {
    let role = message.as_map().and_then(|message| message.get("role"));
    role.and_then(Value::as_text).unwrap_or_default()
}

/// The text of a message; parts that are no texts stay a list.
fn content(message: &Value) -> Value {
    let content = message.as_map().and_then(|message| message.get("content")).cloned().unwrap_or_default();
    let Some(parts) = content.as_list() else { return content };
    let texts: Option<Vec<&str>> = parts.iter().map(|part| part.as_map()?.get("text")?.as_text()).collect();
    texts.map_or(content.clone(), |texts| Value::from(texts.concat()))
}
