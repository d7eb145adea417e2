//! Why a use case did not do what it was asked, in the terms of whoever asked.

use std::fmt;
use std::time::Duration;

use domain::access::Forbidden;
use domain::problem::Problem;
use thiserror::Error;

use crate::ports::StoreError;

/// Why nothing was done. A request that is refused has changed nothing.
#[derive(Debug, Error)]
pub enum Refusal {
    /// What it names is not there.
    #[error("there is no such {0}")]
    NotFound(Resource),
    /// The state of things does not allow it now.
    #[error("{detail}")]
    Conflict {
        /// The stable word for what is in the way.
        code: &'static str,
        /// What is in the way, and what to do about it.
        detail: String,
    },
    /// Something in it does not make sense.
    #[error("the request has {} problem(s)", .0.len())]
    Invalid(Vec<Problem>),
    /// What was sent beside it does not make sense.
    #[error("{detail}")]
    Unprocessable {
        /// The stable word for the reason.
        code: &'static str,
        /// What is wrong, and what to do about it.
        detail: String,
    },
    /// Whoever asks may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Nobody knows who asks.
    #[error("{detail}")]
    Unauthorized {
        /// The stable word for the reason.
        code: &'static str,
        /// What to do about it.
        detail: &'static str,
    },
    /// There were too many failed attempts.
    #[error("too many failed attempts: try again in {} seconds", .0.as_secs().max(1))]
    TooMany(Duration),
    /// Something inside failed; the same may work later.
    #[error("{0}")]
    Unavailable(String),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a request can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Resource {
    Endpoint,
    Experiment,
    Project,
    Run,
    Sweep,
    User,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "endpoint",
            Self::Experiment => "experiment",
            Self::Project => "project",
            Self::Run => "run",
            Self::Sweep => "sweep",
            Self::User => "user",
        })
    }
}

impl Refusal {
    /// The state of things does not allow it now.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }

    /// One thing does not make sense.
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(pointer, code, detail)])
    }
}
