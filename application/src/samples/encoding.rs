//! Finds the text in a file, and names what is not a text of samples.

use super::SampleError;

/// How files begin that are something else, and what to do with them.
const OTHERS: [(&[u8], &str); 7] = [
    (
        b"version https://git-lfs.github.com/spec/",
        "this is a Git LFS pointer, not the data: run `git lfs pull` where it comes from",
    ),
    (
        b"PAR1",
        "this is a Parquet file: write it as JSON lines first, as in \
         python -c 'import pandas, sys; pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], orient=\"records\", lines=True)' in.parquet out.jsonl",
    ),
    (b"PK\x03\x04", "this is a spreadsheet or zip file: save the sheet as CSV (UTF-8), or unpack it"),
    (b"\x1f\x8b", "this file is compressed: unpack it first, as with gunzip"),
    (b"SQLite format 3\0", "this is a database: export the table as CSV"),
    (b"<!DOCTYPE html", "this is a web page, not data: download the raw file"),
    (b"<html", "this is a web page, not data: download the raw file"),
];

/// The text of a file, without the byte order marks at its beginning.
pub(super) fn text(bytes: &[u8]) -> Result<&str, SampleError> {
    if let Some((_, advice)) = OTHERS.iter().find(|(begin, _)| bytes.starts_with(begin)) {
        return Err(SampleError::file("not_samples", *advice));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || looks_like_utf16(bytes) {
        return Err(SampleError::line(1, "this is UTF-16, not UTF-8: save the file as UTF-8"));
    }
    let mut bytes = bytes;
    while let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        bytes = rest;
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = line_at(bytes, error.valid_up_to());
        SampleError::line(line, "this is not UTF-8: save the file as UTF-8")
    })?;
    match text.find('\0') {
        Some(at) => {
            let advice = "there is a NUL character here, which no database keeps: remove it";
            Err(SampleError::line(line_at(bytes, at), advice))
        }
        None => Ok(text),
    }
}

/// Whether every other byte of the beginning is zero, as ASCII is in UTF-16.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    /// Bytes that are looked at.
    const BEGINNING: usize = 64;
    let begin = bytes.get(..bytes.len().min(BEGINNING)).unwrap_or_default();
    let zeros = |from: usize| begin.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    begin.len() >= 4 && zeros(0).max(zeros(1)) * 3 > begin.len()
}

/// The line of a byte, from 1. Lines end with LF, CRLF or CR.
pub(super) fn line_at(bytes: &[u8], offset: usize) -> u64 {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let ends = before.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    ends.count() as u64 + 1
}

/// What is said of a byte order mark in the middle of a file.
pub(super) const MARK_INSIDE: &str =
    "a byte order mark stands at the beginning of this line, as when files were joined: remove it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_things_are_named() {
        for (bytes, told) in [
            (&b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"[..], "Git LFS pointer"),
            (b"PAR1\x15\x04", "Parquet"),
            (b"PK\x03\x04xx", "spreadsheet"),
            (b"\xff\xfei\0n\0", "line 1: this is UTF-16"),
            (b"i\0n\0p\0u\0t\0", "line 1: this is UTF-16"),
            (b"input\r\n\r\n\xe9\r\n", "line 3: this is not UTF-8"),
            (b"input\ra\rb\0\r", "line 3: there is a NUL"),
            (b"input\na\n\xe4\xb8", "line 3: this is not UTF-8"),
        ] {
            let error = text(bytes).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert_eq!(text(b"\xef\xbb\xbf\xef\xbb\xbfinput\n").unwrap(), "input\n");
    }
}
