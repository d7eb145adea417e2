//! Reads samples from files. A bad row is reported with its line, and then nothing is taken.

mod cells;
mod columns;
mod csv;
mod encoding;
mod exports;
mod format;
mod objects;
mod separator;
mod table;

use std::path::Path;

use domain::problem::Problem;
use domain::sample::Sample;
use domain::value::{Map, Value};
use thiserror::Error;

pub use self::columns::{Columns, TakenColumns};
pub use self::format::SampleFormat;
pub use self::table::ReadChecks;

use self::table::{Row, Table};

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The name of the file, whose suffix tells the format where that is absent.
    pub name: String,
    /// The format's word.
    pub format: Option<String>,
    /// Which columns are what.
    pub columns: Columns,
    /// Reads `checks`.
    pub checks: ReadChecks,
}

/// What a file holds, and what was made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleFile {
    /// The samples.
    pub samples: Vec<Sample>,
    /// The format it was read as.
    pub format: SampleFormat,
    /// The columns that were taken.
    pub columns: TakenColumns,
    /// What whoever brings it should know.
    pub warnings: Vec<String>,
}

/// Where something stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is true of the whole file.
    File,
    /// A line, from 1.
    Line(u64),
    /// An item of a list, from 0.
    Item(usize),
}

/// Why a file of samples was not read.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{}{detail}", place.prefix())]
pub struct SampleError {
    /// Where.
    pub place: Place,
    /// Stable name of the kind of problem, for programs.
    pub code: &'static str,
    /// What is wrong, and how to mend it.
    pub detail: String,
}

impl Place {
    fn prefix(self) -> String {
        match self {
            Self::File => String::new(),
            Self::Line(line) => format!("line {line}: "),
            Self::Item(index) => format!("item {index}: "),
        }
    }
}

impl SampleError {
    fn at(place: Place, detail: impl Into<String>) -> Self {
        Self { place, code: "bad_sample", detail: detail.into() }
    }

    fn line(line: u64, detail: impl Into<String>) -> Self {
        Self::at(Place::Line(line), detail)
    }

    fn file(code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::File, code, detail: detail.into() }
    }

    fn empty() -> Self {
        Self::file("no_samples", "there are no samples in it")
    }

    const fn with_code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// The problem of a request that brings the file.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        let pointer = match self.code {
            "columns_ambiguous" | "columns_missing" | "unknown_column" => "/columns",
            "unknown_format" => "/format",
            _ => "/file",
        };
        let detail = self.to_string();
        Problem::new(pointer, self.code, detail)
    }
}

/// Reads the samples of a file.
///
/// # Errors
/// The first place that does not make sense.
pub fn read(bytes: &[u8], reading: &Reading) -> Result<SampleFile, SampleError> {
    let text = encoding::text(bytes)?;
    let format = format_of(text, reading)?;
    let read = read_text(text, format, reading);
    // Items of a list are named by the line where they begin.
    read.map_err(|error| match error.place {
        Place::Item(index) => {
            let place = objects::line_of(text, index).map_or(error.place, Place::Line);
            SampleError { place, ..error }
        }
        Place::File | Place::Line(_) => error,
    })
}

fn format_of(text: &str, reading: &Reading) -> Result<SampleFormat, SampleError> {
    if let Some(word) = &reading.format {
        return SampleFormat::parse(word).ok_or_else(|| {
            let known = SampleFormat::known();
            SampleError::file("unknown_format", format!("there is no format `{word}`. Known: {known}"))
        });
    }
    let suffix = Path::new(&reading.name).extension().and_then(|suffix| suffix.to_str()).unwrap_or_default();
    match SampleFormat::parse(suffix) {
        // Lines of JSON are often called .json.
        Some(SampleFormat::Json) => Ok(SampleFormat::of_content(text)).map(|found| match found {
            SampleFormat::Jsonl => SampleFormat::Jsonl,
            _ => SampleFormat::Json,
        }),
        Some(format) => Ok(format),
        None if ["yaml", "yml"].contains(&suffix.to_ascii_lowercase().as_str()) => {
            let advice = "samples in YAML stand in the experiment file itself, under `sample_data`";
            Err(SampleError::file("unknown_format", advice))
        }
        None => Ok(SampleFormat::of_content(text)),
    }
}

fn read_text(text: &str, format: SampleFormat, reading: &Reading) -> Result<SampleFile, SampleError> {
    let mut warnings = Vec::new();
    let (table, mut format) = match format {
        SampleFormat::Csv | SampleFormat::Tsv => {
            (cells::read(text, format == SampleFormat::Tsv, &mut warnings)?, format)
        }
        SampleFormat::Json | SampleFormat::HuggingFace => objects::document(text)?,
        SampleFormat::Text => (texts([(1, text)]), format),
        SampleFormat::Lines => (texts(objects::numbered(text)), format),
        SampleFormat::Jsonl
        | SampleFormat::OpenAiBatch
        | SampleFormat::OpenAiEvals
        | SampleFormat::OpenAiChat => (objects::lines(text)?, format),
    };
    // Whoever names the input's column knows the file as it is.
    let may_be_export = matches!(format, SampleFormat::Json | SampleFormat::Jsonl);
    if may_be_export && reading.columns.input.is_none() {
        format = exports::recognise(&table).unwrap_or(format);
    }
    let table = exports::convert(table, format, &mut warnings)?;
    if table.rows.is_empty() {
        return Err(SampleError::empty());
    }
    let columns = TakenColumns::of(&reading.columns, &table.names)?;
    warnings.extend(warn_of(&table, &columns));
    if format == SampleFormat::OpenAiEvals && columns.reference.is_none() && columns.references.is_empty() {
        warnings.push(
            "no reference is taken: say which it is, as in `columns: {reference: item.NAME}`".to_owned(),
        );
    }
    let samples = table.rows.into_iter().map(|row| row.into_sample(&columns, reading.checks));
    Ok(SampleFile { samples: samples.collect::<Result<_, _>>()?, format, columns, warnings })
}

fn texts<'a>(texts: impl IntoIterator<Item = (u64, &'a str)>) -> Table {
    let texts = texts.into_iter().filter(|(_, text)| !text.trim().is_empty());
    let row = |(line, text): (u64, &str)| Row {
        place: Place::Line(line),
        fields: Map::from([("input".to_owned(), Value::from(text))]),
    };
    Table::of_rows(texts.map(row).collect())
}

/// What is read as it is written, and is seldom meant.
fn warn_of(table: &Table, columns: &TakenColumns) -> Vec<String> {
    let empty = |column: &str| {
        let is_empty = |row: &&Row| match row.fields.get(column) {
            Some(Value::Null) => true,
            Some(Value::Text(text)) => text.is_empty(),
            _ => false,
        };
        let mut rows = table.rows.iter().filter(is_empty);
        let first = rows.next()?;
        Some((rows.count() + 1, first.place.prefix()))
    };
    let told = |field: &str, column: &str, meaning: &str| {
        let (count, place) = empty(column)?;
        let of = table.rows.len();
        Some(format!("{place}the {field} is empty in {count} of {of} samples (this is the first): {meaning}"))
    };
    let input = told("input", &columns.input, "the prompt is made with empty text");
    let reference =
        columns.reference.as_deref().filter(|_| columns.references.is_empty()).and_then(|column| {
            told(
                "reference",
                column,
                "outputs are compared with empty text; in JSON lines it can be left out",
            )
        });
    input.into_iter().chain(reference).collect()
}

#[cfg(test)]
mod tests;
