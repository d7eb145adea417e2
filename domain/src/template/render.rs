//! Renders templates.

use std::borrow::Cow;
use std::rc::Rc;

use super::ast::{Comparison, Expr, Kind, Node};
use super::limits::{Bounded, Budget, Effort, check_depth};
use super::value::{List, Val, equal, order};
use super::{Fault, Scope, SharedMap, filters};
use crate::value::Value;

/// Renders nodes in a scope.
pub(super) fn render(nodes: &[Node], scope: &Scope<'_>, effort: Effort) -> Result<String, Fault> {
    let mut renderer = Renderer::new(scope, effort);
    renderer.nodes(nodes)?;
    Ok(renderer.out.into_text())
}

/// Evaluates an expression, whose value must exist.
pub(super) fn evaluate(expr: &Expr, scope: &Scope<'_>, effort: Effort) -> Result<Value, Fault> {
    let mut renderer = Renderer {
        scope,
        frames: vec![Frame::default()],
        budget: Budget::new(effort.steps),
        out: Bounded::new(effort.bytes),
    };
    Ok(renderer.defined(expr)?.to_value())
}

/// The names that one block defines.
#[derive(Default)]
pub(super) struct Frame<'a> {
    pub(super) names: Vec<(&'a str, Val<'a>)>,
    /// The current index of a loop, from 0, and its number of items.
    pub(super) turn: Option<(usize, usize)>,
}

