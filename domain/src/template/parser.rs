//! Parses a template into nested blocks.

use super::Fault;
use super::ast::{Expr, Node};
use super::lexer::{Piece, Token, pieces};
use super::limits::check_depth;
use super::tokens::Tokens;
use crate::problem;

/// Parses a whole template.
pub(super) fn parse(source: &str) -> Result<Vec<Node>, Fault> {
    let mut parser = Parser { pieces: pieces(source)?.into_iter(), depth: 0, loops: 0 };
    let (nodes, end) = parser.body(&[])?;
    match end {
        None => Ok(nodes),
        Some(end) => Err(Fault::new(end.at, format!("`{}` closes nothing", end.word))),
    }
}

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
    depth: usize,
    loops: usize,
}

/// The tag that ends a body.
struct End {
    at: usize,
    word: String,
    tokens: Tokens,
}

/// Tags of other dialects.
const LEFT_OUT: [&str; 16] = [
    "macro",
    "endmacro",
    "include",
    "import",
    "from",
    "extends",
    "block",
    "endblock",
    "call",
    "filter",
    "with",
    "do",
    "autoescape",
    "break",
    "continue",
    "trans",
];

const ENDS: [&str; 6] = ["elif", "else", "endif", "endfor", "endset", "endraw"];

impl Parser {
    /// Parses nodes up to one of these tags, or to the end of the source.
    fn body(&mut self, ends: &[&str]) -> Result<(Vec<Node>, Option<End>), Fault> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            match piece {
                Piece::Text(text) => nodes.push(Node::Text(text)),
                Piece::Output(at, tokens) => nodes.push(Node::Output(self.whole(at, tokens)?)),
                Piece::Block(at, tokens) => {
                    let mut tokens = Tokens::new(at, tokens, self.loops > 0);
                    let word = tokens.name("the name of a tag, such as if, for or set")?;
                    if ENDS.contains(&word.as_str()) {
                        let end = End { at, word, tokens };
                        if ends.is_empty() || ends.contains(&end.word.as_str()) {
                            return Ok((nodes, Some(end)));
                        }
                        return Err(Fault::new(
                            at,
                            format!("`{}` where {} was expected", end.word, ends.join(" or ")),
                        ));
                    }
                    nodes.push(self.block(at, &word, tokens)?);
                }
            }
        }
        Ok((nodes, None))
    }

    /// Parses an expression that fills its tag.
    fn whole(&self, at: usize, tokens: Vec<Token>) -> Result<Expr, Fault> {
        let mut tokens = Tokens::new(at, tokens, self.loops > 0);
        let expr = tokens.expression()?;
        tokens.end()?;
        Ok(expr)
    }

    fn block(&mut self, at: usize, word: &str, tokens: Tokens) -> Result<Node, Fault> {
        self.depth = check_depth(self.depth + 1, at)?;
        let node = match word {
            "if" => self.conditional(at, tokens),
            "for" => self.repetition(at, tokens),
            "set" => set(tokens),
            word => Err(unknown(at, word)),
        };
        self.depth -= 1;
        node
    }

    fn conditional(&mut self, at: usize, mut tokens: Tokens) -> Result<Node, Fault> {
        let mut branches = Vec::new();
        let mut condition = Some(tokens.expression()?);
        tokens.end()?;
        loop {
            let open: &[&str] = if condition.is_some() { &["elif", "else", "endif"] } else { &["endif"] };
            let (body, end) = self.body(open)?;
            branches.push((condition, body));
            let mut end = end.ok_or_else(|| Fault::new(at, "`if` is not closed: write `{% endif %}`"))?;
            condition = if end.word == "elif" { Some(end.tokens.expression()?) } else { None };
            end.tokens.end()?;
            if end.word == "endif" {
                return Ok(Node::If(branches));
            }
        }
    }

    fn repetition(&mut self, at: usize, mut tokens: Tokens) -> Result<Node, Fault> {
        let name = tokens.variable()?;
        if tokens.takes(",") {
            return Err(Fault::new(at, "`for a, b in` is not part of templates: give each item one name"));
        }
        tokens.keyword("in")?;
        let list = tokens.expression()?;
        if tokens.next_is_name("if") || tokens.next_is_name("recursive") {
            return Err(Fault::new(
                at,
                "a loop has no `if` of its own and no `recursive`: put an `if` into its body",
            ));
        }
        tokens.end()?;
        self.loops += 1;
        let body = self.body(&["endfor"]);
        self.loops -= 1;
        let (body, end) = body.map_err(no_else)?;
        let mut end = end.ok_or_else(|| Fault::new(at, "`for` is not closed: write `{% endfor %}`"))?;
        end.tokens.end()?;
        Ok(Node::For { name, list, body })
    }
}

fn no_else(fault: Fault) -> Fault {
    if fault.message.starts_with("`else` where endfor") {
        return Fault::new(fault.at, "a loop has no `else`: put an `if` around it");
    }
    fault
}

fn set(mut tokens: Tokens) -> Result<Node, Fault> {
    let name = tokens.variable()?;
    tokens.sign("=", "`=` and a value: `{% set name = value %}`")?;
    let value = tokens.expression()?;
    tokens.end()?;
    Ok(Node::Set { name, value })
}

fn unknown(at: usize, word: &str) -> Fault {
    let known = ["if", "for", "set", "raw"];
    if LEFT_OUT.contains(&word) {
        return Fault::new(
            at,
            format!("`{{% {word} %}}` is not part of templates. Known: {}", known.join(", ")),
        );
    }
    Fault::new(at, problem::unknown("tag", word, known))
}
