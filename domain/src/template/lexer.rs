//! Splits a template into text and tags, and tags into tokens.

use super::Fault;

/// A piece of the source.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// `{{ … }}`: its place and tokens.
    Output(usize, Vec<Token>),
    /// `{% … %}`.
    Block(usize, Vec<Token>),
}

/// A token of a tag, with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Name(String),
    Text(String),
    Whole(i64),
    Float(f64),
    Sign(&'static str),
}

/// Longer signs come first. Some are included only for the error message.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "//", "**", "<", ">", "(", ")", "[", "]", "{", "}", ",", ".", "|", "=", ":", "+",
    "-", "*", "/", "%",
];

/// Splits a source into pieces.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece>, Fault> {
    let mut lexer = Lexer { source, at: 0, trim: false, pieces: Vec::new() };
    while lexer.at < source.len() {
        lexer.next()?;
    }
    Ok(lexer.pieces)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    /// The previous tag trims the white space after it.
    trim: bool,
    pieces: Vec<Piece>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn next(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let opens = rest.match_indices('{').find(|(at, _)| rest[at + 1..].starts_with(['{', '%', '#']));
        let Some((length, _)) = opens else {
            self.text(rest, false);
            self.at = self.source.len();
            return Ok(());
        };
        let inner = &rest[length + 2..];
        self.text(&rest[..length], inner.starts_with('-'));
        let opened = self.at + length;
        self.at = opened + 2 + usize::from(inner.starts_with('-'));
        match &rest[length..length + 2] {
            "{#" => self.comment(opened),
            "{{" => self.tag(opened, "}}").map(|tokens| self.pieces.push(Piece::Output(opened, tokens))),
            _ => self.block(opened),
        }
    }

    /// Adds the text between tags, trimmed as they demand.
    fn text(&mut self, text: &str, trim_end: bool) {
        let text = if std::mem::take(&mut self.trim) { text.trim_start() } else { text };
        let text = if trim_end { text.trim_end() } else { text };
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text.to_owned()));
        }
    }

    fn comment(&mut self, opened: usize) -> Result<(), Fault> {
        let rest = self.rest();
        let end =
            rest.find("#}").ok_or_else(|| Fault::new(opened, "the comment is not closed: write `#}`"))?;
        self.trim = rest[..end].ends_with('-');
        self.at += end + 2;
        Ok(())
    }

    fn block(&mut self, opened: usize) -> Result<(), Fault> {
        let tokens = self.tag(opened, "%}")?;
        if !matches!(tokens.as_slice(), [Token { kind: TokenKind::Name(name), .. }] if name == "raw") {
            self.pieces.push(Piece::Block(opened, tokens));
            return Ok(());
        }
        let rest = self.rest();
        let mut ends = rest.match_indices("{%").filter_map(|(at, _)| Some((at, end_of_raw(&rest[at..])?)));
        let (length, (trim_before, trim_after, tag)) =
            ends.next().ok_or_else(|| Fault::new(opened, "`raw` is not closed: write `{% endraw %}`"))?;
        self.text(&rest[..length], trim_before);
        self.trim = trim_after;
        self.at += length + tag;
        Ok(())
    }

    /// The tokens of a tag.
    fn tag(&mut self, opened: usize, close: &str) -> Result<Vec<Token>, Fault> {
        let mut tokens = Vec::new();
        let mut braces = 0_i64;
        loop {
            let rest = self.rest();
            let white = rest.len() - rest.trim_start().len();
            self.at += white;
            let rest = &rest[white..];
            let marked = rest.strip_prefix('-').filter(|rest| rest.starts_with(close));
            if marked.is_some() || rest.starts_with(close) && !(close == "}}" && braces > 0) {
                self.trim = marked.is_some();
                self.at += close.len() + usize::from(marked.is_some());
                return Ok(tokens);
            }
            if rest.is_empty() {
                return Err(Fault::new(opened, format!("the tag is not closed: write `{close}`")));
            }
            let (kind, length) = token(rest).map_err(|message| Fault::new(self.at, message))?;
            // A `}}` may also close a `{` inside the tag.
            braces += i64::from(kind == TokenKind::Sign("{")) - i64::from(kind == TokenKind::Sign("}"));
            tokens.push(Token { at: self.at, kind });
            self.at += length;
        }
    }
}

/// If `{% endraw %}` begins here: its trim marks and its length.
fn end_of_raw(text: &str) -> Option<(bool, bool, usize)> {
    let inner = text.strip_prefix("{%")?;
    let (before, inner) = inner.strip_prefix('-').map_or((false, inner), |inner| (true, inner));
    let inner = inner.trim_start().strip_prefix("endraw")?.trim_start();
    let (after, inner) = inner.strip_prefix('-').map_or((false, inner), |inner| (true, inner));
    let behind = inner.strip_prefix("%}")?;
    Some((before, after, text.len() - behind.len()))
}

/// The first token of a text, and its length.
fn token(text: &str) -> Result<(TokenKind, usize), String> {
    let first = text.chars().next().unwrap_or(' ');
    if first.is_ascii_digit() {
        return number(text);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        return Ok((TokenKind::Name(text[..length].to_owned()), length));
    }
    if first == '"' || first == '\'' {
        return quoted(text, first);
    }
    let sign = SIGNS.into_iter().find(|sign| text.starts_with(sign));
    match (sign, first) {
        (Some(sign), _) => Ok((TokenKind::Sign(sign), sign.len())),
        (None, '~') => {
            Err("`~` is not part of templates: write both values side by side, or use `join`".to_owned())
        }
        (None, _) => Err(format!("`{}` does not belong here", first.escape_debug())),
    }
}

fn number(text: &str) -> Result<(TokenKind, usize), String> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut length = digits(text);
    let fraction = text[length..].strip_prefix('.').map_or(0, digits);
    let is_float = fraction > 0;
    length += if is_float { fraction + 1 } else { 0 };
    let behind = text[length..].chars().next();
    if behind.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("a number here is written with digits and one point, such as 12 or 0.5".to_owned());
    }
    let digits = &text[..length];
    let parsed = if is_float {
        digits.parse().ok().map(TokenKind::Float)
    } else {
        digits.parse().ok().map(TokenKind::Whole)
    };
    parsed.map(|kind| (kind, length)).ok_or_else(|| format!("{digits} is too large a number"))
}

fn quoted(text: &str, quote: char) -> Result<(TokenKind, usize), String> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((TokenKind::Text(out), at + 1)),
            '\\' => out.push(escaped(chars.next().map(|(_, c)| c))?),
            c => out.push(c),
        }
    }
    Err(format!("the text is not closed: write {quote}"))
}

fn escaped(c: Option<char>) -> Result<char, String> {
    match c {
        Some(c @ ('"' | '\'' | '\\' | '/')) => Ok(c),
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('r') => Ok('\r'),
        Some(c) => Err(format!(
            "`\\{}` is an unknown escape. Known: \\n \\t \\r \\\\ \\\" and \\'",
            c.escape_debug()
        )),
        None => Err("the text ends in an escape".to_owned()),
    }
}
