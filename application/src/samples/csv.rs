//! Cuts values with separators into records, as RFC 4180 has them, and refuses what that leaves unclear.
//!
//! A lenient reader would take a quote that is not closed for a cell that swallows the rows behind it. Here it is an error
//! with the line where the cell begins.

use std::borrow::Cow;

use super::SampleError;
use super::encoding::MARK_INSIDE;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell<'a> {
    pub(super) text: Cow<'a, str>,
    quoted: bool,
}

/// One row, and the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) line: u64,
    pub(super) cells: Vec<Cell<'a>>,
}

impl Record<'_> {
    /// Whether nothing is written on its line; blanks are nothing only where they cannot be the one cell of a row.
    pub(super) fn is_blank(&self, columns: usize) -> bool {
        let [only] = self.cells.as_slice() else { return false };
        !only.quoted && (only.text.is_empty() || (columns > 1 && only.text.trim().is_empty()))
    }
}

/// The records of a text.
pub(super) struct Records<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    separator: u8,
}

impl<'a> Records<'a> {
    /// The records of a text whose first line has this number. The separator is an ASCII character.
    pub(super) const fn new(text: &'a str, separator: u8, first_line: u64) -> Self {
        Self { text, at: 0, line: first_line, separator }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn record(&mut self) -> Result<Record<'a>, SampleError> {
        let line = self.line;
        if self.slice(self.at, self.text.len()).starts_with('\u{feff}') {
            return Err(SampleError::line(line, MARK_INSIDE));
        }
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell()?);
            match self.peek() {
                Some(byte) if byte == self.separator => self.at += 1,
                _ => break,
            }
        }
        self.line_end();
        Ok(Record { line, cells })
    }

    fn cell(&mut self) -> Result<Cell<'a>, SampleError> {
        if self.peek() == Some(b'"') {
            return self.quoted().map(|text| Cell { text, quoted: true });
        }
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let is_end = |byte: &u8| *byte == self.separator || *byte == b'\n' || *byte == b'\r';
        let end = self.at + rest.iter().position(is_end).unwrap_or(rest.len());
        let text = self.slice(self.at, end);
        if text.trim_start().starts_with('"') {
            let advice =
                "a blank stands before the opening quote: remove it, so that the cell is read as quoted";
            return Err(SampleError::line(self.line, advice));
        }
        self.at = end;
        Ok(Cell { text: Cow::Borrowed(text), quoted: false })
    }

    /// The cell whose opening quote comes next.
    fn quoted(&mut self) -> Result<Cow<'a, str>, SampleError> {
        let line = self.line;
        let begin = self.at + 1;
        let mut end = begin;
        let mut doubled = false;
        loop {
            let rest = self.text.as_bytes().get(end..).unwrap_or_default();
            let Some(quote) = rest.iter().position(|byte| *byte == b'"') else {
                let advice = "the quote that opens a cell here is not closed: close it, or write \"\" for a quote in a cell";
                return Err(SampleError::line(line, advice));
            };
            self.count_lines(end, end + quote);
            end += quote;
            if self.text.as_bytes().get(end + 1) != Some(&b'"') {
                break;
            }
            doubled = true;
            end += 2;
        }
        self.at = end + 1;
        let text = self.slice(begin, end);
        match self.peek() {
            None | Some(b'\n' | b'\r') => {}
            Some(byte) if byte == self.separator => {}
            Some(_) => return Err(self.text_behind(line, text)),
        }
        Ok(if doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) })
    }

    /// What is said of a cell that goes on behind its closing quote.
    fn text_behind(&self, begin: u64, text: &str) -> SampleError {
        let place = if self.line == begin { String::new() } else { format!(" in line {}", self.line) };
        let cause = if text.ends_with('\\') {
            "a quote inside a quoted cell is written \"\", not \\\""
        } else {
            "is a quote before it not closed? A quote inside a quoted cell is written \"\""
        };
        SampleError::line(
            begin,
            format!("the cell that begins here has text behind its closing quote{place}: {cause}"),
        )
    }

    fn count_lines(&mut self, from: usize, to: usize) {
        let bytes = self.text.as_bytes();
        let ends = (from..to).filter(|at| match bytes.get(*at) {
            Some(b'\n') => true,
            Some(b'\r') => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        self.line += ends.count() as u64;
    }

    /// Takes the end of a line, where it comes next.
    fn line_end(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = if rest.starts_with(b"\r\n") { 2 } else { usize::from(!rest.is_empty()) };
        self.at += length;
        self.line += u64::from(length > 0);
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, SampleError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.at = self.text.len();
        }
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, Vec<String>)>, String> {
        let records = Records::new(text, b',', 1).map(|record| {
            let Record { line, cells } = record.map_err(|error| error.to_string())?;
            Ok((line, cells.into_iter().map(|cell| cell.text.into_owned()).collect()))
        });
        records.collect()
    }

    #[test]
    fn cells_stand_as_they_are_written() {
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        for (text, rows) in [
            ("a,b\n1,\n", vec![(1, cells(&["a", "b"])), (2, cells(&["1", ""]))]),
            (
                "a\r\n\"x\r\ny\"\r\n\r\nz",
                vec![(1, cells(&["a"])), (2, cells(&["x\r\ny"])), (4, cells(&[""])), (5, cells(&["z"]))],
            ),
            (
                "a,b\r\"1\r\"\"2\",5\" pipe\r",
                vec![(1, cells(&["a", "b"])), (2, cells(&["1\r\"2", "5\" pipe"]))],
            ),
            (" x , y\n", vec![(1, cells(&[" x ", " y"]))]),
            ("\"\",\"\"\"\"", vec![(1, cells(&["", "\""]))]),
        ] {
            assert_eq!(read(text).unwrap(), rows, "{text:?}");
        }
    }

    #[test]
    fn quotes_that_are_unclear_are_refused_where_their_cell_begins() {
        for (text, told) in [
            ("a,b\n\n1,\"x\ny\n", "line 3: the quote that opens a cell here is not closed"),
            (
                "a\n\"20\" pipe\"\n",
                "line 2: the cell that begins here has text behind its closing quote: is a quote",
            ),
            (
                "a\n\"x,1\ny,2\n\"z,3\n",
                "line 2: the cell that begins here has text behind its closing quote in line 4",
            ),
            ("a\n\"He said \\\"no\\\" twice\"\n", "written \"\", not \\\""),
            ("a,b\n1, \"x\"\n", "line 2: a blank stands before the opening quote"),
            ("a\nb\n\u{feff}a\n", "line 3: a byte order mark"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }
}
