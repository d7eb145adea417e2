//! Decides which expressions are known.

use super::Partial;
use crate::template::ast::{Expr, Kind};

impl Partial<'_> {
    /// Whether an expression depends only on known names.
    pub(super) fn is_known(&self, expr: &Expr) -> bool {
        match &expr.kind {
            Kind::None | Kind::Bool(_) | Kind::Whole(_) | Kind::Float(_) | Kind::Text(_) => true,
            Kind::Name(name) => self.knows(name),
            Kind::Field(of, _) if matches!(&of.kind, Kind::Name(name) if name == "loop") => self.knows_turn(),
            Kind::Field(of, _) | Kind::Not(of) | Kind::Defined(of) => self.is_known(of),
            Kind::Index(a, b)
            | Kind::And(a, b)
            | Kind::Or(a, b)
            | Kind::Compare(_, a, b)
            | Kind::In(a, b) => self.is_known(a) && self.is_known(b),
            Kind::List(items) => items.iter().all(|item| self.is_known(item)),
            Kind::Filter(_, of, arguments) => {
                self.is_known(of) && arguments.iter().all(|argument| self.is_known(&argument.value))
            }
        }
    }

    fn knows(&self, name: &str) -> bool {
        for (frame, unknown) in self.renderer.frames.iter().zip(&self.unknown).rev() {
            if unknown.names.contains(name) {
                return false;
            }
            if frame.names.iter().any(|(known, _)| *known == name) {
                return true;
            }
        }
        self.renderer.scope.get(name).is_some()
    }

    /// Whether the index of the innermost loop is known.
    fn knows_turn(&self) -> bool {
        let frames = self.renderer.frames.iter().zip(&self.unknown).rev();
        frames
            .map(|(frame, unknown)| (frame.turn.is_some(), unknown.turn))
            .find(|turn| *turn != (false, false))
            == Some((true, false))
    }
}
