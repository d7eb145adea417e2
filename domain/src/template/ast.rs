//! The syntax tree of templates.

use super::filters::Filter;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Output(Expr),
    /// The first branch whose condition is true. An `else` branch comes last and has no condition.
    If(Vec<(Option<Expr>, Vec<Node>)>),
    For {
        name: String,
        list: Expr,
        body: Vec<Node>,
    },
    Set {
        name: String,
        value: Expr,
    },
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr {
    /// Where it begins, in bytes.
    pub(super) at: usize,
    /// Its depth of nesting.
    pub(super) depth: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    None,
    Bool(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    List(Vec<Expr>),
    Name(String),
    Field(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// Whether the second value contains the first.
    In(Box<Expr>, Box<Expr>),
    Defined(Box<Expr>),
    Filter(Filter, Box<Expr>, Vec<Argument>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An argument of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    pub(super) name: Option<String>,
    pub(super) value: Expr,
}

impl Expr {
    /// The name and its fields, if the expression consists only of those: `sample.meta["lang"]`.
    pub(super) fn path(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Name(name) => Some(vec![name]),
            Kind::Field(of, field) => extended(of, field),
            Kind::Index(of, index) => match &index.kind {
                Kind::Text(field) => extended(of, field),
                _ => None,
            },
            _ => None,
        }
    }
}

fn extended<'a>(of: &'a Expr, field: &'a str) -> Option<Vec<&'a str>> {
    let mut path = of.path()?;
    path.push(field);
    Some(path)
}
