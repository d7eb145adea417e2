//! Builds a template from the result of partial rendering, without blocks and names that nothing uses any more.

use std::collections::BTreeSet;

use super::ast::{Expr, Kind, Node};

/// A remaining part.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Text(String),
    Output(Expr),
    If(Vec<(Option<Expr>, Vec<Part<'a>>)>),
    For {
        name: &'a str,
        list: Expr,
        body: Vec<Part<'a>>,
        /// Whether it is one iteration of a loop over a known list.
        is_one_turn: bool,
    },
    Set {
        name: &'a str,
        value: Expr,
        /// Whether the value is known. It was inserted wherever it was read, if it has a literal.
        is_known: bool,
    },
}

/// The nodes of these parts.
pub(super) fn nodes(parts: &[Part<'_>]) -> Vec<Node> {
    let mut residue = Residue { read: BTreeSet::new(), nodes: Vec::new() };
    loop {
        let before = residue.read.len();
        residue.read_parts(parts);
        if residue.read.len() == before {
            break;
        }
    }
    residue.write(parts);
    residue.nodes
}

/// Adds the names that these parts may define in their block.
pub(super) fn add_names_set<'a>(parts: &[Part<'a>], names: &mut BTreeSet<&'a str>) {
    for part in parts {
        match part {
            Part::Set { name, .. } => drop(names.insert(name)),
            Part::If(branches) => branches.iter().for_each(|(_, body)| add_names_set(body, names)),
            Part::Text(_) | Part::Output(_) | Part::For { .. } => {}
        }
    }
}

struct Residue {
    /// Names that are read in any block.
    read: BTreeSet<String>,
    nodes: Vec<Node>,
}

impl Residue {
    fn read_parts(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Output(expr) => self.read(expr),
                Part::If(branches) => {
                    for (condition, body) in branches {
                        if let Some(condition) = condition {
                            self.read(condition);
                        }
                        self.read_parts(body);
                    }
                }
                Part::For { name, list, body, is_one_turn } => {
                    self.read_parts(body);
                    if !is_one_turn || self.read.contains(*name) {
                        self.read(list);
                    }
                }
                Part::Set { name, value, is_known } => {
                    if !is_known || self.read.contains(*name) {
                        self.read(value);
                    }
                }
            }
        }
    }

    fn read(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::None | Kind::Bool(_) | Kind::Whole(_) | Kind::Float(_) | Kind::Text(_) => {}
            Kind::Name(name) => drop(self.read.insert(name.clone())),
            Kind::Field(of, _) | Kind::Not(of) | Kind::Defined(of) => self.read(of),
            Kind::Index(a, b)
            | Kind::And(a, b)
            | Kind::Or(a, b)
            | Kind::Compare(_, a, b)
            | Kind::In(a, b) => {
                self.read(a);
                self.read(b);
            }
            Kind::List(items) => items.iter().for_each(|item| self.read(item)),
            Kind::Filter(_, of, arguments) => {
                self.read(of);
                for argument in arguments {
                    self.read(&argument.value);
                }
            }
        }
    }

    fn write(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            match part {
                Part::Text(text) => self.text(text),
                Part::Output(expr) => self.nodes.push(Node::Output(expr.clone())),
                Part::If(branches) => {
                    let branches = branches.iter();
                    let branches =
                        branches.map(|(condition, body)| (condition.clone(), self.nodes_in(body))).collect();
                    self.nodes.push(Node::If(branches));
                }
                Part::For { name, list, body, is_one_turn } => self.turns(name, list, body, *is_one_turn),
                Part::Set { name, value, is_known } => {
                    if !is_known || self.read.contains(*name) {
                        self.nodes.push(Node::Set { name: (*name).to_owned(), value: value.clone() });
                    }
                }
            }
        }
    }

    /// An iteration needs no block of its own if it defines no name that is read.
    fn turns(&mut self, name: &str, list: &Expr, body: &[Part<'_>], is_one_turn: bool) {
        let mut body = self.nodes_in(body);
        if is_one_turn && (body.is_empty() || !self.read.contains(name) && !sets(&body)) {
            for node in body.drain(..) {
                if let Node::Text(text) = &node { self.text(text) } else { self.nodes.push(node) }
            }
            return;
        }
        self.nodes.push(Node::For { name: name.to_owned(), list: list.clone(), body });
    }

    /// Adds a text; adjacent texts are merged.
    fn text(&mut self, text: &str) {
        match self.nodes.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => self.nodes.push(Node::Text(text.to_owned())),
        }
    }

    fn nodes_in(&mut self, parts: &[Part<'_>]) -> Vec<Node> {
        let outside = std::mem::take(&mut self.nodes);
        self.write(parts);
        std::mem::replace(&mut self.nodes, outside)
    }
}

/// Whether nodes define a name in their block.
fn sets(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Set { .. } => true,
        Node::If(branches) => branches.iter().any(|(_, body)| sets(body)),
        Node::Text(_) | Node::Output(_) | Node::For { .. } => false,
    })
}