pub(super) struct Renderer<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) frames: Vec<Frame<'a>>,
    pub(super) budget: Budget,
    pub(super) out: Bounded,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(scope: &'a Scope<'a>, effort: Effort) -> Self {
        Self {
            scope,
            frames: vec![Frame::default()],
            budget: Budget::new(effort.steps),
            out: Bounded::new(effort.bytes),
        }
    }

    fn nodes(&mut self, nodes: &'a [Node]) -> Result<(), Fault> {
        nodes.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &'a Node) -> Result<(), Fault> {
        match node {
            Node::Text(text) => {
                self.budget.spend(1, 0)?;
                self.out.push(text, 0)
            }
            Node::Output(expr) => {
                let value = self.eval(expr)?;
                let text = value.shown().map_err(|message| Fault::new(expr.at, message))?;
                self.out.push(&text, expr.at)
            }
            Node::If(branches) => self.branch(branches),
            Node::For { name, list, body } => self.repeat(name, list, body),
            Node::Set { name, value } => {
                let value = self.defined(value)?;
                self.name(name, value);
                Ok(())
            }
        }
    }

    fn branch(&mut self, branches: &'a [(Option<Expr>, Vec<Node>)]) -> Result<(), Fault> {
        for (condition, body) in branches {
            let holds = match condition {
                Some(condition) => self.holds(condition)?,
                None => true,
            };
            if holds {
                return self.nodes(body);
            }
        }
        Ok(())
    }

    fn repeat(&mut self, name: &'a str, list: &'a Expr, body: &'a [Node]) -> Result<(), Fault> {
        let items = match self.defined(list)? {
            Val::List(items) => items,
            other => {
                return Err(Fault::new(list.at, format!("a loop goes over a list, not {}", other.kind())));
            }
        };
        for (i, item) in items.iter().enumerate() {
            self.budget.spend(1, list.at)?;
            self.frames.push(Frame { names: vec![(name, item)], turn: Some((i, items.len())) });
            self.nodes(body)?;
            self.frames.pop();
        }
        Ok(())
    }

    pub(super) fn name(&mut self, name: &'a str, value: Val<'a>) {
        let Some(frame) = self.frames.last_mut() else { return };
        match frame.names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => frame.names.push((name, value)),
        }
    }

    fn lookup(&self, name: &'a str) -> Val<'a> {
        let own =
            self.frames.iter().rev().find_map(|frame| frame.names.iter().find(|(known, _)| *known == name));
        match own {
            Some((_, value)) => value.clone(),
            None => self.scope.get(name).map_or_else(|| Val::Undefined(name.into()), Val::from),
        }
    }

    /// Evaluates an expression, whose value must exist.
    pub(super) fn defined(&mut self, expr: &'a Expr) -> Result<Val<'a>, Fault> {
        match self.eval(expr)? {
            Val::Undefined(name) => Err(Fault::new(expr.at, format!("`{name}` is not defined"))),
            value => Ok(value),
        }
    }

    /// Evaluates an expression, whose value may be missing.
    pub(super) fn eval(&mut self, expr: &'a Expr) -> Result<Val<'a>, Fault> {
        self.budget.spend(1, expr.at)?;
        match &expr.kind {
            Kind::None => Ok(Val::None),
            Kind::Bool(flag) => Ok(Val::Bool(*flag)),
            Kind::Whole(whole) => Ok(Val::Whole((*whole).into())),
            Kind::Float(float) => Ok(Val::Float(*float)),
            Kind::Text(text) => Ok(Val::Text(Cow::Borrowed(text))),
            Kind::List(items) => self.list(items, expr.at),
            Kind::Name(name) => Ok(self.lookup(name)),
            Kind::Field(of, field) => self.field(of, field),
            Kind::Index(of, index) => self.index(of, index),
            Kind::Not(of) => Ok(Val::Bool(!self.holds(of)?)),
            Kind::And(left, right) => self.either(left, right, true),
            Kind::Or(left, right) => self.either(left, right, false),
            Kind::Compare(comparison, left, right) => self.compare(*comparison, left, right),
            Kind::In(item, of) => self.contains(item, of),
            Kind::Defined(of) => Ok(Val::Bool(!matches!(self.eval(of)?, Val::Undefined(_)))),
            Kind::Filter(filter, of, arguments) => filters::apply(self, *filter, of, arguments),
        }
    }

    /// Whether a condition is true. Every non-empty value is.
    pub(super) fn holds(&mut self, condition: &'a Expr) -> Result<bool, Fault> {
        match &condition.kind {
            Kind::And(left, right) => Ok(self.holds(left)? && self.holds(right)?),
            Kind::Or(left, right) => Ok(self.holds(left)? || self.holds(right)?),
            _ => Ok(self.defined(condition)?.is_true()),
        }
    }

    /// The value of `and` or `or`. It must be a boolean, because Jinja's dialects disagree on other values.
    fn either(&mut self, left: &'a Expr, right: &'a Expr, both: bool) -> Result<Val<'a>, Fault> {
        let mut value = self.defined(left)?;
        if value.is_true() == both {
            value = self.defined(right)?;
        }
        if matches!(value, Val::Bool(_)) {
            return Ok(value);
        }
        let message =
            "`and` and `or` are for conditions: write `| default(…, true)` for a value that may be empty";
        Err(Fault::new(left.at, message))
    }

    fn list(&mut self, items: &'a [Expr], at: usize) -> Result<Val<'a>, Fault> {
        let items = items.iter().map(|item| self.defined(item)).collect::<Result<Vec<_>, _>>()?;
        made(items, at)
    }

    fn field(&mut self, of: &'a Expr, field: &'a str) -> Result<Val<'a>, Fault> {
        if matches!(&of.kind, Kind::Name(name) if name == "loop") {
            return Ok(self.turn(field));
        }
        if let Some(map) = self.shared_map(of) {
            self.budget.spend(1, of.at)?;
            let found = map.get(field).map(|value| Val::from(&**value));
            return Ok(found.unwrap_or_else(|| Val::Undefined(called(of, field))));
        }
        let value = self.defined(of)?;
        Ok(member(&value, field).unwrap_or_else(|| Val::Undefined(called(of, field))))
    }

    /// One of the scope's maps whose values are shared: its fields are read where they are.
    fn shared_map(&self, of: &Expr) -> Option<&'a SharedMap> {
        let Kind::Name(name) = &of.kind else { return None };
        let is_own = self.frames.iter().any(|frame| frame.names.iter().any(|(known, _)| known == name));
        if is_own { None } else { self.scope.shared_map(name) }
    }

    fn turn(&self, field: &str) -> Val<'a> {
        let (i, length) = self.frames.iter().rev().find_map(|frame| frame.turn).unwrap_or((0, 0));
        match field {
            "index" => Val::Whole(i as i128 + 1),
            "first" => Val::Bool(i == 0),
            _ => Val::Bool(i + 1 == length),
        }
    }

    fn index(&mut self, of: &'a Expr, index: &'a Expr) -> Result<Val<'a>, Fault> {
        let (value, position) = (self.defined(of)?, self.defined(index)?);
        match (&value, &position) {
            (Val::Map(_), Val::Text(field)) => {
                Ok(member(&value, field).unwrap_or_else(|| Val::Undefined(called(of, field))))
            }
            (Val::List(list), Val::Whole(position)) => {
                let from_end = if *position < 0 { list.len() as i128 } else { 0 };
                let found = usize::try_from(position + from_end).ok().and_then(|index| list.get(index));
                Ok(found.unwrap_or_else(|| Val::Undefined(called(of, &position.to_string()))))
            }
            _ => Err(Fault::new(index.at, format!("{} has no item {}", value.kind(), position.kind()))),
        }
    }

    fn compare(&mut self, comparison: Comparison, left: &'a Expr, right: &'a Expr) -> Result<Val<'a>, Fault> {
        let (a, b) = (self.defined(left)?, self.defined(right)?);
        let ordered = || {
            order(&a, &b).ok_or_else(|| {
                let message = format!("{} and {} have no order: numbers do, and texts", a.kind(), b.kind());
                Fault::new(left.at, message)
            })
        };
        let holds = match comparison {
            Comparison::Equal => equal(&a, &b, &mut self.budget, left.at)?,
            Comparison::NotEqual => !equal(&a, &b, &mut self.budget, left.at)?,
            Comparison::Less => ordered()?.is_lt(),
            Comparison::LessOrEqual => ordered()?.is_le(),
            Comparison::Greater => ordered()?.is_gt(),
            Comparison::GreaterOrEqual => ordered()?.is_ge(),
        };
        Ok(Val::Bool(holds))
    }

    fn contains(&mut self, item: &'a Expr, of: &'a Expr) -> Result<Val<'a>, Fault> {
        let (item, container) = (self.defined(item)?, self.defined(of)?);
        let found = match (&item, &container) {
            (Val::Text(part), Val::Text(whole)) => {
                self.budget.spend(whole.len(), of.at)?;
                whole.contains(part.as_ref())
            }
            (Val::Text(name), Val::Map(map)) => map.contains_key(name.as_ref()),
            (_, Val::List(list)) => {
                let mut found = false;
                for other in list.iter() {
                    found = found || equal(&item, &other, &mut self.budget, of.at)?;
                }
                found
            }
            _ => {
                let message = format!("{} is not looked for in {}", item.kind(), container.kind());
                return Err(Fault::new(of.at, message));
            }
        };
        Ok(Val::Bool(found))
    }
}

/// A list of these items.
pub(super) fn made(items: Vec<Val<'_>>, at: usize) -> Result<Val<'_>, Fault> {
    let deepest = items.iter().map(|item| if let Val::List(list) = item { list.depth() } else { 0 }).max();
    let depth = check_depth(deepest.unwrap_or(0) + 1, at)?;
    Ok(Val::List(List::Made { items: Rc::new(items), depth }))
}

fn member<'a>(value: &Val<'a>, field: &str) -> Option<Val<'a>> {
    if let Val::Map(map) = value { map.get(field).map(Val::from) } else { None }
}

/// The name of a missing value.
fn called(of: &Expr, field: &str) -> Rc<str> {
    of.path().map_or_else(|| field.into(), |path| format!("{}.{field}", path.join(".")).into())
}
