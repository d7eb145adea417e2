//! Rows of named values, and the samples that they are.

use domain::sample::Sample;
use domain::scoring::ScoringDraft;
use domain::value::{Map, Value};

use super::columns::{CHECKS, TakenColumns, holds_answers, holds_meta};
use super::{Place, SampleError};
use crate::json::strict;

/// One row, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) fields: Map,
}

/// Rows with the names that they have, in the order in which these come.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table {
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// Reads the scoring entries of a sample from its `checks`.
pub type ReadChecks = fn(&Value) -> Result<Vec<ScoringDraft>, String>;

impl Table {
    /// The rows, with the names that any of them has.
    pub(super) fn of_rows(rows: Vec<Row>) -> Self {
        let mut seen = std::collections::HashSet::new();
        let mut names = Vec::new();
        for name in rows.iter().flat_map(|row| row.fields.keys()) {
            if !seen.contains(name.as_str()) {
                seen.insert(name.as_str());
                names.push(name.clone());
            }
        }
        Self { names, rows }
    }

    /// Whether every row has all of these names.
    pub(super) fn all_have(&self, names: &[&str]) -> bool {
        let has_all = |row: &Row| names.iter().all(|name| row.fields.contains_key(*name));
        !self.rows.is_empty() && self.rows.iter().all(has_all)
    }
}

impl Row {
    /// The sample that a row is.
    pub(super) fn into_sample(
        mut self,
        taken: &TakenColumns,
        checks: ReadChecks,
    ) -> Result<Sample, SampleError> {
        let place = self.place;
        let wrong = |detail: String| SampleError::at(place, detail);
        let (reference, references) = answers(&self.fields, taken).map_err(wrong)?;
        let input = self.fields.remove(&taken.input).or_else(|| find(&self.fields, &taken.input));
        let input = input.ok_or_else(|| wrong(format!("`{}` is missing", taken.input)))?;
        let checks = match self.fields.remove(CHECKS) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Text(text)) if text.is_empty() => Vec::new(),
            Some(value) => checks(&value).map_err(|detail| wrong(format!("`checks`: {detail}")))?,
        };
        let meta = meta(&mut self.fields, taken).map_err(wrong)?;
        Ok(Sample { input: or_empty(input), reference, references, meta, checks })
    }
}

/// The value of a column, which may lead into objects.
fn find(fields: &Map, column: &str) -> Option<Value> {
    if let Some(value) = fields.get(column) {
        return Some(value.clone());
    }
    let mut steps = column.split('.');
    let first = fields.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.as_map()?.get(step)).cloned()
}

/// Null is what an empty cell is.
fn or_empty(value: Value) -> Value {
    if value == Value::Null { Value::from("") } else { value }
}

fn is_empty(value: &Value) -> bool {
    *value == Value::Null || value.as_text().is_some_and(str::is_empty)
}

/// The answers in a cell that holds a JSON list.
fn listed(value: &Value) -> Option<Vec<Value>> {
    match strict::parse(value.as_text().filter(|text| text.trim_start().starts_with('['))?).ok()? {
        Value::List(answers) => Some(answers),
        _ => None,
    }
}

fn answers(fields: &Map, taken: &TakenColumns) -> Result<(Option<Value>, Vec<Value>), String> {
    let mut references = Vec::new();
    for value in taken.references.iter().filter_map(|column| find(fields, column)) {
        match value {
            Value::List(answers) => references.extend(answers.into_iter().map(or_empty)),
            value if is_empty(&value) => {}
            value => match listed(&value) {
                Some(answers) => references.extend(answers),
                None => references.push(value),
            },
        }
    }
    let Some(column) = &taken.reference else { return Ok((None, references)) };
    let reference = find(fields, column).map(or_empty);
    match reference {
        Some(Value::List(answers)) if holds_answers(column) && !answers.is_empty() => {
            references.extend(answers.into_iter().map(or_empty));
            Ok((None, references))
        }
        reference if references.is_empty() => Ok((reference, references)),
        Some(reference) if !is_empty(&reference) => {
            let lists = taken.references.join("`, `");
            Err(format!("both `{column}` and `{lists}` are given: leave one of them empty"))
        }
        _ => Ok((None, references)),
    }
}

fn meta(fields: &mut Map, taken: &TakenColumns) -> Result<Map, String> {
    let mut meta = Map::new();
    let mut put = |name: String, value: Value| {
        let advice = format!(
            "`{name}` stands twice, in an object and beside it: rename one, or list under `columns: {{meta: […]}}` what is needed"
        );
        if meta.insert(name, value).is_some() { Err(advice) } else { Ok(()) }
    };
    for column in &taken.meta {
        let value = match fields.remove(column) {
            Some(value) => value,
            None => match find(fields, column) {
                Some(value) => value,
                None => continue,
            },
        };
        match value {
            Value::Map(inner) if holds_meta(column) => {
                inner.into_iter().try_for_each(|(name, value)| put(name, value))?;
            }
            Value::Null if holds_meta(column) => {}
            value => put(column.strip_prefix("meta.").unwrap_or(column).to_owned(), value)?,
        }
    }
    Ok(meta)
}
