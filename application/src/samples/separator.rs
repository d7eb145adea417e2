//! Finds what separates the cells of a file.

use super::SampleError;
use super::csv::Records;
use super::encoding::line_at;

/// What may separate cells, with its name.
const SEPARATORS: [(u8, &str); 3] = [(b',', "comma"), (b';', "semicolon"), (b'\t', "tab")];

/// Records by which it is decided where the header leaves it open.
const RECORDS_COMPARED: usize = 1_000;

/// A text, the separator of its cells, and the number of its first line.
pub(super) struct Separated<'a> {
    pub(super) text: &'a str,
    pub(super) separator: u8,
    pub(super) first_line: u64,
}

/// Finds the separator: what a first line such as `sep=;` says, else what stands in the header.
pub(super) fn find(text: &str) -> Result<Separated<'_>, SampleError> {
    if let Some((separator, rest)) = stated(text) {
        return Ok(Separated { text: rest, separator, first_line: 2 });
    }
    let (header, first_line) = header(text);
    let present: Vec<(u8, &str)> =
        SEPARATORS.into_iter().filter(|(byte, _)| stands_in(header, *byte)).collect();
    let separator = match present.as_slice() {
        [] => b',',
        [(only, _)] => *only,
        several => by_width(text, several).ok_or_else(|| ambiguous(several, first_line))?,
    };
    Ok(Separated { text, separator, first_line: 1 })
}

/// The separator that a first line such as `sep=;` states, and what follows the line.
fn stated(text: &str) -> Option<(u8, &str)> {
    let rest = text.strip_prefix("sep=").or_else(|| text.strip_prefix("\"sep="))?;
    let separator = *rest.as_bytes().first().filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte))?;
    let rest = rest.get(1..)?;
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']))?;
    Some((separator, rest))
}

/// The first record that is not blank, and the number of its line. Line breaks in quotes do not end it.
fn header(text: &str) -> (&str, u64) {
    let begin = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let blank = text.get(..begin).unwrap_or_default();
    let begin = blank.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let rest = text.get(begin..).unwrap_or_default();
    let mut quoted = false;
    let end = rest.bytes().position(|byte| {
        quoted ^= byte == b'"';
        !quoted && (byte == b'\n' || byte == b'\r')
    });
    (rest.get(..end.unwrap_or(rest.len())).unwrap_or_default(), line_at(text.as_bytes(), begin))
}

/// Whether a byte stands outside quotes.
fn stands_in(header: &str, separator: u8) -> bool {
    let mut quoted = false;
    header.bytes().any(|byte| {
        quoted ^= byte == b'"';
        !quoted && byte == separator
    })
}

/// The one separator under which all records are equally wide.
fn by_width(text: &str, separators: &[(u8, &str)]) -> Option<u8> {
    let fits = |separator: u8| {
        let mut width = None;
        let mut rows = 0_usize;
        for record in Records::new(text, separator, 1).take(RECORDS_COMPARED) {
            let Ok(record) = record else { return false };
            if record.is_blank(2) {
                continue;
            }
            rows += 1;
            if *width.get_or_insert(record.cells.len()) != record.cells.len() {
                return false;
            }
        }
        rows > 1
    };
    let mut fitting = separators.iter().filter(|(separator, _)| fits(*separator));
    let (only, _) = fitting.next()?;
    fitting.next().is_none().then_some(*only)
}

fn ambiguous(separators: &[(u8, &str)], line: u64) -> SampleError {
    let names: Vec<&str> = separators.iter().map(|(_, name)| *name).collect();
    let first = separators.first().map_or(',', |(byte, _)| char::from(*byte));
    let shown = if first == '\t' { "TAB".to_owned() } else { first.to_string() };
    let detail = format!(
        "it is not clear whether a {} separates the cells: write sep={shown} as the first line, or quote the names that hold the others",
        names.join(" or a ")
    );
    SampleError::line(line, detail).with_code("separator_ambiguous")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_found_or_asked_for() {
        for (text, separator) in [
            ("input,reference\na;b,c\n", b','),
            ("input;reference;lang\r\n\"3,50; bitte\";x;de\r\nHallo, Welt;y;de\r\n", b';'),
            ("input\treference\na\tb\n", b'\t'),
            ("\"a,b\";c\nx;y\n", b';'),
            ("a, or b;c\nx, y;z\n1;2\n", b';'),
            ("input\na, b\n", b','),
            ("\r\n\r\n\"a\nb, c\";d\nx;y\n", b';'),
            ("\tb\nx\ty\n", b'\t'),
            ("sep=;\ninput,x;reference\n", b';'),
            ("sep=|\r\na|b\n", b'|'),
        ] {
            assert_eq!(find(text).unwrap().separator, separator, "{text:?}");
        }
        for (text, line) in [("a,b;c\n1,2;3\n", 1), ("\r\n\na,b;c\n1,2\n1;2\n", 3), ("a,b;c\n", 1)] {
            let error = find(text).err().unwrap();
            assert!(error.to_string().starts_with(&format!("line {line}: ")), "{error}");
            assert_eq!(error.code, "separator_ambiguous");
            assert!(error.to_string().contains("sep=,"), "{error}");
        }
    }
}
