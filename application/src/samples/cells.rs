//! Reads files of cells: the header names the columns, and each further record is a row.

use std::collections::HashMap;

use domain::value::{Map, Value};

use super::columns::{holds_json, holds_meta};
use super::csv::{Record, Records};
use super::separator::{self, Separated};
use super::table::{Row, Table};
use super::{Place, SampleError};
use crate::json::strict;

/// The rows of a file; `tabs` where its name says that tabs separate. What was made of it is told in `warnings`.
pub(super) fn read(text: &str, tabs: bool, warnings: &mut Vec<String>) -> Result<Table, SampleError> {
    let found =
        if tabs { Separated { text, separator: b'\t', first_line: 1 } } else { separator::find(text)? };
    let mut records = Records::new(found.text, found.separator, found.first_line);
    let header = loop {
        match records.next() {
            None => return Err(SampleError::empty()),
            // A line of blanks is no header, whatever it separates.
            Some(record) => match record? {
                record if record.is_blank(2) => {}
                record => break record,
            },
        }
    };
    let names = names(&header, warnings)?;
    let mut rows = Vec::new();
    for record in records {
        let record = record?;
        if record.is_blank(names.len()) {
            continue;
        }
        check_width(&record, names.len())?;
        let cells = names.iter().zip(record.cells).filter(|(name, _)| !name.is_empty());
        let fields: Map = cells.map(|(name, cell)| (name.clone(), Value::from(cell.text.as_ref()))).collect();
        rows.push(Row { place: Place::Line(record.line), fields });
    }
    let names = names.into_iter().filter(|name| !name.is_empty()).collect();
    let mut table = Table { names, rows };
    read_json(&mut table, warnings)?;
    Ok(table)
}

fn names(header: &Record<'_>, warnings: &mut Vec<String>) -> Result<Vec<String>, SampleError> {
    let names: Vec<String> = header.cells.iter().map(|cell| cell.text.trim().to_owned()).collect();
    let mut seen = HashMap::new();
    for (at, name) in (1..).zip(&names) {
        if let Some(first) = seen.insert(name.as_str(), at) {
            let shown = if name.is_empty() { "no name".to_owned() } else { format!("the name `{name}`") };
            let detail = format!("the columns {first} and {at} both have {shown}: rename or remove one");
            return Err(SampleError::line(header.line, detail).with_code("columns_twice"));
        }
    }
    if let Some(at) = seen.get("") {
        warnings.push(format!("column {at} has no name and is left out"));
    }
    Ok(names)
}

fn check_width(record: &Record<'_>, columns: usize) -> Result<(), SampleError> {
    let cells = record.cells.len();
    if cells == columns {
        return Ok(());
    }
    let advice = if cells > columns {
        "quote cells that hold separators or line breaks"
    } else {
        "write empty cells too, and quote cells that hold line breaks"
    };
    Err(SampleError::line(
        record.line,
        format!("the row has {cells} cells and the header {columns}: {advice}"),
    ))
}

/// Columns in which exports write JSON, and in which every cell that is not empty is a list or object, are read as JSON.
fn read_json(table: &mut Table, warnings: &mut Vec<String>) -> Result<(), SampleError> {
    for name in table.names.iter().filter(|name| holds_json(name)) {
        if !looks_like_json(table, name) {
            continue;
        }
        for row in &mut table.rows {
            let Some(Value::Text(text)) = row.fields.get(name) else { continue };
            if text.is_empty() {
                if holds_meta(name) {
                    row.fields.insert(name.clone(), Value::Null);
                }
                continue;
            }
            let wrong = |error: strict::JsonError| {
                SampleError::at(
                    row.place,
                    format!("`{name}` holds JSON that cannot be read: {}", error.detail),
                )
            };
            let parsed = strict::parse(text).map_err(wrong)?;
            row.fields.insert(name.clone(), parsed);
        }
        warnings.push(format!("column `{name}` holds JSON in every row and is read as such"));
    }
    Ok(())
}

fn looks_like_json(table: &Table, name: &str) -> bool {
    let cells = table.rows.iter().filter_map(|row| row.fields.get(name)?.as_text());
    let mut cells = cells.filter(|cell| !cell.is_empty()).peekable();
    let is_json = |cell: &str| {
        cell.trim_start().starts_with(['{', '['])
            && strict::check(cell).map_or_else(|error| !error.is_syntax, |()| true)
    };
    cells.peek().is_some() && cells.all(is_json)
}
