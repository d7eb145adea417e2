//! Reads samples from files. A bad row is reported with its line, and then nothing is taken.

use domain::problem::unknown;
use domain::sample::Sample;
use domain::value::{Map, Value};
use thiserror::Error;

use crate::json;

/// The forms of sample file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// Comma-separated values with a header.
    Csv,
    /// A list of objects.
    Json,
    /// An object a line.
    Jsonl,
}

/// Which columns, or fields of each object, are what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The input's; `input` where absent.
    pub input: Option<String>,
    /// The reference's; `reference` where absent, if there is one.
    pub reference: Option<String>,
    /// Those that go to `meta`; all that are left where absent.
    pub meta: Option<Vec<String>>,
}

/// Why a file of samples was not read.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SampleError {
    /// A line does not make sense.
    #[error("line {line}: {detail}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong, and how to mend it.
        detail: String,
    },
    /// An object of a list does not make sense.
    #[error("item {index}: {detail}")]
    Item {
        /// The item, from 0.
        index: usize,
        /// What is wrong, and how to mend it.
        detail: String,
    },
    /// There is nothing in it.
    #[error("there are no samples in it")]
    Empty,
}

impl SampleFormat {
    /// The format with this word, which is also the suffix of its files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

/// Reads the samples of a file.
///
/// # Errors
/// The first row that does not make sense, with its line.
pub fn read(bytes: &[u8], format: SampleFormat, columns: &Columns) -> Result<Vec<Sample>, SampleError> {
    let text = utf8(bytes)?;
    let samples = match format {
        SampleFormat::Csv => csv(text, columns),
        SampleFormat::Json => list(text, columns),
        SampleFormat::Jsonl => lines(text, columns),
    }?;
    if samples.is_empty() { Err(SampleError::Empty) } else { Ok(samples) }
}

fn utf8(bytes: &[u8]) -> Result<&str, SampleError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count() as u64;
        wrong(line, "this is not UTF-8: save the file as UTF-8")
    })
}

fn wrong(line: u64, detail: impl Into<String>) -> SampleError {
    SampleError::Line { line, detail: detail.into() }
}

fn csv(text: &str, columns: &Columns) -> Result<Vec<Sample>, SampleError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| csv_error(&error))?.clone();
    columns.check(&header.iter().collect::<Vec<_>>()).map_err(|detail| wrong(1, detail))?;
    let mut samples = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| csv_error(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = header.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let row = cells.map(|(name, cell)| (name.to_owned(), Value::from(cell))).collect();
        samples.push(columns.sample(row).map_err(|detail| wrong(line, detail))?);
    }
    Ok(samples)
}

fn csv_error(error: &csv::Error) -> SampleError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => wrong(
            line,
            format!(
                "the row has {len} fields and the header {expected_len}: quote fields that hold commas or line breaks"
            ),
        ),
        _ => wrong(line, error.to_string()),
    }
}

fn list(text: &str, columns: &Columns) -> Result<Vec<Sample>, SampleError> {
    let parsed = json::parse(text).map_err(|error| wrong(error.line() as u64, error.to_string()))?;
    let Value::List(items) = parsed else { return Err(wrong(1, "the file must hold a list of samples")) };
    let samples = items.into_iter().enumerate().map(|(index, item)| {
        object(item).and_then(|row| columns.sample(row)).map_err(|detail| SampleError::Item { index, detail })
    });
    samples.collect()
}

fn lines(text: &str, columns: &Columns) -> Result<Vec<Sample>, SampleError> {
    let written = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let samples = written.map(|(number, line)| {
        let parsed = json::parse(line).map_err(|error| wrong(number, format!("not valid JSON: {error}")))?;
        object(parsed).and_then(|row| columns.sample(row)).map_err(|detail| wrong(number, detail))
    });
    samples.collect()
}

fn object(value: Value) -> Result<Map, String> {
    match value {
        Value::Map(row) => Ok(row),
        other => Err(format!("a sample is an object such as {{\"input\": …}}, not {}", other.kind())),
    }
}

impl Columns {
    fn input(&self) -> &str {
        self.input.as_deref().unwrap_or("input")
    }

    fn reference(&self) -> &str {
        self.reference.as_deref().unwrap_or("reference")
    }

    /// Whether a header has what is named.
    fn check(&self, header: &[&str]) -> Result<(), String> {
        let named = std::iter::once(self.input())
            .chain(self.reference.as_deref())
            .chain(self.meta.iter().flatten().map(String::as_str));
        let missing = named.into_iter().find(|column| !header.contains(column));
        missing.map_or(Ok(()), |column| {
            let unknown = unknown("column", column, header.iter().copied());
            Err(format!("{unknown}. Map columns to fields under `columns`"))
        })
    }

