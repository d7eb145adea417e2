//! Renders the templates of stages: quickly between other work, or wholly.

use crate::run::{ErrorKind, StageError};
use crate::template::{Scope, Template, TemplateError};
use crate::value::Value;

/// A way to render templates.
pub(super) trait Render {
    /// `None` if rendering would take longer than this way allows.
    fn render(&self, template: &Template) -> Option<Result<String, StageError>>;

    /// The value of a template's only expression, else the rendered text; `None` as for [`render`](Self::render).
    fn evaluate(&self, template: &Template) -> Option<Result<Value, StageError>>;

    /// Whether texts of this size may be processed.
    fn takes(&self, bytes: usize) -> bool;
}

/// Renders only what takes little time.
pub(super) struct Quickly<'a>(pub(super) Scope<'a>);

/// Renders everything.
pub(super) struct Wholly<'a>(pub(super) Scope<'a>);

/// The largest texts that are processed at once, in bytes, so that nothing else is delayed.
pub(super) const LITTLE: usize = 64 << 10;

impl Render for Quickly<'_> {
    fn render(&self, template: &Template) -> Option<Result<String, StageError>> {
        template.render_quickly(&self.0).map(Ok)
    }

    fn evaluate(&self, template: &Template) -> Option<Result<Value, StageError>> {
        template.evaluate_quickly(&self.0).map(Ok)
    }

    fn takes(&self, bytes: usize) -> bool {
        bytes <= LITTLE
    }
}

impl Render for Wholly<'_> {
    fn render(&self, template: &Template) -> Option<Result<String, StageError>> {
        Some(template.render(&self.0).map_err(|error| template_error(&error)))
    }

    fn evaluate(&self, template: &Template) -> Option<Result<Value, StageError>> {
        Some(template.evaluate(&self.0).map_err(|error| template_error(&error)))
    }

    fn takes(&self, _: usize) -> bool {
        true
    }
}

pub(super) fn parsed(source: &str) -> Result<Template, StageError> {
    Template::parse(source).map_err(|error| template_error(&error))
}

pub(super) fn template_error(error: &TemplateError) -> StageError {
    StageError::new(ErrorKind::Template, error.to_string())
}
