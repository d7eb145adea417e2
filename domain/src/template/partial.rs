//! Renders those parts of a template that depend only on known names. Everything that depends on other names stays in
//! the template, and so does everything that cannot be evaluated.

mod known;
mod rebuilt;

use std::collections::BTreeSet;

use self::rebuilt::{listed, made};
use super::ast::{Argument, Expr, Kind, Node};
use super::filters::Filter;
use super::limits::Effort;
use super::render::{Frame, Renderer};
use super::residue::{self, Part};
use super::value::Val;
use super::{Fault, Scope};

/// The nodes that remain once the names of a scope are known.
pub(super) fn render(nodes: &[Node], scope: &Scope<'_>) -> Result<Vec<Node>, Fault> {
    let renderer = Renderer::new(scope, Effort::MOST);
    let mut partial = Partial { renderer, unknown: vec![Unknown::default()] };
    let mut parts = Vec::new();
    partial.nodes(nodes, &mut parts)?;
    Ok(residue::nodes(&parts))
}

/// The unknown names of a block, the counterpart of the renderer's frame.
#[derive(Default)]
struct Unknown<'a> {
    names: BTreeSet<&'a str>,
    /// Whether it is a loop whose current index is unknown.
    turn: bool,
}

/// The result for an expression: a value, or the remaining expression.
enum Outcome<T> {
    Known(T),
    Left(Expr),
}

struct Partial<'a> {
    renderer: Renderer<'a>,
    /// One for each frame of the renderer.
    unknown: Vec<Unknown<'a>>,
}

impl<'a> Partial<'a> {
    fn nodes(&mut self, nodes: &'a [Node], out: &mut Vec<Part<'a>>) -> Result<(), Fault> {
        nodes.iter().try_for_each(|node| self.node(node, out))
    }

