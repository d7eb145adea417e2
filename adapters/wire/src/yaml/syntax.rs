//! Explains syntax errors of YAML documents in terms of the document.
//!
//! A parser reports where it could not continue. Usually the mistake is a text that needs quotes, so the line is
//! examined first. The parser's kind of error is used only if the line does not explain it.

use granit_parser::{ErrorKind, ScanError, Span};

use super::{Fault, Place};

pub(super) const QUOTE_BRACES: &str = "a text that begins with `{` must stand in quotes, as in prompt: \"{{ sample.input }}\", or on lines of its own below `|`";

const QUOTE_COLON: &str = "a text that holds `: ` must stand in quotes, as in prompt: \"Answer: {{ sample.input }}\", or on lines of its own below `|`";

const QUOTE_DOLLAR: &str = "a text that holds `${…}` must stand in quotes, as in url: \"${NAME}/v1\"";

const NO_TABS: &str = "a tab cannot indent: use spaces";

/// Characters that a plain text must not begin with.
const RESERVED: [char; 10] = ['@', '`', '%', '*', '&', '!', '|', '>', '"', '\''];

/// Explains the parser's error.
pub(super) fn fault(text: &str, error: &ScanError) -> Fault {
    let marker = error.marker();
    let at = Place { line: marker.line().max(1), column: marker.col() + 1 };
    if let Some(fault) = tab(text, at.line) {
        return fault;
    }
    let line = text.lines().nth(at.line - 1).unwrap_or_default();
    if let Some((column, advice)) = unquoted(line, error.kind()) {
        return Fault::new(Place { line: at.line, column }, advice);
    }
    let is_bracket = matches!(
        error.kind(),
        ErrorKind::InvalidColonPlacement
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
            | ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofFlowSequence
    );
    if let Some((at, bracket)) = open_bracket(text, at).filter(|_| is_bracket) {
        return Fault::new(
            at,
            format!("the `{bracket}` that opens here is not closed, or a comma is missing behind it"),
        );
    }
    Fault::new(at, told(error.kind()))
}

/// The innermost bracket that is open before a place or at the end of the previous line.
fn open_bracket(text: &str, until: Place) -> Option<(Place, char)> {
    let mut open: Vec<(Place, char)> = Vec::new();
    for (index, line) in text.lines().enumerate().take(until.line) {
        let begins = split_value(line).map_or(line.trim_start(), |(_, value)| value).starts_with(['[', '{']);
        if open.is_empty() && !begins {
            continue;
        }
        let mut quote = None;
        for (column, c) in line.chars().enumerate() {
            let at = Place { line: index + 1, column: column + 1 };
            if at.line == until.line && at.column >= until.column {
                break;
            }
            match (quote, c) {
                (Some(open), _) if open == c => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '[' | '{') => open.push((at, c)),
                (None, ']' | '}') => drop(open.pop()),
                (None, _) => {}
            }
        }
    }
    open.pop()
}

/// The text from the beginning of a span.
pub(super) fn rest_of<'a>(text: &'a str, span: &Span) -> &'a str {
    let from = span.byte_range().map_or(text.len(), |range| range.start);
    text.get(from..).unwrap_or_default()
}

/// The first tab in an indentation, on the line that the parser names or on the next line that is not blank.
fn tab(text: &str, line: usize) -> Option<Fault> {
    let near = text.lines().enumerate().skip(line.saturating_sub(2)).take(4);
    near.filter(|(_, line)| !line.trim().is_empty()).find_map(|(index, line)| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let column = indent.chars().position(|c| c == '\t')? + 1;
        Some(Fault::new(Place { line: index + 1, column }, NO_TABS))
    })
}

/// The column of a text that needs quotes, and the message about it.
fn unquoted(line: &str, kind: &ErrorKind) -> Option<(usize, String)> {
    let (before, value) = split_value(line)?;
    let column = before.chars().count() + 1;
    if value.starts_with(['"', '\'']) {
        return None;
    }
    if value.starts_with("{{") || value.starts_with("{%") {
        return Some((column, QUOTE_BRACES.to_owned()));
    }
    if let Some(at) = line.find("${").filter(|_| !in_quotes(line, "${")) {
        return Some((line[..at].chars().count() + 1, QUOTE_DOLLAR.to_owned()));
    }
    let reserved = value.chars().next().filter(|first| RESERVED.contains(first));
    if let Some(first) = reserved.filter(|_| !matches!(kind, ErrorKind::MappingValueNotAllowed)) {
        let advice = format!("a text that begins with `{first}` must stand in quotes");
        return Some((column, advice));
    }
    let is_list = matches!(kind, ErrorKind::BlockSequenceEntryNotAllowed);
    let colon = value.find(": ").filter(|_| !is_list && !value.starts_with(['{', '[']))?;
    Some((column + value[..colon].chars().count(), QUOTE_COLON.to_owned()))
}

/// The part of a line before a field's value, and the value.
fn split_value(line: &str) -> Option<(&str, &str)> {
    let at = line.find(": ").map(|at| at + 2).or_else(|| line.find("- ").map(|at| at + 2))?;
    let value = line.get(at..)?;
    let blanks = value.len() - value.trim_start().len();
    Some((line.get(..at + blanks)?, value.trim_start()))
}

/// Whether the first occurrence of a pattern is inside quotes.
fn in_quotes(line: &str, pattern: &str) -> bool {
    let before = line.split(pattern).next().unwrap_or_default();
    before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1
}

fn told(kind: &ErrorKind) -> &'static str {
    let known = of_structure(kind).or_else(|| of_text(kind));
    known.unwrap_or("this cannot be read: put the text in quotes, and check the indentation")
}

/// The message about brackets, indentation and the like.
fn of_structure(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::ExpectedFlowSequenceSeparator => {
            "the list is not closed, or a comma is missing: write [a, b]"
        }
        ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::FlowMappingValueAdjacentCollection => {
            "the object is not closed, or a comma is missing: write {a: 1, b: 2}; a text with braces stands in quotes"
        }
        ErrorKind::UnclosedFlowCollection { .. } | ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            "the list or object that opens here is not closed"
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            "a `]` or `}` closes what was not opened: remove it, or put the text in quotes"
        }
        ErrorKind::BlockSequenceEntryNotAllowed => {
            "a list begins on a line of its own, or stands in brackets: [a, b]"
        }
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::SimpleKeyExpected => {
            "this does not line up with the lines before it: indent fields of one object alike, and close quotes"
        }
        ErrorKind::RecursionLimitExceeded => "lists and objects are nested deeper than 128 levels",
        ErrorKind::UnexpectedEof => "the file ends in the middle: is a quote, list or object not closed?",
        _ => return None,
    })
}

/// The message about names and texts.
fn of_text(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::UnknownAnchor => {
            "`*` repeats what was named with `&` before, and nothing was: a text that begins with `*` stands in quotes"
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => NO_TABS,
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidColonPlacement => {
            "a name and its value stand as `name: value` on a line of their own: is the line before this one complete?"
        }
        ErrorKind::UnclosedQuotedScalar => "the quote that opens here is not closed",
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate => {
            "`\\` does not go with what follows: in double quotes a backslash is written \\\\, in single quotes it stands for itself"
        }
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            "text follows a closing quote: put all of it in quotes, with \\\" or '' for a quote inside, or close the quote before"
        }
        ErrorKind::BomInsideDocument => "a byte order mark stands here, as when files were joined: remove it",
        ErrorKind::MultipleDocumentsUnsupported | ErrorKind::ExpectedDocumentStart => {
            "the document ends before this: indent it alike, and keep one document in the file"
        }
        _ => return None,
    })
}
