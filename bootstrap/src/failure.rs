//! How commands end that do not succeed.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::Serialize;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be done.
    Error(Vec<String>),
    /// It was called the wrong way.
    Usage(String),
    /// It was done, and what came of it was not good enough.
    GateMissed(Vec<String>),
    /// A sweep that did not come to results, or not to its end.
    Sweep {
        /// The stable word for what became of it.
        code: &'static str,
        /// The same for people, and how to go on.
        message: String,
    },
    /// Somebody pressed Ctrl-C.
    Interrupted(String),
    /// The document on stdout says why.
    Reported(Box<Self>),
}

/// What shells report for a program that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// A failure as JSON.
#[derive(Serialize)]
pub(crate) struct ErrorDocument<'a> {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [String]>,
}

/// The whole document of a command that failed.
#[derive(Serialize)]
struct FailureDocument<'a> {
    error: ErrorDocument<'a>,
}

impl Failure {
    pub(crate) fn error(error: impl Display) -> Self {
        Self::Error(vec![error.to_string()])
    }

    /// All of these, each after the place that they are in.
    pub(crate) fn errors<E: Display>(place: &impl Display, errors: impl IntoIterator<Item = E>) -> Self {
        Self::Error(errors.into_iter().map(|error| format!("{place}: {error}")).collect())
    }

    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Error(_) | Self::Sweep { .. } => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::GateMissed(_) => ExitCode::from(100),
            Self::Interrupted(_) => ExitCode::from(INTERRUPTED),
            Self::Reported(failure) => failure.code(),
        }
    }

    /// Tells people, on stderr.
    pub(crate) fn print(&self) {
        let (word, lines) = match self {
            Self::Error(lines) => ("error", lines.as_slice()),
            Self::Usage(line) | Self::Sweep { message: line, .. } => ("error", std::slice::from_ref(line)),
            Self::Interrupted(line) => ("interrupted", std::slice::from_ref(line)),
            Self::GateMissed(lines) => ("gate missed", lines.as_slice()),
            Self::Reported(failure) => return failure.print(),
        };
        let mut stderr = io::stderr().lock();
        for line in lines {
            // Where stderr is closed nobody can be told.
            drop(writeln!(stderr, "{word}: {line}"));
        }
    }

    /// Tells programs, on stdout, unless they have been told.
    pub(crate) fn print_json(&self) {
        if matches!(self, Self::Reported(_)) {
            return;
        }
        if let Ok(text) = serde_json::to_string(&FailureDocument { error: self.document() }) {
            // Where stdout is closed nobody can be told.
            drop(writeln!(io::stdout(), "{text}"));
        }
    }

    pub(crate) fn document(&self) -> ErrorDocument<'_> {
        let (code, lines) = match self {
            Self::Error(lines) => ("error", lines.as_slice()),
            Self::Usage(line) => ("usage", std::slice::from_ref(line)),
            Self::Sweep { code, message } => (*code, std::slice::from_ref(message)),
            Self::Interrupted(line) => ("interrupted", std::slice::from_ref(line)),
            Self::GateMissed(lines) => ("gate_missed", lines.as_slice()),
            Self::Reported(failure) => return failure.document(),
        };
        ErrorDocument { code, message: lines.join("\n"), errors: (lines.len() > 1).then_some(lines) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_document() {
        let json = |failure: Failure| serde_json::to_string(&failure.document()).unwrap();
        assert_eq!(json(Failure::error("no")), r#"{"code":"error","message":"no"}"#);
        assert_eq!(
            json(Failure::Reported(Box::new(Failure::errors(&"f", ["a", "b"])))),
            r#"{"code":"error","message":"f: a\nf: b","errors":["f: a","f: b"]}"#
        );
    }
}
