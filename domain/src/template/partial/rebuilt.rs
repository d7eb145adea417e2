//! Rebuilds expressions, with literals for known values.

use super::{Outcome, Partial};
use crate::template::ast::{Argument, Expr, Kind};
use crate::template::value::Val;

/// A new expression.
pub(super) const fn made(kind: Kind) -> Expr {
    Expr { at: 0, depth: 1, kind }
}

/// A list of one item.
pub(super) fn listed(item: Expr) -> Expr {
    made(Kind::List(vec![item]))
}

impl<'a> Partial<'a> {
    /// The literal of a value, or the expression if there is no literal.
    pub(super) fn spelled(&mut self, value: &Val<'a>, expr: &'a Expr) -> Expr {
        self.literal(value).unwrap_or_else(|| self.rebuilt(expr))
    }

    /// The literal of a value, if there is one: maps have none.
    pub(super) fn literal(&mut self, value: &Val<'_>) -> Option<Expr> {
        self.renderer.budget.spend(1, 0).ok()?;
        let kind = match value {
            Val::None => Kind::None,
            Val::Bool(flag) => Kind::Bool(*flag),
            // The smallest integer cannot be written: its digits without the sign are too large.
            Val::Whole(whole) => Kind::Whole(i64::try_from(*whole).ok().filter(|whole| *whole > i64::MIN)?),
            Val::Float(float) if float.is_finite() => Kind::Float(*float),
            Val::Text(text) => {
                self.renderer.budget.spend(text.len(), 0).ok()?;
                Kind::Text(text.clone().into_owned())
            }
            Val::List(list) => {
                let items: Vec<Val<'_>> = list.iter().collect();
                Kind::List(items.iter().map(|item| self.literal(item)).collect::<Option<_>>()?)
            }
            Val::Map(_) | Val::Undefined(_) | Val::Float(_) => return None,
        };
        Some(made(kind))
    }

    /// Rebuilds an expression from its parts.
    pub(super) fn rebuilt(&mut self, expr: &'a Expr) -> Expr {
        let kind = match &expr.kind {
            leaf @ (Kind::None
            | Kind::Bool(_)
            | Kind::Whole(_)
            | Kind::Float(_)
            | Kind::Text(_)
            | Kind::Name(_)) => leaf.clone(),
            Kind::Field(of, field) => Kind::Field(self.boxed(of), field.clone()),
            Kind::Index(of, index) => Kind::Index(self.boxed(of), self.boxed(index)),
            Kind::Not(of) => Kind::Not(self.boxed(of)),
            Kind::And(left, right) => Kind::And(self.boxed(left), self.boxed(right)),
            Kind::Or(left, right) => Kind::Or(self.boxed(left), self.boxed(right)),
            Kind::Compare(comparison, left, right) => {
                Kind::Compare(*comparison, self.boxed(left), self.boxed(right))
            }
            Kind::In(item, of) => Kind::In(self.boxed(item), self.boxed(of)),
            Kind::Defined(of) => Kind::Defined(self.boxed(of)),
            Kind::List(items) => Kind::List(items.iter().map(|item| self.part(item)).collect()),
            Kind::Filter(filter, of, arguments) => {
                let of = self.boxed(of);
                let argument = |argument: &'a Argument| Argument {
                    name: argument.name.clone(),
                    value: self.part(&argument.value),
                };
                Kind::Filter(*filter, of, arguments.iter().map(argument).collect())
            }
        };
        Expr { kind, ..*expr }
    }

    fn boxed(&mut self, expr: &'a Expr) -> Box<Expr> {
        Box::new(self.part(expr))
    }

    fn part(&mut self, expr: &'a Expr) -> Expr {
        // `loop` has no value itself.
        if matches!(&expr.kind, Kind::Name(name) if name == "loop") {
            return expr.clone();
        }
        match self.expr(expr) {
            Outcome::Known(value) => self.spelled(&value, expr),
            Outcome::Left(expr) => expr,
        }
    }
}
