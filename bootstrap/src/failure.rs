//! How commands end that do not succeed.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be done.
    Error(Vec<String>),
    /// It was called the wrong way.
    Usage(String),
    /// It was done, and what came of it was not good enough.
    GateMissed(Vec<String>),
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
            Self::Error(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::GateMissed(_) => ExitCode::from(100),
        }
    }

    pub(crate) fn print(&self) {
        let (word, lines) = match self {
            Self::Error(lines) => ("error", lines.as_slice()),
            Self::Usage(line) => ("error", std::slice::from_ref(line)),
            Self::GateMissed(lines) => ("gate missed", lines.as_slice()),
        };
        let mut stderr = io::stderr().lock();
        for line in lines {
            // Where stderr is closed nobody can be told.
            drop(writeln!(stderr, "{word}: {line}"));
        }
    }
}
