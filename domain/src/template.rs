//! Templates in a subset of Jinja2. Values are data: what was put in is never read as a template again.
//!
//! ```
//! use promptlooper_domain::template::{Scope, Template};
//! use promptlooper_domain::value::Value;
//!
//! let template = Template::parse("Sort {{ sample.input | trim }}{% if tone %}, {{ tone }}{% endif %}.").unwrap();
//! let sample = Value::from([("input", Value::text(" this "))]);
//! let tone = Value::text("kindly");
//! let scope = Scope::new().with("sample", &sample).with("tone", &tone);
//! assert_eq!(template.render(&scope).unwrap(), "Sort this, kindly.");
//! ```

mod ast;
mod expression;
mod filters;
mod lexer;
mod limits;
mod parser;
mod partial;
mod print;
mod references;
mod render;
mod residue;
mod scope;
mod tokens;
mod tree;
mod value;

use std::fmt;

use self::ast::Node;
use self::limits::Effort;
pub use self::scope::{Scope, SharedMap};
pub use self::tree::TemplateTree;
use crate::value::Value;

/// A template that has been parsed.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    nodes: Vec<Node>,
}

/// A name that a template reads from its scope, with its fields: `sample.meta.lang`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The name and its fields.
    pub path: Vec<String>,
    /// It may be missing: there is a default, or it is read only if it is defined.
    pub guarded: bool,
}

/// An error in a template, or in its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    line: usize,
    column: usize,
    message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for TemplateError {}

/// An error at a place in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    at: usize,
    message: String,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    fn in_source(self, source: &str) -> TemplateError {
        let before = source.get(..self.at).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        TemplateError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: self.message,
        }
    }
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// The first error, with line and column.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let nodes = parser::parse(source).map_err(|fault| fault.in_source(source))?;
        Ok(Self { source: source.to_owned(), nodes })
    }

    /// Renders the template. It takes at most 10^6 steps (one for each node, and for filters as many as their input
    /// is long) and returns at most 4 MiB.
    ///
    /// # Errors
    /// A name is not defined, a filter does not accept a value, or a limit is exceeded.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        render::render(&self.nodes, scope, Effort::MOST).map_err(|fault| fault.in_source(&self.source))
    }

    /// The same if it takes little time: at most 5,000 steps and 64 KiB. `None` if it takes more, or if
    /// [`render`](Self::render) would fail.
    #[must_use]
    pub fn render_quickly(&self, scope: &Scope<'_>) -> Option<String> {
        render::render(&self.nodes, scope, Effort::LITTLE).ok()
    }

    /// The value of a template that consists of one expression; for other templates, the rendered text.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        let [Node::Output(expr)] = self.nodes.as_slice() else { return self.render(scope).map(Value::Text) };
        render::evaluate(expr, scope, Effort::MOST).map_err(|fault| fault.in_source(&self.source))
    }

    /// The same if it takes little time, as [`render_quickly`](Self::render_quickly) does.
    #[must_use]
    pub fn evaluate_quickly(&self, scope: &Scope<'_>) -> Option<Value> {
        let [Node::Output(expr)] = self.nodes.as_slice() else {
            return self.render_quickly(scope).map(Value::Text);
        };
        render::evaluate(expr, scope, Effort::LITTLE).ok()
    }

    /// The template with everything in its place that these names decide; what rests on other names stays as it is.
    /// Rendered with those, it gives what the whole template gives with all of them. It still asks for a name of `scope`
    /// where no template can spell its value, such as a map of which the data choose a field.
    ///
    /// ```
    /// # use promptlooper_domain::template::{Scope, Template};
    /// # use promptlooper_domain::value::Value;
    /// let template = Template::parse("{% if params.brief %}Briefly: {% endif %}{{ sample.input }}").unwrap();
    /// let params = Value::from([("brief", Value::from(true))]);
    /// let rest = template.render_partially(&Scope::new().with("params", &params));
    /// assert_eq!(rest.source(), "Briefly: {{ sample.input }}");
    /// ```
    #[must_use]
    pub fn render_partially(&self, scope: &Scope<'_>) -> Self {
        let concerned = self.references().iter().any(|read| scope.get(&read.path[0]).is_some());
        let rest = concerned.then(|| partial::render(&self.nodes, scope).ok()).flatten();
        // What would cost too much, or nest too deep, stays whole.
        let rest = rest.map(|nodes| print::text(&nodes)).and_then(|source| Self::parse(&source).ok());
        rest.unwrap_or_else(|| self.clone())
    }

    /// The names that it reads from its scope, in order.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        references::of(&self.nodes)
    }

    /// The text that it was parsed from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod partial_tests;
#[cfg(test)]
mod tests;
