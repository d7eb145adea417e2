//! Finds the names that a template reads.

use std::collections::BTreeMap;

use super::Reference;
use super::ast::{Expr, Kind, Node};
use super::filters::Filter;

/// The names that nodes read from their scope, in order.
pub(super) fn of(nodes: &[Node]) -> Vec<Reference> {
    let mut finder = Finder { locals: Stack::default(), defined: Stack::default(), found: Vec::new() };
    finder.locals.push("loop".to_owned());
    finder.nodes(nodes);
    finder.found
}

type Path = Vec<String>;

struct Finder {
    /// Names that the template itself defines.
    locals: Stack<String>,
    /// Paths that are known to exist at this place.
    defined: Stack<Path>,
    found: Vec<Reference>,
}

/// A stack with fast lookup.
struct Stack<T> {
    items: Vec<T>,
    counts: BTreeMap<T, usize>,
}

impl<T> Default for Stack<T> {
    fn default() -> Self {
        Self { items: Vec::new(), counts: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> Stack<T> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn push(&mut self, item: T) {
        *self.counts.entry(item.clone()).or_default() += 1;
        self.items.push(item);
    }

    fn extend(&mut self, items: impl IntoIterator<Item = T>) {
        for item in items {
            self.push(item);
        }
    }

    fn truncate(&mut self, length: usize) {
        for item in self.items.drain(length..) {
            if let Some(count) = self.counts.get_mut(&item).filter(|count| **count > 1) {
                *count -= 1;
            } else {
                self.counts.remove(&item);
            }
        }
    }

    fn contains<Q: Ord + ?Sized>(&self, item: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        self.counts.contains_key(item)
    }
}

impl Finder {
    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(_) => {}
            Node::Output(expr) => self.expr(expr, false),
            Node::If(branches) => self.branches(branches),
            Node::For { name, list, body } => {
                self.expr(list, false);
                let outside = self.locals.len();
                self.locals.push(name.clone());
                self.nodes(body);
                self.locals.truncate(outside);
            }
            Node::Set { name, value } => {
                self.expr(value, false);
                self.locals.push(name.clone());
            }
        }
    }

    /// In each branch, the conditions before it are false and its own is true.
    fn branches(&mut self, branches: &[(Option<Expr>, Vec<Node>)]) {
        let (before, names) = (self.defined.len(), self.locals.len());
        for (condition, body) in branches {
            if let Some(condition) = condition {
                self.expr(condition, false);
            }
            let not_held = self.defined.len();
            self.defined.extend(condition.iter().flat_map(|condition| known_if(condition, true)));
            self.nodes(body);
            self.defined.truncate(not_held);
            self.defined.extend(condition.iter().flat_map(|condition| known_if(condition, false)));
            // A name that only some branches define may still come from the scope.
            self.locals.truncate(names);
        }
        self.defined.truncate(before);
    }

    fn expr(&mut self, expr: &Expr, guarded: bool) {
        if let Some(path) = expr.path() {
            self.path(&path, guarded);
            return;
        }
        match &expr.kind {
            Kind::List(items) => items.iter().for_each(|item| self.expr(item, false)),
            Kind::Field(of, _) | Kind::Not(of) => self.expr(of, false),
            Kind::Index(of, index) => {
                self.expr(of, false);
                self.expr(index, false);
            }
            Kind::And(left, right) => self.after(left, right, true),
            Kind::Or(left, right) => self.after(left, right, false),
            Kind::Compare(_, left, right) | Kind::In(left, right) => {
                self.expr(left, false);
                self.expr(right, false);
            }
            Kind::Defined(of) => self.expr(of, true),
            Kind::Filter(filter, of, arguments) => {
                self.expr(of, *filter == Filter::Default);
                for argument in arguments {
                    self.expr(&argument.value, false);
                }
            }
            Kind::Name(_) | Kind::None | Kind::Bool(_) | Kind::Whole(_) | Kind::Float(_) | Kind::Text(_) => {}
        }
    }

    /// The right side is read only if the left one is true, or only if it is false.
    fn after(&mut self, left: &Expr, right: &Expr, holds: bool) {
        self.expr(left, false);
        let before = self.defined.len();
        self.defined.extend(known_if(left, holds));
        self.expr(right, false);
        self.defined.truncate(before);
    }

    fn path(&mut self, path: &[&str], guarded: bool) {
        if path.first().is_none_or(|name| self.locals.contains(*name)) {
            return;
        }
        let path: Path = path.iter().map(|part| (*part).to_owned()).collect();
        let guarded = guarded || (1..=path.len()).any(|length| self.defined.contains(&path[..length]));
        self.found.push(Reference { path, guarded });
    }
}

/// The paths that exist if a condition is true, or if it is false.
fn known_if(condition: &Expr, holds: bool) -> Vec<Path> {
    match (&condition.kind, holds) {
        (Kind::Defined(of), true) => {
            of.path().map(|path| path.into_iter().map(str::to_owned).collect()).into_iter().collect()
        }
        (Kind::Not(of), _) => known_if(of, !holds),
        (Kind::And(left, right), true) | (Kind::Or(left, right), false) => {
            let mut both = known_if(left, holds);
            both.extend(known_if(right, holds));
            both
        }
        _ => Vec::new(),
    }
}