    fn sample(&self, mut row: Map) -> Result<Sample, String> {
        let input = row.remove(self.input()).filter(|input| *input != Value::Null);
        let input = input.ok_or_else(|| format!("`{}` is missing or empty", self.input()))?;
        let reference = row.remove(self.reference()).filter(|reference| *reference != Value::Null);
        Ok(Sample { input, reference, meta: self.meta(row)?, ..Sample::default() })
    }

    fn meta(&self, mut row: Map) -> Result<Map, String> {
        if let Some(names) = &self.meta {
            return Ok(names.iter().filter_map(|name| Some((name.clone(), row.remove(name)?))).collect());
        }
        let mut meta = match row.remove("meta") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Map(meta)) => meta,
            Some(Value::Text(text)) => Map::from([("meta".to_owned(), Value::Text(text))]),
            Some(other) => return Err(format!("`meta` is an object, not {}", other.kind())),
        };
        for (name, value) in row {
            let name = name.strip_prefix("meta.").map(str::to_owned).unwrap_or(name);
            meta.insert(name, value);
        }
        Ok(meta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, format: SampleFormat, columns: &Columns) -> Result<Vec<String>, String> {
        let samples = read(text.as_bytes(), format, columns).map_err(|error| error.to_string())?;
        Ok(samples.iter().map(|sample| sample.to_value().canonical()).collect())
    }

    #[test]
    fn columns_become_samples() {
        let named = Columns {
            input: Some("text".into()),
            reference: Some("label".into()),
            meta: Some(vec!["lang".into()]),
        };
        for (format, text, columns, expected) in [
            (
                SampleFormat::Csv,
                "\u{feff}input,reference,lang\n\"a, b\",x,en\n",
                Columns::default(),
                r#"{"input":"a, b","meta":{"lang":"en"},"reference":"x"}"#,
            ),
            (
                SampleFormat::Csv,
                "text,label,lang,id\r\nhi,x,en,7\r\n",
                named.clone(),
                r#"{"input":"hi","meta":{"lang":"en"},"reference":"x"}"#,
            ),
            (
                SampleFormat::Csv,
                "input,reference,meta.lang\nhi,,en\n",
                Columns::default(),
                r#"{"input":"hi","meta":{"lang":"en"}}"#,
            ),
            (
                SampleFormat::Jsonl,
                "\n{\"input\": {\"q\": 1}, \"meta\": {\"a\": 2}, \"id\": 3}\n",
                Columns::default(),
                r#"{"input":{"q":1},"meta":{"a":2,"id":3}}"#,
            ),
            (SampleFormat::Json, r#"[{"text": "hi", "label": null}]"#, named, r#"{"input":"hi"}"#),
        ] {
            assert_eq!(parse(text, format, &columns), Ok(vec![expected.to_owned()]), "{text}");
        }
    }

    #[test]
    fn a_bad_row_is_reported_with_its_line() {
        let good = "\"one\ntwo\",x\n".repeat(5);
        for (format, text, error) in [
            (SampleFormat::Csv, format!("input,reference\n{good}a,b,c\n"), "line 12: the row has 3 fields"),
            (
                SampleFormat::Csv,
                format!("input,reference\n{good},y\n"),
                "line 12: `input` is missing or empty",
            ),
            (SampleFormat::Csv, "question\nx\n".into(), "line 1: unknown column `input`. Known: question."),
            (SampleFormat::Csv, "input\n".into(), "there are no samples in it"),
            (
                SampleFormat::Jsonl,
                format!("{}{{\"input\": }}\n", "{\"input\": 1}\n".repeat(16)),
                "line 17: not valid JSON",
            ),
            (SampleFormat::Jsonl, "{\"input\": 1}\n[1]\n".into(), "line 2: a sample is an object"),
            (SampleFormat::Json, "[{\"input\": 1}, {\"reference\": 1}]".into(), "item 1: `input` is missing"),
            (SampleFormat::Json, "{\"input\": 1}".into(), "line 1: the file must hold a list"),
            (SampleFormat::Json, "[\n{]".into(), "line 2: "),
        ] {
            let found = parse(&text, format, &Columns::default()).unwrap_err();
            assert!(found.starts_with(error), "{found:?} instead of {error:?}");
        }
        let found = read(b"input\na\n\xff\n", SampleFormat::Csv, &Columns::default()).unwrap_err();
        assert_eq!(found.to_string(), "line 3: this is not UTF-8: save the file as UTF-8");
    }
}
