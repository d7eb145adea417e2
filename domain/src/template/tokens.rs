//! The tokens of a tag, taken one by one.

use super::Fault;
use super::lexer::{Token, TokenKind};

/// The tokens of one tag.
pub(super) struct Tokens {
    /// Where the tag begins.
    pub(super) tag: usize,
    pub(super) left: std::iter::Peekable<std::vec::IntoIter<Token>>,
    pub(super) in_loop: bool,
    pub(super) depth: usize,
}

/// Words that cannot be names.
const RESERVED: [&str; 14] =
    ["true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else", "loop"];

impl Tokens {
    pub(super) fn new(tag: usize, tokens: Vec<Token>, in_loop: bool) -> Self {
        Self { tag, left: tokens.into_iter().peekable(), in_loop, depth: 0 }
    }

    pub(super) fn at(&mut self) -> usize {
        let tag = self.tag;
        self.left.peek().map_or(tag, |token| token.at)
    }

    pub(super) fn fault<T>(&mut self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault::new(self.at(), message))
    }

    pub(super) fn next_is(&mut self, sign: &str) -> bool {
        self.left.peek().is_some_and(|token| matches!(token.kind, TokenKind::Sign(found) if found == sign))
    }

    pub(super) fn next_is_name(&mut self, name: &str) -> bool {
        self.left.peek().is_some_and(|token| matches!(&token.kind, TokenKind::Name(found) if found == name))
    }

    /// Takes a sign if it comes next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let comes = self.next_is(sign);
        if comes {
            self.left.next();
        }
        comes
    }

    pub(super) fn takes_name(&mut self, name: &str) -> bool {
        let comes = self.next_is_name(name);
        if comes {
            self.left.next();
        }
        comes
    }

    pub(super) fn sign(&mut self, sign: &str, wanted: &str) -> Result<(), Fault> {
        if self.takes(sign) { Ok(()) } else { self.fault(format!("expected {wanted}")) }
    }

    pub(super) fn keyword(&mut self, word: &str) -> Result<(), Fault> {
        if self.takes_name(word) { Ok(()) } else { self.fault(format!("expected `{word}`")) }
    }

    pub(super) fn name(&mut self, wanted: &str) -> Result<String, Fault> {
        match self.left.next_if(|token| matches!(token.kind, TokenKind::Name(_))) {
            Some(Token { kind: TokenKind::Name(name), .. }) => Ok(name),
            _ => self.fault(format!("expected {wanted}")),
        }
    }

    /// Takes a name that a value can be assigned to.
    pub(super) fn variable(&mut self) -> Result<String, Fault> {
        let at = self.at();
        let name = self.name("a name")?;
        if RESERVED.contains(&name.as_str()) {
            return Err(Fault::new(at, format!("`{name}` cannot be the name of a value")));
        }
        Ok(name)
    }

    /// Expects that no token is left.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        match self.left.peek() {
            None => Ok(()),
            Some(token) => Err(Fault::new(token.at, left_over(&token.kind))),
        }
    }
}

/// The error about an unexpected token.
pub(super) fn left_over(token: &TokenKind) -> String {
    match token {
        TokenKind::Sign(sign @ ("+" | "-" | "*" | "/" | "//" | "**" | "%")) => {
            format!("`{sign}`: templates have no arithmetic")
        }
        TokenKind::Sign(sign) => format!("`{sign}` does not belong here"),
        TokenKind::Name(name) if name == "if" => {
            "`a if b else c` is not part of templates: write `{% if b %}a{% else %}c{% endif %}`".to_owned()
        }
        TokenKind::Name(name) => format!("`{name}` does not belong here"),
        TokenKind::Text(_) => "a text does not belong here".to_owned(),
        TokenKind::Whole(_) | TokenKind::Float(_) => "a number does not belong here".to_owned(),
    }
}