    fn node(&mut self, node: &'a Node, out: &mut Vec<Part<'a>>) -> Result<(), Fault> {
        self.renderer.budget.spend(1, 0)?;
        match node {
            Node::Text(text) => self.text(text, out),
            Node::Output(expr) => self.output(expr, out),
            Node::If(branches) => self.branches(branches, out),
            Node::For { name, list, body } => self.repeat(name, list, body, out),
            Node::Set { name, value } => {
                self.set(name, value, out);
                Ok(())
            }
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<Part<'a>>) -> Result<(), Fault> {
        // Stored only to apply the size limit.
        self.renderer.out.push(text, 0)?;
        out.push(Part::Text(text.to_owned()));
        Ok(())
    }

    fn output(&mut self, expr: &'a Expr, out: &mut Vec<Part<'a>>) -> Result<(), Fault> {
        match self.expr(expr) {
            Outcome::Known(value) => match value.shown() {
                Ok(text) => return self.text(&text, out),
                Err(_) => out.push(Part::Output(self.rebuilt(expr))),
            },
            Outcome::Left(expr) => out.push(Part::Output(expr)),
        }
        Ok(())
    }

    /// Keeps every `set` for now, so that the remaining blocks define the same names.
    fn set(&mut self, name: &'a str, value: &'a Expr, out: &mut Vec<Part<'a>>) {
        let (value, known) = match self.expr(value) {
            Outcome::Known(known) => (self.spelled(&known, value), Some(known)),
            Outcome::Left(value) => (value, None),
        };
        out.push(Part::Set { name, value, is_known: known.is_some() });
        if let Some(frame) = self.unknown.last_mut() {
            match known {
                Some(value) => {
                    frame.names.remove(name);
                    self.renderer.name(name, value);
                }
                None => drop(frame.names.insert(name)),
            }
        }
    }

    fn branches(
        &mut self,
        branches: &'a [(Option<Expr>, Vec<Node>)],
        out: &mut Vec<Part<'a>>,
    ) -> Result<(), Fault> {
        let mut left = Vec::new();
        for (condition, body) in branches {
            let holds =
                condition.as_ref().map_or(Outcome::Known(true), |condition| self.condition(condition));
            match holds {
                Outcome::Known(false) => {}
                Outcome::Known(true) if left.is_empty() => return self.nodes(body, out),
                Outcome::Known(true) => {
                    left.push((None, self.branch(body)?));
                    break;
                }
                Outcome::Left(condition) => left.push((Some(condition), self.branch(body)?)),
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        let part = Part::If(left);
        // After the `if`, it is unknown whether the names that its branches define exist.
        if let Some(frame) = self.unknown.last_mut() {
            residue::add_names_set(std::slice::from_ref(&part), &mut frame.names);
        }
        out.push(part);
        Ok(())
    }

    /// Renders a branch that may or may not be taken. Its names are forgotten afterwards.
    fn branch(&mut self, body: &'a [Node]) -> Result<Vec<Part<'a>>, Fault> {
        let names = self.renderer.frames.last().map(|frame| frame.names.clone());
        let unknown = self.unknown.last().map(|frame| frame.names.clone());
        let mut parts = Vec::new();
        self.nodes(body, &mut parts)?;
        if let (Some(frame), Some(names)) = (self.renderer.frames.last_mut(), names) {
            frame.names = names;
        }
        if let (Some(frame), Some(names)) = (self.unknown.last_mut(), unknown) {
            frame.names = names;
        }
        Ok(parts)
    }

    fn repeat(
        &mut self,
        name: &'a str,
        list: &'a Expr,
        body: &'a [Node],
        out: &mut Vec<Part<'a>>,
    ) -> Result<(), Fault> {
        let list = match self.expr(list) {
            Outcome::Known(Val::List(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.renderer.budget.spend(1, list.at)?;
                    let spelled = self.literal(&item).unwrap_or_else(|| self.nth(list, i));
                    let frame = Frame { names: vec![(name, item)], turn: Some((i, items.len())) };
                    let body = self.inside(frame, Unknown::default(), body)?;
                    out.push(Part::For { name, list: listed(spelled), body, is_one_turn: true });
                }
                return Ok(());
            }
            Outcome::Known(_) => self.rebuilt(list),
            Outcome::Left(list) => list,
        };
        let unknown = Unknown { names: BTreeSet::from([name]), turn: true };
        let body = self.inside(Frame::default(), unknown, body)?;
        out.push(Part::For { name, list, body, is_one_turn: false });
        Ok(())
    }

    fn inside(
        &mut self,
        frame: Frame<'a>,
        unknown: Unknown<'a>,
        body: &'a [Node],
    ) -> Result<Vec<Part<'a>>, Fault> {
        self.renderer.frames.push(frame);
        self.unknown.push(unknown);
        let mut parts = Vec::new();
        self.nodes(body, &mut parts)?;
        self.renderer.frames.pop();
        self.unknown.pop();
        Ok(parts)
    }

    fn nth(&mut self, list: &'a Expr, i: usize) -> Expr {
        let index = made(Kind::Whole(i64::try_from(i).unwrap_or(i64::MAX)));
        made(Kind::Index(Box::new(self.rebuilt(list)), Box::new(index)))
    }

    fn expr(&mut self, expr: &'a Expr) -> Outcome<Val<'a>> {
        if self.is_known(expr) {
            return match self.renderer.defined(expr) {
                Ok(value) => Outcome::Known(value),
                Err(_) => Outcome::Left(self.rebuilt(expr)),
            };
        }
        match &expr.kind {
            Kind::Not(_) | Kind::And(..) | Kind::Or(..) => match self.condition(expr) {
                Outcome::Known(holds) => Outcome::Known(Val::Bool(holds)),
                Outcome::Left(expr) => Outcome::Left(expr),
            },
            Kind::Filter(Filter::Default, of, arguments) => {
                self.default(of, arguments).unwrap_or_else(|| Outcome::Left(self.rebuilt(expr)))
            }
            _ => Outcome::Left(self.rebuilt(expr)),
        }
    }

    /// Whether a condition is true. One side of `and` or `or` may decide it.
    fn condition(&mut self, expr: &'a Expr) -> Outcome<bool> {
        if self.is_known(expr) {
            return match self.renderer.holds(expr) {
                Ok(holds) => Outcome::Known(holds),
                Err(_) => Outcome::Left(self.rebuilt(expr)),
            };
        }
        match &expr.kind {
            Kind::Not(of) => match self.condition(of) {
                Outcome::Known(holds) => Outcome::Known(!holds),
                Outcome::Left(of) => Outcome::Left(Expr { kind: Kind::Not(Box::new(of)), ..*expr }),
            },
            Kind::And(left, right) => self.either(left, right, false),
            Kind::Or(left, right) => self.either(left, right, true),
            _ => match self.expr(expr) {
                Outcome::Known(value) => Outcome::Known(value.is_true()),
                Outcome::Left(expr) => Outcome::Left(expr),
            },
        }
    }

    /// `and`, which is decided by a false side, or `or`, which is decided by a true side.
    fn either(&mut self, left: &'a Expr, right: &'a Expr, decided_by: bool) -> Outcome<bool> {
        let (left, right) = match (self.condition(left), self.condition(right)) {
            (Outcome::Known(holds), _) | (_, Outcome::Known(holds)) if holds == decided_by => {
                return Outcome::Known(decided_by);
            }
            (Outcome::Known(_), right) => return right,
            // As a boolean, because the other side could be any value.
            (Outcome::Left(left), Outcome::Known(holds)) => (left, made(Kind::Bool(holds))),
            (Outcome::Left(left), Outcome::Left(right)) => (left, right),
        };
        let (left, right) = (Box::new(left), Box::new(right));
        Outcome::Left(made(if decided_by { Kind::Or(left, right) } else { Kind::And(left, right) }))
    }

    /// `of | default(…)`, if it is known which of the two applies.
    fn default(&mut self, of: &'a Expr, arguments: &'a [Argument]) -> Option<Outcome<Val<'a>>> {
        if !self.is_known(of) {
            return None;
        }
        let value = self.renderer.eval(of).ok()?;
        let also_empty = match arguments.get(1) {
            _ if value.is_true() => false,
            None => false,
            Some(flag) if self.is_known(&flag.value) => self.renderer.defined(&flag.value).ok()?.is_true(),
            Some(_) => return None,
        };
        if !also_empty && !matches!(value, Val::Undefined(_)) {
            return Some(Outcome::Known(value));
        }
        arguments.first().map(|other| self.expr(&other.value))
    }
}
