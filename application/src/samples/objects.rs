//! Reads files of objects: JSON lists and JSON lines.

use domain::problem::segment;
use domain::value::{Map, Value};

use super::encoding::MARK_INSIDE;
use super::table::{Row, Table};
use super::{Place, SampleError, SampleFormat};
use crate::json::strict;

/// The rows of a file with an object a line.
pub(super) fn lines(text: &str) -> Result<Table, SampleError> {
    let mut rows = Vec::new();
    for (number, line) in numbered(text) {
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with('\u{feff}') {
            return Err(SampleError::line(number, MARK_INSIDE));
        }
        let parsed = strict::parse(line).map_err(|error| {
            SampleError::line(number, format!("column {}: {}", error.column, error.detail))
        })?;
        let fields = object(parsed).map_err(|detail| SampleError::line(number, detail))?;
        rows.push(Row { place: Place::Line(number), fields });
    }
    Ok(Table::of_rows(rows))
}

/// The lines of a text with their numbers; they end with LF, CRLF or CR.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')))
}

/// The rows of a JSON document: a list, or an object that holds one list of objects.
pub(super) fn document(text: &str) -> Result<(Table, SampleFormat), SampleError> {
    let parsed = strict::parse(text).map_err(|error| {
        SampleError::line(error.line, format!("column {}: {}", error.column, error.detail))
    })?;
    let (format, _, items) = match parsed {
        Value::List(items) => (SampleFormat::Json, String::new(), items),
        Value::Map(fields) => list_of(fields)?,
        other => return Err(no_list(other.kind())),
    };
    let mut rows = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let item = if format == SampleFormat::HuggingFace { hugging_face(item) } else { item };
        let fields = object(item).map_err(|detail| SampleError::at(Place::Item(index), detail))?;
        rows.push(Row { place: Place::Item(index), fields });
    }
    Ok((Table::of_rows(rows), format))
}

/// The list that an object holds, with its pointer.
fn list_of(mut fields: Map) -> Result<(SampleFormat, String, Vec<Value>), SampleError> {
    if fields.contains_key("features")
        && let Some(Value::List(rows)) = fields.remove("rows")
    {
        return Ok((SampleFormat::HuggingFace, "/rows".to_owned(), rows));
    }
    let is_rows =
        |value: &Value| value.as_list().is_some_and(|list| list.iter().all(|item| item.as_map().is_some()));
    let names: Vec<String> =
        fields.iter().filter(|(_, value)| is_rows(value)).map(|(name, _)| name.clone()).collect();
    match names.as_slice() {
        [] => Err(no_list("object")),
        [name] => match fields.remove(name) {
            Some(Value::List(items)) => Ok((SampleFormat::Json, format!("/{}", segment(name)), items)),
            _ => Err(no_list("object")),
        },
        several => {
            let detail = format!(
                "the samples could be any of the lists {}: leave one in the file",
                several.join(", ")
            );
            Err(SampleError::line(1, detail))
        }
    }
}

fn no_list(kind: &str) -> SampleError {
    let detail =
        format!("the file must hold a list of samples, or an object with one such list, not one {kind}");
    SampleError::line(1, detail)
}

fn hugging_face(item: Value) -> Value {
    match item {
        Value::Map(mut fields) => fields.remove("row").unwrap_or(Value::Null),
        other => other,
    }
}

fn object(value: Value) -> Result<Map, String> {
    match value {
        Value::Map(row) => Ok(row),
        other => Err(format!("a sample is an object such as {{\"input\": …}}, not {}", other.kind())),
    }
}

/// The line of an item of a document's list.
pub(super) fn line_of(text: &str, index: usize) -> Option<u64> {
    let parsed = strict::parse(text).ok()?;
    let pointer = match parsed {
        Value::List(_) => String::new(),
        Value::Map(fields) => list_of(fields).ok()?.1,
        _ => return None,
    };
    strict::place_of(text, &format!("{pointer}/{index}")).map(|(line, _)| line)
}
